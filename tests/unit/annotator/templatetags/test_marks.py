"""Ratings have one word each; probabilities become geometry inside the frame."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.templatetags.marks import probability, rating_class, rating_word, shares, sparkline

chances = st.floats(0, 1)


@pytest.mark.parametrize(
    ("rating", "word"),
    [
        ("-1", "bad"), (-1, "bad"), (0, "neutral"), ("1", "good"), ("unsure", "unsure"),
        ("", "not rated"), ("not-asked", "not asked"), ("after", "after the first error"), ("nonsense", "not rated"),
    ],
)  # fmt: skip
def test_each_state_has_a_word_of_its_own(rating: object, word: str) -> None:
    assert rating_word(rating) == word


def test_no_two_states_look_alike() -> None:
    states = ["-1", "0", "1", "unsure", "unrated", "not-asked", "after"]
    assert len({rating_class(state) for state in states}) == len(states)


@given(chances, chances, chances)
def test_bars_stay_inside(value: float, low: float, high: float) -> None:
    low, high = sorted((low, high))
    drawn = probability(value, low, high)
    assert 0 <= float(drawn["width"]) <= 100
    assert float(drawn["band"]["x"]) + float(drawn["band"]["width"]) <= 100.2


@given(st.lists(chances, min_size=1, max_size=60))
def test_sparklines_name_their_peak(values: list[float]) -> None:
    drawn = sparkline(values)
    assert all(0 <= float(bar["y"]) <= 24 for bar in drawn["bars"])
    peak = max(range(len(values)), key=values.__getitem__)
    assert ("no error" in drawn["words"]) == (peak == len(values) - 1)


def test_shares_of_nothing_are_empty() -> None:
    assert [part["width"] for part in shares("none", 0, 0, 0)["parts"]] == ["0.0", "0.0"]
