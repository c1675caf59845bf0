"""What all API views share: scopes, the project in the address, pages by cursor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar

from django.db.models import Model, QuerySet
from rest_framework.pagination import CursorPagination
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotator.models import Person, Project, Token
from annotator.permissions import Right, project_for

Row = TypeVar("Row", bound=Model)


class Pages(CursorPagination):
    ordering = "-pk"
    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = 500


class HasScope(BasePermission):
    """The token must carry the scope that the view names for the method: `scopes = {"GET": "read", …}`."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        scope = getattr(view, "scopes", {}).get(request.method)
        if scope is None:
            return True
        self.message = f"This token lacks the scope {scope!r}."
        return isinstance(request.auth, Token) and scope in request.auth.scopes


class View(APIView):
    """`scopes` names the token's scope by method; the person's right in the project is asked for beside it."""

    permission_classes = (IsAuthenticated, HasScope)
    scopes: ClassVar[dict[str, str]] = {}

    @property
    def person(self) -> Person:
        assert isinstance(self.request.user, Person)
        return self.request.user

    def project(self, slug: str, right: Right) -> Project:
        return project_for(self.person, slug, right)

    def owned(self, rows: QuerySet[Row], code: str, right: Right) -> Row:
        """The row of this code, if the person has the right in its project; else as if there were none."""
        row = rows.filter(code=code).first()
        slug = row.project.slug if row is not None else ""  # type: ignore[attr-defined]
        project_for(self.person, slug, right)
        assert row is not None
        return row

    def page(
        self, request: Request, rows: QuerySet[Row], show: Callable[[Sequence[Row]], list[dict[str, Any]]]
    ) -> Response:
        pages = Pages()
        found = pages.paginate_queryset(rows, request, view=self)
        return pages.get_paginated_response(show(found or []))
