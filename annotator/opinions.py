"""What people say of a solution, read off their ratings.

Only work that stands is read: submitted, not superseded, and not returned by a reviewer (a returned assignment is open
again). *Unsure* and *unrated* are not opinions; what was rated after the first error is kept, and nobody reads it here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from annotator.models import Annotation, AssignmentState, FinishReason, Purpose, Solution
from reasoning.types import NO_ERROR, PersonRating

BAD = "-1"
UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class Opinion:
    """One annotation's ratings, cut after the first −1."""

    annotation: Annotation
    ratings: Mapping[int, str]
    """By step, in order; the last one is the first −1 where there is one."""

    @classmethod
    def of(cls, annotation: Annotation, ratings: Iterable[tuple[int, str]]) -> Opinion:
        kept: dict[int, str] = {}
        for index, rating in sorted(ratings):
            kept[index] = rating
            if rating == BAD:
                break
        return cls(annotation, kept)

    @property
    def bad_problem(self) -> bool:
        return self.annotation.finish_reason == FinishReason.BAD_PROBLEM

    @property
    def conclusive(self) -> bool:
        """Does it say where the first error is, or that the problem is faulty?"""
        if self.bad_problem:
            return True
        return self.annotation.finish_reason != FinishReason.GIVE_UP and UNSURE not in self.ratings.values()

    @property
    def first_error(self) -> int | None:
        """Index of the first step rated −1, NO_ERROR, or None where this opinion leaves it open."""
        if self.bad_problem or not self.conclusive:
            return None
        return next((index for index, rating in self.ratings.items() if rating == BAD), NO_ERROR)

    @property
    def values(self) -> dict[int, int]:
        """The ratings as numbers, up to and with the first error; those left unsure are absent."""
        return {index: int(rating) for index, rating in self.ratings.items() if rating != UNSURE}

    def as_evidence(self) -> PersonRating | None:
        """What this tells about the first error; None where it tells nothing.

        A doubt hides whatever lies behind it: ratings after the first "unsure" say nothing of the *first* error.
        """
        if self.bad_problem or self.annotation.finish_reason == FinishReason.GIVE_UP:
            return None
        through = 0
        for index, rating in self.ratings.items():
            if rating == UNSURE:
                break
            through = index + 1
            if rating == BAD:
                return PersonRating(self.annotation.rater.code, index, through)
        return PersonRating(self.annotation.rater.code, NO_ERROR, through) if through else None


def opinions_of(
    solutions: Sequence[Solution], *, purposes: Sequence[str] = (Purpose.LABEL, Purpose.AUDIT)
) -> dict[int, list[Opinion]]:
    """Standing opinions by solution pk, oldest first; two queries however many solutions."""
    found: dict[int, list[Opinion]] = defaultdict(list)
    annotations = (
        Annotation.objects.filter(
            solution__in=solutions,
            purpose__in=purposes,
            superseded_at=None,
            assignment__state=AssignmentState.SUBMITTED,
        )
        .select_related("rater")
        .prefetch_related("rating_rows")
        .order_by("pk")
    )
    for annotation in annotations:
        ratings = ((row.index, row.rating) for row in annotation.rating_rows.all())
        found[annotation.solution_id].append(Opinion.of(annotation, ratings))
    return found
