"""What each person said of each solution, boiled down to a first error."""

from __future__ import annotations

from typing import NamedTuple

from django.db.models import Min, Q

from annotator.models import Annotation, FinishReason, Project, Solution
from reasoning.types import NO_ERROR


class Reading(NamedTuple):
    """One current annotation."""

    annotation: int
    solution: int
    steps: int
    rater: int
    purpose: str
    finish_reason: str
    seconds: float
    first_error: int | None
    """0-based, −1 none; None where they gave up or called the problem faulty."""


def readings(project: Project) -> list[Reading]:
    """All current annotations of live solutions, oldest first."""
    live = Solution.objects.live().filter(project=project)
    made = Annotation.objects.filter(solution__in=live, superseded_at=None).order_by("pk")
    rows = made.annotate(bad=Min("rating_rows__index", filter=Q(rating_rows__rating="-1"))).values_list(
        "pk", "solution", "solution__step_count", "rater", "purpose", "finish_reason", "seconds", "bad"
    )
    return [Reading(*row[:-1], first_error_of(row[5], row[-1])) for row in rows]


def first_error_of(finish_reason: str, bad: int | None) -> int | None:
    """From why somebody ended and the first step they called bad."""
    if finish_reason == FinishReason.FOUND_ERROR:
        return bad
    return NO_ERROR if finish_reason == FinishReason.SOLUTION else None
