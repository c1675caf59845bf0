"""Machines at work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotator import runs
from annotator.api.asked import RunRequest
from annotator.api.base import View
from annotator.api.shapes import Begun, EstimateShape, RunShape, begun
from annotator.models import Run, RunKind
from annotator.permissions import Right


def shown(run: Run) -> dict[str, Any]:
    return _shown_all([run])[0]


def _shown_all(found: Sequence[Run]) -> list[dict[str, Any]]:
    progress, failures = runs.progress_of(found), runs.failures_of(found)
    yielded = runs.yielded_of([run for run in found if run.kind == RunKind.SEARCH])
    return [_shown(run, progress[run.pk], failures[run.pk], yielded.get(run.pk)) for run in found]


def _shown(
    run: Run, progress: runs.Progress, failures: Sequence[runs.FailureGroup], yielded: runs.Yield | None
) -> dict[str, Any]:
    return {
        **begun(run.code),
        "kind": run.kind,
        "state": run.state,
        "detail": run.detail,
        "endpoint": run.endpoint.name if run.endpoint else None,
        "progress": {
            "total": progress.total,
            "done": progress.done,
            "failed": progress.failed,
            "skipped": progress.skipped,
            "waiting": progress.waiting,
            "per_minute": progress.rate,
            "eta_seconds": progress.eta_seconds,
        },
        "cost": {
            "calls": run.calls,
            "rollouts": run.rollouts,
            "prompt_tokens": run.prompt_tokens,
            "completion_tokens": run.completion_tokens,
            "money": run.cost,
        },
        "yielded": asdict(yielded) if yielded else None,
        "failures": [asdict(group) for group in failures],
        "simulated": bool(run.endpoint and run.endpoint.simulated),
    }


def _asked(request: Request) -> dict[str, Any]:
    shape = RunRequest(data=request.data)
    shape.is_valid(raise_exception=True)
    return dict(shape.validated_data)


class Runs(View):
    scopes: ClassVar = {"GET": "read", "POST": "manage"}

    @extend_schema(responses=RunShape(many=True), operation_id="runs_list")
    def get(self, request: Request, slug: str) -> Response:
        """Newest first."""
        rows = Run.objects.filter(project=self.project(slug, Right.VIEW)).select_related("endpoint")
        return self.page(request, rows, _shown_all)

    @extend_schema(request=RunRequest, responses={202: Begun})
    def post(self, request: Request, slug: str) -> Response:
        """Start a run; without a selection it looks at the solutions that lack its evidence.

        A `search` looks at problems: those of the selected solutions. Where there is nothing to do, the run is `done`
        at once, and its `detail` says why: whoever waits for it need not tell the two apart.
        """
        project = self.project(slug, Right.MANAGE)
        asked = _asked(request)
        run = runs.start(
            project,
            asked["kind"],
            selection=asked.get("selection"),
            config=asked.get("config"),
            person=self.person,
            seed=asked["seed"],
        )
        return Response(begun(run.code), status=202)


class RunEstimate(View):
    scopes: ClassVar = {"POST": "manage"}

    @extend_schema(request=RunRequest, responses=EstimateShape)
    def post(self, request: Request, slug: str) -> Response:
        """What a run would take; nothing is started."""
        project = self.project(slug, Right.MANAGE)
        asked = _asked(request)
        found = runs.estimate(
            project, asked["kind"], asked.get("selection", {}), asked.get("config", {}), asked["seed"]
        )
        return Response(asdict(found))


class RunDetail(View):
    scopes: ClassVar = {"GET": "read"}

    @extend_schema(responses=RunShape)
    def get(self, request: Request, code: str) -> Response:
        """How far it is, what it cost, and what failed, by reason."""
        return Response(shown(self.owned(Run.objects.select_related("project", "endpoint"), code, Right.VIEW)))


class RunMove(View):
    scopes: ClassVar = {"POST": "manage"}
    moves: ClassVar = {"pause": runs.pause, "resume": runs.resume, "cancel": runs.cancel}

    @extend_schema(
        request=None,
        responses=RunShape,
        operation_id="runs_move",
        parameters=[OpenApiParameter("move", str, OpenApiParameter.PATH, enum=["pause", "resume", "cancel"])],
    )
    def post(self, request: Request, code: str, move: str) -> Response:
        """`pause`, `resume` or `cancel` it. 409 where its state does not allow that."""
        run = self.owned(Run.objects.select_related("project", "endpoint"), code, Right.MANAGE)
        return Response(shown(self.moves[move](run, self.person)))
