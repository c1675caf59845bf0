from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.errors import Invalid
from annotator.exports import FORMATS, Choices
from annotator.exports.choices import parse_split
from annotator.exports.items import Item, Settled
from annotator.exports.resolve import LeftOut, labels_of
from annotator.exports.splits import normalised, part_of


def choices(format: str = "trl", **given: Any) -> Choices:
    return Choices.parse(given, FORMATS[format].defaults, FORMATS[format].allowed)


def item(*labels: int | None, first_error: int | None = -1, source: str = "human", provisional: bool = False) -> Item:
    values = {index: label for index, label in enumerate(labels) if label is not None}
    return Item(1, "code", len(labels), Settled(source, provisional, first_error, "", False, values))


def resolved(found: Item, format: str = "native", **given: Any) -> Any:
    try:
        return labels_of(found, choices(format, **given))
    except LeftOut as reason:
        return str(reason)


# --- what may be chosen


def test_the_defaults_are_the_promised_ones() -> None:
    asked = choices()
    assert (asked.neutral, asked.after_error, asked.min_source) == ("positive", "drop", "machine")
    assert asked.split == (("train", 1.0),)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"neutral": "maybe"}, "neutral"),
        ({"after_error": "mask"}, "after_error"),
        ({"min_source": "oracle"}, "min_source"),
        ({"min_source": 3}, "min_source"),
        ({"neutral": ["positive"]}, "neutral"),
        ({"provisional": "perhaps"}, "provisional"),
        ({"provisional": True, "min_source": "human"}, "provisional"),
        ({"split": "train=0.5,test=0.4"}, "split"),
        ({"split": {"Train Set": 1}}, "split"),
        ({"split": {"../x": 1}}, "split"),
        ({"split": {"train": "most"}}, "split.train"),
        ({"split": 1.5}, "split"),
        ({"split": float("nan")}, "split"),
    ],
)
def test_what_is_no_choice_is_refused_by_name(given: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        choices(**given)
    assert caught.value.field == field


def test_provisional_is_a_weaker_source_in_other_words() -> None:
    assert choices(provisional="true") == choices(min_source="provisional")
    assert choices(provisional=False) == choices()


def test_what_is_stored_is_what_was_chosen() -> None:
    asked = choices(split={"test": 0.25, "train": 0.75}, neutral="negative", provisional=True)
    assert choices(**asked.as_json()) == asked
    # The database gives the keys back in an order of its own.
    back = dict(reversed(asked.as_json().items())) | {"split": {"test": 0.25, "train": 0.75}}
    assert choices(**back).digest(1) == asked.digest(1)
    assert asked.digest(1) != asked.digest(2) != choices().digest(2)


def test_a_split_is_written_in_three_ways() -> None:
    parts = (("train", 0.9), ("test", 0.1))
    assert parse_split("test=0.1,train=0.9") == parse_split({"test": 0.1, "train": 0.9}) == parse_split(0.1) == parts
    assert parse_split(None) == parse_split("none") == (("train", 1.0),)


# --- what it does to labels


def test_steps_after_the_first_error() -> None:
    found = item(1, -1, 1, None, 0, first_error=1)
    assert resolved(found, after_error="drop") == [1, -1]
    assert resolved(found, after_error="negative") == [1, -1, -1, -1, -1]
    assert resolved(found, after_error="mask") == [1, -1, None, None, None]
    assert resolved(found, after_error="keep") == [1, -1, 1, None, 0]


def test_a_neutral_step() -> None:
    found = item(1, 0, 1)
    assert resolved(found, neutral="keep") == [1, 0, 1]
    assert resolved(found, neutral="positive") == [1, 1, 1]
    assert resolved(found, neutral="negative") == [1, -1, 1]
    assert resolved(found, neutral="drop") == "a step is neutral"


def test_a_step_that_nobody_rated_before_the_first_error() -> None:
    found = item(1, None, -1, first_error=2)
    assert resolved(found, unrated="keep") == [1, None, -1]
    assert resolved(found, unrated="positive") == [1, 1, -1]
    assert resolved(found, unrated="drop") == "a step before the first error was not rated"


def test_weak_and_missing_labels_are_left_out_with_their_reason() -> None:
    provisional = item(1, source="machine", provisional=True)
    assert resolved(provisional) == "provisional machine labels, left out unless asked for"
    assert resolved(provisional, provisional=True) == [1]
    assert resolved(item(1, source="imported"), min_source="human") == "imported labels, weaker than asked for"
    assert resolved(item(1, source="gold"), min_source="gold") == [1]
    assert resolved(Item(1, "code", 1, None)) == "not labelled"
    assert resolved(item(None, first_error=None)) == "settled without a first error"
    assert resolved(Item(1, "code", 1, None), unlabelled="keep") is None


def test_the_sources_are_ordered_as_promised() -> None:
    order = ["machine", "imported", "human", "adjudicated", "gold"]
    for weakest, name in enumerate(order):
        goes_out = [resolved(item(1, source=source), min_source=name) == [1] for source in order]
        assert goes_out == [rank >= weakest for rank in range(5)]


@given(
    labels=st.lists(st.sampled_from([1, 0, None]), max_size=6),
    wrong=st.booleans(),
    after=st.lists(st.sampled_from([1, 0, -1, None]), max_size=4),
    after_error=st.sampled_from(["drop", "negative", "keep"]),
    neutral=st.sampled_from(["positive", "negative", "drop"]),
)
def test_trl_labels_are_whole_and_wrong_first_where_the_solution_is(
    labels: list[int | None], wrong: bool, after: list[int | None], after_error: str, neutral: str
) -> None:
    steps = [*labels, -1, *after] if wrong else [*labels, 1]
    found = item(*steps, first_error=len(labels) if wrong else -1)
    try:
        out = FORMATS["trl"].labels(found, choices("trl", after_error=after_error, neutral=neutral))
    except LeftOut:
        return
    assert out is not None
    assert None not in out
    assert len(out) == (len(labels) + 1 if wrong and after_error == "drop" else len(steps))
    assert (-1 in out) == (wrong or (neutral == "negative" and 0 in labels))


# --- parts


@given(problem=st.text(), extra=st.lists(st.text(), max_size=5))
def test_a_problem_stands_on_one_side_whatever_stands_beside_it(problem: str, extra: list[str]) -> None:
    split = (("train", 0.5), ("test", 0.5))
    before = part_of(problem, split)
    for other in extra:
        part_of(other, split)
    assert part_of(problem, split) == before
    assert part_of(f"  {problem} \n", split) == before


def test_case_space_and_punctuation_make_no_other_problem() -> None:
    assert normalised("What is  X, then?") == normalised("what is x then") == "whatisxthen"
    assert normalised("¿?") != normalised("!!")


@given(st.floats(0, 1))
def test_shares_are_kept_about(share: float) -> None:
    split = parse_split({"train": 1 - share, "test": share})
    parts = [part_of(f"problem {number}", split) for number in range(400)]
    assert abs(parts.count("test") / 400 - share) < 0.15
