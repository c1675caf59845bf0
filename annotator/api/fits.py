"""The posterior's parameters, fitted to a project's own evidence."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotator import fitting
from annotator.api.base import View
from annotator.api.shapes import Accepted, FitShape
from annotator.models import Fit, WorkState
from annotator.permissions import Right


def shown(fit: Fit) -> dict[str, Any]:
    return {
        "code": fit.code,
        "state": fit.state,
        "detail": fit.detail,
        "in_force": fit.state == WorkState.DONE and fit.superseded_at is None,
        "created_at": fit.created_at,
        "started_at": fit.started_at,
        "ended_at": fit.ended_at,
        "report": {name: value for name, value in fit.report.items() if name != "defaults"},
        "parameters": fit.parameters,
        "defaults": fit.report.get("defaults"),
    }


class Fits(View):
    scopes: ClassVar = {"GET": "read", "POST": "manage"}

    @extend_schema(responses=FitShape(many=True), operation_id="fits_list")
    def get(self, request: Request, slug: str) -> Response:
        """Newest first; at most one is in force."""
        rows = Fit.objects.filter(project=self.project(slug, Right.VIEW))
        return self.page(request, rows, lambda found: [shown(fit) for fit in found])

    @extend_schema(request=None, responses={202: Accepted})
    def post(self, request: Request, slug: str) -> Response:
        """Fit to what is known now; the one that is under way is given again. Then every solution is decided again."""
        fit = fitting.request(self.project(slug, Right.MANAGE), self.person)
        return Response({"code": fit.code}, status=202)


class FitDetail(View):
    scopes: ClassVar = {"GET": "read"}

    @extend_schema(responses=FitShape)
    def get(self, request: Request, code: str) -> Response:
        """How far it is; once it is done, what it rested on, what it gained, and the parameters beside the defaults."""
        return Response(shown(self.owned(Fit.objects.select_related("project"), code, Right.VIEW)))
