"""Pairs of steps that searches found: which of two ways to go on is the better."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotator import beliefs, runs, sightings
from annotator.api.base import View
from annotator.api.shapes import PreferenceShape
from annotator.errors import Invalid
from annotator.models import Person, Preference, Run
from annotator.permissions import Right
from reasoning.characters import unescape


def shown(rows: Sequence[Preference], person: Person) -> list[dict[str, Any]]:
    """Those that this person may be shown, which is noted: a pair says what machines think of its solution."""
    withheld = sightings.withheld(person, [row.solution for row in rows])
    open_rows = [row for row in rows if row.solution_id not in withheld]
    sightings.note(person, [row.solution for row in open_rows])
    return [_one(row) for row in open_rows]


def _one(row: Preference) -> dict[str, Any]:
    value = beliefs.solution_value(row.solution)
    return {
        "code": row.code,
        "run": row.run.code,
        "problem": {
            "code": row.solution.problem.code,
            "statement": value.problem.statement,
            "answer": value.problem.answer,
        },
        "solution": row.solution.code,
        "prefix": row.prefix,
        "steps": [step.text for step in value.steps[: row.prefix]],
        "chosen": unescape(row.chosen),
        "rejected": unescape(row.rejected),
        "chosen_value": row.chosen_value,
        "rejected_value": row.rejected_value,
        "simulated": row.simulated,
        "stand_in": row.stand_in_id is not None,
    }


class Preferences(View):
    scopes: ClassVar = {"GET": "read"}

    @extend_schema(
        parameters=[OpenApiParameter("run", str, description="Only the pairs that this search run found")],
        responses=PreferenceShape(many=True),
        operation_id="preferences_list",
    )
    def get(self, request: Request, slug: str) -> Response:
        """Pairs of steps, newest first: both follow the same steps of the same problem, and one is the better.

        Absent are those of solutions of which it is hidden from you for now what machines say.
        """
        project = self.project(slug, Right.VIEW)
        rows = runs.preferences_of(project.pk).select_related("run", "solution__problem")
        if code := request.query_params.get("run"):
            run = Run.objects.filter(project=project, code=code).first()
            if run is None:
                raise Invalid("run", "is no run of this project")
            rows = rows.filter(run=run)
        rows = rows.prefetch_related("solution__step_rows")
        return self.page(request, rows, lambda found: shown(found, self.person))
