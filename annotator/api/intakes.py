"""Files in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Final

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from annotator import intake
from annotator.api.base import View
from annotator.api.shapes import Accepted, IntakeShape
from annotator.models import Intake
from annotator.permissions import Right
from reasoning.characters import unescape

CHUNK: Final = 256 * 1024
REFUSALS_SHOWN: Final = 200


class Untouched(BaseParser):
    """Hands the body on unread, whatever its type."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        return stream


def body_of(request: Request) -> Iterator[bytes]:
    """The raw body in pieces. A chunked request has no length, so Django would see it empty: read the server's."""
    chunked = request.META.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked"
    source = request.META["wsgi.input"] if chunked else request._request
    while piece := source.read(CHUNK):
        yield piece


def shown(row: Intake) -> dict[str, Any]:
    refusals = row.refusals.all()[:REFUSALS_SHOWN]
    return {
        "id": row.code,
        "name": row.name,
        "format": row.format,
        "state": row.state,
        "detail": row.detail,
        "counts": {"read": row.rows_read, "new": row.rows_new, "known": row.rows_known, "refused": row.rows_refused},
        "refusals": [
            {"line": r.line, "field": r.field, "reason": unescape(r.reason), "excerpt": unescape(r.excerpt)}
            for r in refusals
        ],
        "withdrawn": row.withdrawn_at is not None,
    }


class Intakes(View):
    scopes: ClassVar = {"GET": "read", "POST": "intake"}
    parser_classes = (Untouched,)

    @extend_schema(responses=IntakeShape(many=True))
    def get(self, request: Request, slug: str) -> Response:
        project = self.project(slug, Right.VIEW)
        return self.page(request, Intake.objects.filter(project=project), lambda rows: [shown(row) for row in rows])

    @extend_schema(
        parameters=[
            OpenApiParameter("format", str, required=True),
            OpenApiParameter("container", str, description="parquet"),
            OpenApiParameter("name", str),
            OpenApiParameter("source", str),
            OpenApiParameter("splitter", str),
            OpenApiParameter("as", str, description="evidence: labels that come along are evidence, not labels"),
        ],
        request={"application/octet-stream": OpenApiTypes.BINARY},
        responses={202: Accepted},
    )
    def post(self, request: Request, slug: str) -> Response:
        """Send the raw file as the body. It is kept, then read by a worker: see `/intakes/{id}/`."""
        project = self.project(slug, Right.MANAGE)
        options = {key: value for key, value in request.query_params.items() if key not in {"format", "name"}}
        row = intake.receive(
            project,
            body_of(request),
            format=request.query_params.get("format", ""),
            options=options,
            person=self.person,
            name=request.query_params.get("name", ""),
        )
        return Response({"id": row.code}, status=202)


class IntakeDetail(View):
    scopes: ClassVar = {"GET": "read"}

    @extend_schema(responses=IntakeShape)
    def get(self, request: Request, code: str) -> Response:
        return Response(shown(self.owned(Intake.objects.select_related("project"), code, Right.VIEW)))


class IntakeWithdrawal(View):
    scopes: ClassVar = {"POST": "manage"}

    @extend_schema(request=None, responses=IntakeShape)
    def post(self, request: Request, code: str) -> Response:
        """Take back everything that this intake brought; logged."""
        row = self.owned(Intake.objects.select_related("project"), code, Right.MANAGE)
        intake.withdraw(row, self.person)
        row.refresh_from_db()
        return Response(shown(row))
