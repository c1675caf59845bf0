"""What each person said of each solution, boiled down to a first error."""

from __future__ import annotations

from typing import NamedTuple

from django.db.models import Min, Q

from annotator.models import Annotation, AssignmentState, FinishReason, Project, Solution
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
    """0-based, −1 none; None where they gave up, called the problem faulty, or were unsure of a step before it."""


def readings(project: Project) -> list[Reading]:
    """All work that stands on live solutions, oldest first: not superseded, and not returned by a reviewer."""
    live = Solution.objects.live().filter(project=project)
    stands = Q(assignment=None) | Q(assignment__state=AssignmentState.SUBMITTED)
    made = Annotation.objects.filter(stands, solution__in=live, superseded_at=None).order_by("pk")
    rows = made.annotate(
        bad=Min("rating_rows__index", filter=Q(rating_rows__rating="-1")),
        unsure=Min("rating_rows__index", filter=Q(rating_rows__rating="unsure")),
    ).values_list(
        "pk", "solution", "solution__step_count", "rater", "purpose", "finish_reason", "seconds", "bad", "unsure"
    )
    return [Reading(*row[:-2], first_error_of(row[5], *row[-2:])) for row in rows]


def first_error_of(finish_reason: str, bad: int | None, unsure: int | None = None) -> int | None:
    """From why somebody ended, the first step they called bad and the first that they were unsure of.

    A doubt before it leaves the first error open, as in settlement: unsure carries no evidence.
    """
    if unsure is not None and (bad is None or unsure < bad):
        return None
    if finish_reason == FinishReason.FOUND_ERROR:
        return bad
    return NO_ERROR if finish_reason == FinishReason.SOLUTION else None
