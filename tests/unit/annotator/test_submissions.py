"""What may be handed in, and which field is named when it may not."""

from __future__ import annotations

from typing import Any

import pytest

from annotator.errors import Invalid
from annotator.submissions import RatingInput, Submission, check, read_submission


def refused(ratings: dict[int, str], finish_reason: str, *, asked: range | list[int] = range(4), **rest: Any) -> str:
    submission = Submission(tuple(RatingInput(*pair) for pair in ratings.items()), finish_reason, **rest)
    try:
        check(submission, 4, asked)
    except Invalid as error:
        return error.field
    return ""


@pytest.mark.parametrize(
    ("ratings", "finish_reason", "field"),
    [
        ({0: "1", 1: "0", 2: "1", 3: "1"}, "solution", ""),
        ({0: "1", 1: "-1"}, "found_error", ""),
        ({0: "-1", 3: "1"}, "found_error", ""),
        ({0: "1", 1: "unsure", 2: "-1"}, "found_error", ""),
        ({0: "1", 1: "unsure", 2: "1", 3: "1"}, "solution", ""),
        ({}, "give_up", ""),
        ({0: "1"}, "bad_problem", ""),
        ({0: "1", 1: "1", 2: "1", 3: "1"}, "found_error", "finish_reason"),
        ({0: "1", 1: "-1"}, "solution", "finish_reason"),
        ({0: "1", 1: "1"}, "bored", "finish_reason"),
        ({0: "1", 2: "-1"}, "found_error", "ratings"),
        ({0: "1", 1: "1"}, "solution", "ratings"),
        ({4: "1"}, "give_up", "ratings[0].index"),
        ({0: "1", -1: "1"}, "give_up", "ratings[1].index"),
        ({0: "2"}, "give_up", "ratings[0].rating"),
    ],
)
def test_a_submission_is_checked_against_its_finish_reason(
    ratings: dict[int, str], finish_reason: str, field: str
) -> None:
    assert refused(ratings, finish_reason) == field


def test_only_asked_steps_up_to_the_first_error_must_be_rated() -> None:
    assert refused({2: "-1"}, "found_error", asked=[2, 3]) == ""
    assert refused({2: "1"}, "solution", asked=[2, 3]) == "ratings"
    assert refused({1: "-1"}, "found_error", asked=[2, 3]) == ""


def test_a_step_is_rated_once() -> None:
    twice = Submission((RatingInput(0, "1"), RatingInput(0, "1")), "give_up")
    with pytest.raises(Invalid, match=r"ratings\[1\].index: step 0 is rated twice"):
        check(twice, 4, [])


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf")])
def test_time_is_a_number_of_seconds(seconds: float) -> None:
    assert refused({}, "give_up", seconds=seconds) == "seconds"


@pytest.mark.parametrize("rating", [-1, 0, 1, "-1", "0", "1", "unsure"])
def test_ratings_are_read_as_numbers_or_words(rating: int | str) -> None:
    submission = read_submission({"ratings": [{"index": 2, "rating": rating}], "finish_reason": "give_up"})
    assert submission == Submission((RatingInput(2, str(rating)),), "give_up")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], "body"),
        ({}, "ratings"),
        ({"ratings": "all"}, "ratings"),
        ({"ratings": [1]}, "ratings[0]"),
        ({"ratings": [{"index": 0, "rating": 1}, {"rating": 1}]}, "ratings[1].index"),
        ({"ratings": [{"index": True, "rating": 1}]}, "ratings[0].index"),
        ({"ratings": [{"index": "0", "rating": 1}]}, "ratings[0].index"),
        ({"ratings": [{"index": 0}]}, "ratings[0].rating"),
        ({"ratings": [{"index": 0, "rating": True}]}, "ratings[0].rating"),
        ({"ratings": [{"index": 0, "rating": 1.0}]}, "ratings[0].rating"),
        ({"ratings": [{"index": 0, "rating": 1, "reason": 1}]}, "ratings[0].reason"),
        ({"ratings": [{"index": 0, "rating": 1, "correction": []}]}, "ratings[0].correction"),
        ({"ratings": [], "finish_reason": None}, "finish_reason"),
        ({"ratings": [], "comment": 1}, "comment"),
        ({"ratings": [], "seconds": "long"}, "seconds"),
    ],
)
def test_the_first_field_of_the_wrong_type_is_named(body: object, field: str) -> None:
    with pytest.raises(Invalid) as error:
        read_submission(body)
    assert error.value.field == field


def test_the_order_of_ratings_does_not_change_the_hash() -> None:
    one, two = RatingInput(0, "1"), RatingInput(1, "-1", "why")
    same = Submission((one, two), "found_error").hash() == Submission((two, one), "found_error").hash()
    other = Submission((one,), "found_error").hash() == Submission((one, two), "found_error").hash()
    assert (same, other) == (True, False)
