"""Frozen datasets out."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotator import exports
from annotator.api.asked import ExportRequest
from annotator.api.base import View
from annotator.api.files import serve
from annotator.api.shapes import Accepted, ExportShape
from annotator.errors import Invalid
from annotator.models import Export, ExportFile
from annotator.permissions import Right


def shown(row: Export) -> dict[str, Any]:
    return {
        "code": row.code,
        "format": row.format,
        "choices": row.choices,
        "state": row.state,
        "detail": row.detail,
        "rows": row.rows,
        "cutoff": row.snapshot.cutoff,
        "simulated": row.simulated,
        "stand_in": row.stand_in,
        "files": [{"name": file.name, "bytes": file.bytes, "sha256": file.sha256} for file in row.files.all()],
    }


def _rows() -> QuerySet[Export]:
    return Export.objects.select_related("project", "snapshot").prefetch_related("files")


class Exports(View):
    scopes: ClassVar = {"GET": "export", "POST": "export"}

    @extend_schema(responses=ExportShape(many=True), operation_id="exports_list")
    def get(self, request: Request, slug: str) -> Response:
        """What was asked for, newest first."""
        project = self.project(slug, Right.EXPORT)
        return self.page(request, _rows().filter(project=project), lambda rows: [shown(row) for row in rows])

    @extend_schema(request=ExportRequest, responses={202: Accepted})
    def post(self, request: Request, slug: str) -> Response:
        """Ask for the labels as they stand, in a format. The same snapshot and choices give the same export again."""
        project = self.project(slug, Right.EXPORT)
        if not isinstance(request.data, dict):
            raise Invalid("body", "must be a JSON object")
        choices = dict(request.data)
        format_name = choices.pop("format", None)
        if not isinstance(format_name, str):
            raise Invalid("format", "is missing")
        export = exports.request(project, format_name, choices, self.person)
        return Response({"code": export.code}, status=202)


class ExportDetail(View):
    scopes: ClassVar = {"GET": "export"}

    @extend_schema(responses=ExportShape)
    def get(self, request: Request, code: str) -> Response:
        """How far it is; once it is done, its files with their sha256."""
        return Response(shown(self.owned(_rows(), code, Right.EXPORT)))


class ExportFileDetail(View):
    scopes: ClassVar = {"GET": "export"}

    @extend_schema(
        parameters=[
            OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="bytes=FIRST-LAST, to resume"),
            OpenApiParameter("If-Range", str, OpenApiParameter.HEADER, description="The ETag that the range is of"),
            OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER, description="The ETag that you have"),
        ],
        responses={
            (200, "*/*"): OpenApiTypes.BINARY,
            (206, "*/*"): OpenApiTypes.BINARY,
            304: OpenApiResponse(description="You have it"),
        },
    )
    def get(self, request: Request, code: str, name: str) -> HttpResponseBase:
        """The file's bytes. ETag is its sha256, Range resumes, gzip if Accept-Encoding says so."""
        export = self.owned(_rows(), code, Right.EXPORT)
        return serve(request, ExportFile.objects.filter(export=export, name=name).first())
