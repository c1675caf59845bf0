"""Solutions with everything that is known of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db.models import Count, QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotator import beliefs, sightings
from annotator.api.base import View
from annotator.api.shapes import SolutionShape
from annotator.errors import Invalid
from annotator.models import (
    Annotation,
    Judgement,
    Label,
    Person,
    Posterior,
    Rollout,
    Score,
    Settlement,
    Solution,
    SolutionStatus,
    StandIn,
)
from annotator.permissions import Right
from reasoning import types
from reasoning.characters import unescape


def shown(rows: Sequence[Solution], person: Person) -> list[dict[str, Any]]:
    """What this person may be shown, which is noted; a few queries for a whole page."""
    withheld = sightings.withheld(person, rows)
    ids = [row.pk for row in rows]
    current = {"solution__in": [pk for pk in ids if pk not in withheld], "superseded_at": None}
    posteriors = {row.solution_id: row for row in Posterior.objects.filter(**current)}
    unanswered = [row.problem_id for row in rows if row.problem.answer is None]
    stand_ins = {row.problem_id: row for row in StandIn.objects.filter(problem__in=unanswered, superseded_at=None)}
    settlements = {row.solution_id: row for row in Settlement.objects.filter(**current)}
    labels: dict[int, list[Label]] = {}
    for label in Label.objects.filter(**current).order_by("index"):
        labels.setdefault(label.solution_id, []).append(label)
    sightings.note(person, [row for row in rows if row.pk in posteriors])
    counts = {
        "judgements": _count(Judgement.objects.filter(solution__in=ids)),
        "rollouts": _count(Rollout.objects.filter(solution__in=ids)),
        "scores": _count(Score.objects.standing().filter(solution__in=ids)),
        "annotations": _count(Annotation.objects.filter(solution__in=ids, superseded_at=None)),
    }
    return [
        _one(row)
        | {
            "posterior": _posterior(posteriors.get(row.pk)),
            "stand_in": _stand_in(stand_ins.get(row.problem_id) if row.pk not in withheld else None),
            "settlement": _settlement(settlements.get(row.pk)),
            "labels": [_label(label) for label in labels.get(row.pk, [])],
            "withheld": withheld.get(row.pk, ""),
            "evidence": {name: count.get(row.pk, 0) for name, count in counts.items()},
        }
        for row in rows
    ]


def _count(rows: QuerySet[Any]) -> dict[int, int]:
    """How many rows there are of each solution."""
    return dict(rows.order_by().values_list("solution_id").annotate(Count("pk")))


def _one(row: Solution) -> dict[str, Any]:
    value = beliefs.solution_value(row)
    return {
        "code": row.code,
        "source": row.source,
        "source_id": row.source_id,
        "generator": row.generator,
        "status": row.status,
        "withdrawn": row.withdrawn_at is not None,
        "problem": {
            "code": row.problem.code,
            "statement": value.problem.statement,
            "answer": value.problem.answer,
        },
        "forked_from": row.forked_from.code if row.forked_from else None,
        "forked_at": row.forked_at,
        "steps": [{"index": s.index, "text": s.text, "start": s.start, "end": s.end} for s in value.steps],
    }


def _posterior(row: Posterior | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {
        "probabilities": row.probabilities,
        "p_correct": types.Posterior(tuple(row.probabilities)).p_correct,
        "certainty": row.certainty,
        "first_error": row.first_error,
        "simulated": row.simulated,
        "stand_in": row.stand_in_id is not None,
    }


def _stand_in(row: StandIn | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {
        "answer": unescape(row.answer),
        "votes": row.votes,
        "total": row.total,
        "models": row.drawn_by,
        "simulated": row.simulated,
        "created_at": row.created_at,
    }


def _settlement(row: Settlement | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {
        "first_error": row.first_error,
        "source": row.source,
        "provisional": row.provisional,
        "simulated": row.simulated,
        "stand_in": row.stand_in_id is not None,
    }


def _label(row: Label) -> dict[str, Any]:
    return {
        "index": row.index,
        "value": row.value,
        "source": row.source,
        "provisional": row.provisional,
        "p_correct": row.p_correct,
    }


class Solutions(View):
    scopes: ClassVar = {"GET": "read"}

    @extend_schema(
        parameters=[
            OpenApiParameter("status", str, enum=SolutionStatus.values),
        ],
        responses=SolutionShape(many=True),
        operation_id="solutions_list",
    )
    def get(self, request: Request, slug: str) -> Response:
        """Solutions with steps, posterior, labels and evidence counts, newest first."""
        project = self.project(slug, Right.VIEW)
        rows = Solution.objects.live().filter(project=project).select_related("problem", "forked_from")
        if status := request.query_params.get("status"):
            if status not in SolutionStatus.values:
                raise Invalid("status", f"{status!r} is not one of {', '.join(SolutionStatus.values)}")
            rows = rows.filter(status=status)
        return self.page(request, rows.prefetch_related("step_rows"), lambda found: shown(found, self.person))


class SolutionDetail(View):
    scopes: ClassVar = {"GET": "read"}

    @extend_schema(responses=SolutionShape)
    def get(self, request: Request, code: str) -> Response:
        """One solution, withdrawn ones too."""
        rows = Solution.objects.select_related("project", "problem", "forked_from").prefetch_related("step_rows")
        return Response(shown([self.owned(rows, code, Right.VIEW)], self.person)[0])
