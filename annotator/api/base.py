"""What all API views share: scopes, the project in the address, bodies, pages by cursor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, ClassVar, Final, TypeVar

from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotator.api.bodies import JSON, JSONBody, OneForm, is_chunked
from annotator.errors import Invalid
from annotator.models import Person, Project, Token
from annotator.permissions import Right, project_for, rights_in

Row = TypeVar("Row", bound=Model)
_KEY_DIGITS: Final = 18
"""Of a primary key: more would not fit a bigint."""


class Pages(CursorPagination):
    """Newest first. `next` and `previous` are whole addresses, or null."""

    ordering = "-pk"
    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = 500
    page_size_query_description = f"Rows a page, at least 1; more than {max_page_size} are given as {max_page_size}."

    def get_page_size(self, request: Request) -> int:
        """What REST framework takes for the default, such as 0 or a misspelt number, is refused."""
        asked = request.query_params.get(self.page_size_query_param)
        if asked is None:
            return self.page_size
        digits = asked.lstrip("0")
        if not (digits and asked.isascii() and asked.isdecimal()):
            raise Invalid(self.page_size_query_param, "must be a whole number from 1")
        # Beyond so many digits Python reads no number, nor need it.
        return min(int(digits[:_KEY_DIGITS]), self.max_page_size)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        parameters: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        for parameter in parameters:
            if parameter["name"] == self.page_size_query_param:
                parameter["schema"] = {"type": "integer", "minimum": 1, "default": self.page_size}
        return parameters

    def decode_cursor(self, request: Request) -> Cursor | None:
        try:
            cursor = super().decode_cursor(request)
        except NotFound as error:
            raise Invalid("cursor", "is not one that a page gave") from error
        if cursor is not None and not _is_position(cursor.position):
            raise Invalid("cursor", "is not one that a page gave")
        return cursor


def _is_position(value: object) -> bool:
    """A primary key as text, or none; the cursor is anything that was sent."""
    text = "0" if value is None else str(value)
    return text.isdecimal() and len(text) <= _KEY_DIGITS


class HasScope(BasePermission):
    """The token must carry the scope that the view names for the method: `scopes = {"GET": "read", …}`."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        scopes: dict[str, str] = getattr(view, "scopes", {})
        scope = scopes.get("GET" if request.method == "HEAD" else request.method or "")
        if scope is None:  # OPTIONS, and methods that the view does not have
            return True
        self.message = f"This token lacks the scope {scope!r}."
        return isinstance(request.auth, Token) and scope in request.auth.scopes


class View(APIView):
    """`scopes` names the token's scope by method; the person's right in the project is asked for beside it."""

    permission_classes = (IsAuthenticated, HasScope)
    parser_classes: tuple[type[BaseParser], ...] = (JSONBody,)
    renderer_classes = (JSON,)
    content_negotiation_class = OneForm
    pagination_class: type[Pages] | None = Pages
    scopes: ClassVar[dict[str, str]] = {}

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        found = super().initialize_request(request, *args, **kwargs)
        if is_chunked(found):
            # A body without a length: REST framework would not even look for a parser.
            found._stream = request  # type: ignore[assignment]
        return found

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """PostgreSQL cannot even be asked for a text with NUL."""
        super().initial(request, *args, **kwargs)
        if any("\0" in str(value) for value in kwargs.values()):
            raise Http404("There is nothing of this name.")
        for name, values in request.query_params.lists():
            if any("\0" in value for value in values):
                raise Invalid(name, "must not hold NUL")

    @property
    def person(self) -> Person:
        assert isinstance(self.request.user, Person)
        return self.request.user

    def project(self, slug: str, right: Right) -> Project:
        return project_for(self.person, slug, right)

    def owned(self, rows: QuerySet[Row], code: str, right: Right, project_at: str = "project") -> Row:
        """The row of this code, if the person has the right in its project; else as if there were none."""
        row = rows.filter(code=code).first()
        project: Project | None = attrgetter(project_at)(row) if row else None
        if row is None or project is None or not rights_in(self.person, project):
            raise Http404(f"There is no {code}.")
        project_for(self.person, project.slug, right)
        return row

    def page(
        self, request: Request, rows: QuerySet[Row], show: Callable[[Sequence[Row]], list[dict[str, Any]]]
    ) -> Response:
        pages = (self.pagination_class or Pages)()
        found = pages.paginate_queryset(rows, request, view=self)
        return pages.get_paginated_response(show(found or []))
