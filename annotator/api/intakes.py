"""Files in."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotator import intake
from annotator.api.base import View
from annotator.api.bodies import Untouched, pieces
from annotator.api.shapes import Begun, IntakeRowShape, IntakeShape, begun
from annotator.intake.options import AS as LABELS_AS
from annotator.intake.options import CONTAINERS
from annotator.models import Intake
from annotator.permissions import Right
from reasoning.characters import unescape
from reasoning.steps import SPLITTERS

REFUSALS_SHOWN: Final = 200
"""`counts.refused` says how many there are."""


def summary(row: Intake) -> dict[str, Any]:
    return {
        **begun(row.code),
        "name": row.name,
        "format": row.format,
        "state": row.state,
        "detail": row.detail,
        "counts": {"read": row.rows_read, "new": row.rows_new, "known": row.rows_known, "refused": row.rows_refused},
        "withdrawn": row.withdrawn_at is not None,
    }


def shown(row: Intake) -> dict[str, Any]:
    refusals = [
        {"line": each.line, "field": each.field, "reason": unescape(each.reason), "excerpt": unescape(each.excerpt)}
        for each in row.refusals.all()[:REFUSALS_SHOWN]
    ]
    return summary(row) | {"refusals": refusals}


class Intakes(View):
    scopes: ClassVar = {"GET": "read", "POST": "intake"}
    parser_classes = (Untouched,)

    @extend_schema(responses=IntakeRowShape(many=True), operation_id="intakes_list")
    def get(self, request: Request, slug: str) -> Response:
        """What was read in, newest first; refusals are in each intake's own call."""
        rows = Intake.objects.filter(project=self.project(slug, Right.VIEW))
        return self.page(request, rows, lambda found: [summary(row) for row in found])

    @extend_schema(
        parameters=[
            OpenApiParameter("format", str, required=True, enum=sorted(intake.FORMATS)),
            OpenApiParameter("name", str, description="What the file is called in lists"),
            OpenApiParameter("source", str, description="Source of rows that name none"),
            OpenApiParameter(
                "splitter", str, enum=["auto", *SPLITTERS], description="How a text without steps is split"
            ),
            OpenApiParameter("as", str, enum=LABELS_AS, description="Keep labels that come along as evidence only"),
            OpenApiParameter("container", str, enum=CONTAINERS, description="Found out from the file's first bytes"),
            OpenApiParameter("model", str, description="Whose scores they are, where rows of scores do not say"),
            OpenApiParameter("annotators_are_people", bool, description="One key is one person in all rows"),
        ],
        request={"*/*": OpenApiTypes.BINARY},
        responses={202: Begun},
    )
    def post(self, request: Request, slug: str) -> Response:
        """Send the raw file as the body. It is kept, then read by a worker: see `/intakes/{id}/`."""
        project = self.project(slug, Right.MANAGE)
        options = {key: value for key, value in request.query_params.items() if key not in {"format", "name"}}
        row = intake.receive(
            project,
            pieces(request),
            format=request.query_params.get("format", ""),
            options=options,
            person=self.person,
            name=request.query_params.get("name", ""),
        )
        return Response(begun(row.code), status=202)


class IntakeDetail(View):
    scopes: ClassVar = {"GET": "read"}

    @extend_schema(responses=IntakeShape)
    def get(self, request: Request, code: str) -> Response:
        """How far it is, what it brought, and the first refusals with line, field and reason."""
        return Response(shown(self.owned(Intake.objects.select_related("project"), code, Right.VIEW)))


class IntakeWithdrawal(View):
    scopes: ClassVar = {"POST": "manage"}

    @extend_schema(request=None, responses=IntakeShape)
    def post(self, request: Request, code: str) -> Response:
        """Take back everything that this intake brought; logged."""
        row = self.owned(Intake.objects.select_related("project"), code, Right.MANAGE)
        return Response(shown(intake.withdraw(row, self.person)))
