"""What people handed in, for a second person to accept or to return; and what was returned, for whoever made it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from annotator.history import name_of
from annotator.models import Annotation, Assignment, AssignmentState, Rater, Review, Solution
from annotator.submissions import ADJUDICATION
from reasoning.characters import unescape


@dataclass(frozen=True, slots=True)
class Reviewable:
    """One person's standing work on a solution, with what was said of it."""

    annotation: Annotation
    who: str
    reviews: Sequence[Review]
    open: bool
    """May this reviewer still accept or return it?"""


def standing(solution: Solution, reviewer: Rater) -> list[Reviewable]:
    """Work on the solution that counts, oldest first; three queries."""
    rows = Annotation.objects.filter(solution=solution, superseded_at=None, assignment__state=AssignmentState.SUBMITTED)
    rows = rows.exclude(purpose=ADJUDICATION).select_related("rater__person").prefetch_related("reviews", "rating_rows")
    found = []
    for row in rows.order_by("pk"):
        said = list(row.reviews.all())
        mine = row.rater_id == reviewer.pk or any(review.reviewer_id == reviewer.pk for review in said)
        found.append(Reviewable(row, name_of(row), said, not mine))
    return found


def returned_because(assignment: Assignment) -> str | None:
    """The comment with which a reviewer gave this work back; None where it was not given back."""
    if assignment.state != AssignmentState.OPEN:
        return None
    review = Review.objects.filter(annotation__assignment=assignment, accepted=False).order_by("-pk").first()
    return unescape(review.comment) if review else None
