"""What ratings say of the first error, and what they do not."""

from __future__ import annotations

import pytest

from annotator.models import AssignmentState
from annotator.opinions import Opinion, opinions_of
from reasoning.types import PersonRating
from tests import factories as make

pytestmark = pytest.mark.django_db


def opinion(*ratings: str, finish_reason: str = "") -> Opinion:
    solution = make.make_solution(steps=5)
    make.make_annotation(solution, make.make_rater(), *ratings, finish_reason=finish_reason)
    return opinions_of([solution])[solution.pk][0]


@pytest.mark.parametrize(
    ("ratings", "finish_reason", "first_error", "conclusive", "evidence"),
    [
        (["1", "1", "-1"], "", 2, True, (2, 3)),
        (["1", "1", "-1", "-1", "unsure"], "", 2, True, (2, 3)),
        (["1", "0", "1", "1", "1"], "", -1, True, (-1, 5)),
        (["", "", "1", "-1"], "", 3, True, (3, 4)),
        (["", "", "1", "1"], "", -1, True, (-1, 4)),
        (["1", "unsure", "-1"], "", None, False, (-1, 1)),
        (["unsure", "1", "1", "1", "1"], "", None, False, None),
        (["1", "1"], "give_up", None, False, None),
        (["1", "-1"], "bad_problem", None, True, None),
    ],
)
def test_an_opinion_is_read_off_the_ratings(
    ratings: list[str],
    finish_reason: str,
    first_error: int | None,
    conclusive: bool,
    evidence: tuple[int, int] | None,
) -> None:
    said = opinion(*ratings, finish_reason=finish_reason)
    assert (said.first_error, said.conclusive) == (first_error, conclusive)
    expected = PersonRating(said.annotation.rater.code, *evidence) if evidence else None
    assert said.as_evidence() == expected


def test_values_end_with_the_first_error() -> None:
    assert opinion("1", "0", "-1", "1", "-1").values == {0: 1, 1: 0, 2: -1}


def test_returned_and_superseded_work_is_not_read() -> None:
    solution = make.make_solution()
    returned, superseded = (make.make_annotation(solution, make.make_rater(), "1", "-1") for _ in range(2))
    assert returned.assignment is not None
    returned.assignment.state = AssignmentState.OPEN
    returned.assignment.save()
    type(superseded).objects.filter(pk=superseded.pk).update(superseded_at=superseded.created_at)
    assert solution.pk not in opinions_of([solution])
