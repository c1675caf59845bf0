"""`Authorization: Bearer <token>`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from annotator.models import Person, Token

SEEN_EVERY: Final = timedelta(minutes=5)
"""How exactly a token's last use is kept: a write for every call would cost more than it tells."""


class TokenAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[Person, Token] | None:
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != b"bearer":
            return None
        if len(words) != 2:
            raise AuthenticationFailed("The header must read: Authorization: Bearer <token>")
        token = Token.objects.find(words[1].decode("latin-1"))
        if token is None:
            raise AuthenticationFailed("This token is unknown or was revoked.")
        now = timezone.now()
        if token.last_used_at is None or now - token.last_used_at > SEEN_EVERY:
            Token.objects.filter(pk=token.pk).update(last_used_at=now)
        return token.person, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="Stepwise"'


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}
