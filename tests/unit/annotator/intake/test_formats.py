from __future__ import annotations

import json
from typing import Any

import pytest

from annotator.errors import Invalid
from annotator.intake import FORMATS, guess, preview, reader_of
from annotator.intake.rows import Row, RowRefused
from tests.unit.annotator.intake.rows import jsonl, lines, native, shared


def read(format: str, value: Any) -> list[Row]:
    return list(FORMATS[format].read(value))


def refused(format: str, value: Any) -> RowRefused:
    with pytest.raises(RowRefused) as caught:
        read(format, value)
    return caught.value


def test_an_unknown_format_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(Invalid, match=r"'nativ' is not known; known are bigbench_mistake, .*, native, .*, trl"):
        reader_of("nativ")


# --- native


def test_minus_one_is_none_and_null_is_unknown() -> None:
    told = [read("native", native(first_error=value))[0].first_error for value in (-1, None, ..., 1, 1.0, "1", "-1")]
    assert told == [-1, None, None, 1, 1, 1, -1]


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("problem", ..., "is missing"),
        ("problem", "  ", "is blank"),
        ("problem", 5, "must be text"),
        ("steps", ..., "is missing"),
        ("steps", [], "empty list"),
        ("steps", "a text", "must be a list"),
        ("first_error", 2, "has 2 steps"),
        ("first_error", -2, "is -2"),
        ("first_error", True, "must be a whole number"),
        ("first_error", "N/A", "must be a whole number"),
        ("first_error", 0.5, "must be a whole number"),
        ("step_labels", [1], "1 entries for 2 steps"),
        ("id", ["a"], "must be text or a whole number"),
        ("source", 7, "must be text"),
        ("annotators", [], "must be an object"),
        ("meta", "x", "must be an object"),
    ],
)
def test_a_native_row_that_is_wrong_is_refused_by_field(field: str, value: Any, reason: str) -> None:
    refusal = refused("native", native(**{field: value}))
    assert refusal.field == field
    assert reason in refusal.reason


def test_fields_inside_are_named_by_their_path() -> None:
    assert refused("native", native(steps=["a", 5])).field == "steps[1]"
    assert refused("native", native(step_labels=[1, 2])).field == "step_labels[1]"
    assert refused("native", native(annotators={"a1": {"first_error": 9}})).field == "annotators.a1.first_error"
    assert refused("native", native(meta={"stepwise": {}})).field == "meta.stepwise"
    assert refused("native", ["no object"]).reason == "must be an object, is a list"


def test_solution_id_tells_apart_rows_of_one_id() -> None:
    [first], [second] = (read("native", native("p", solution_id=number)) for number in (1, 2))
    assert (first.source_id, second.source_id) == ("p#1", "p#2")


# --- ProcessBench


def test_processbench_counts_from_zero_and_keeps_what_it_does_not_know() -> None:
    row = {
        "id": "g-0",
        "generator": "m",
        "problem": "p",
        "steps": ["a", "b"],
        "final_answer_correct": False,
        "label": 1,
    }
    [read_row] = read("processbench", row | {"level": 3})
    assert (read_row.first_error, read_row.own_verdict, read_row.source_id) == (1, False, "g-0")
    assert read_row.meta == {"level": 3}
    assert read("processbench", row | {"label": -1})[0].first_error == -1
    assert read("processbench", row | {"label": None})[0].first_error is None
    assert refused("processbench", row | {"label": 2}).field == "label"


def test_every_row_of_the_real_processbench_file_is_read() -> None:
    rows = json.loads(shared("raw/processbench.json").read_bytes())
    for row in rows:
        [found] = read("processbench", row)
        assert (found.steps, found.first_error) == (row["steps"], row["label"])


# --- TRL


def test_trl_labels_are_true_or_false_and_never_rounded() -> None:
    row = {"prompt": "p", "completions": ["a", "b", "c"], "labels": [True, False, True]}
    [found] = read("trl", row)
    assert (found.step_labels, found.first_error) == ([1, -1, 1], 1)
    assert read("trl", row | {"labels": [1, 1, 1.0]})[0].first_error == -1
    assert refused("trl", row | {"labels": [True, 0.75, True]}).field == "labels[1]"
    assert refused("trl", row | {"labels": [True]}).reason == "has 1 entries for 3 completions"


# --- PRM800K


def step(*completions: tuple[str, int | None], chosen: int | None = None, human: str | None = None) -> dict[str, Any]:
    return {
        "completions": [{"text": text, "rating": rating, "flagged": False} for text, rating in completions],
        "human_completion": None if human is None else {"text": human, "rating": None},
        "chosen_completion": chosen,
    }


def session(*steps: dict[str, Any], finish_reason: str = "solution") -> dict[str, Any]:
    return {
        "labeler": "someone",
        "timestamp": "2022-07-30T23:23:32",
        "generation": None,
        "is_quality_control_question": False,
        "is_initial_screening_question": False,
        "question": {"problem": "p", "ground_truth_answer": "29"},
        "label": {"steps": list(steps), "total_time": 1000, "finish_reason": finish_reason},
    }


def test_the_path_is_what_was_chosen_and_alternatives_end_where_they_stand() -> None:
    rows = read(
        "prm800k", session(step(("a", 1), ("a2", -1), chosen=0), step(("b", 0), ("b2", None), ("b3", 1), chosen=2))
    )
    assert [(row.steps, row.step_labels, row.first_error) for row in rows] == [
        (["a2"], [-1], 0),
        (["a", "b"], [1, 0], -1),
        (["a", "b2"], [1, None], None),
        (["a", "b3"], [1, 1], -1),
    ]
    assert len({row.source_id for row in rows}) == 4
    assert [row.finish_reason for row in rows] == ["", "", "", "solution"]


def test_a_human_step_is_taken_unrated_and_holds_no_error() -> None:
    *others, path = read("prm800k", session(step(("bad", -1), human="good"), step(("c", 1), chosen=0)))
    assert (path.steps, path.step_labels, path.first_error) == (["good", "c"], [None, 1], -1)
    assert path.meta["human_written_steps"] == [0]
    assert [other.first_error for other in others] == [0]


def test_a_session_that_stops_leaves_the_path_so_far() -> None:
    empty = {"completions": None, "human_completion": None, "chosen_completion": None}
    found = session(step(("a", 1), chosen=0), step(("b", -1)), finish_reason="found_error")
    alternative, path = read("prm800k", found)
    assert (alternative.steps, alternative.first_error) == (["a", "b"], 1)
    assert (path.steps, path.first_error, path.meta["partial"], path.finish_reason) == (["a"], -1, True, "")
    [path] = read("prm800k", session(step(("a", 1), chosen=0), empty, finish_reason="give_up"))
    assert path.steps == ["a"]
    assert refused("prm800k", session(empty)).reason == "no step was labelled"


def test_a_session_that_is_wrong_is_refused_by_the_place() -> None:
    assert refused("prm800k", session(step(("a", 2), chosen=0))).field == "label.steps[0].completions[0].rating"
    assert refused("prm800k", session(step(("a", 1), chosen=1))).field == "label.steps[0].chosen_completion"
    assert refused("prm800k", session(finish_reason="bored")).field == "label.finish_reason"
    assert refused("prm800k", {"question": {}}).field == "label"


def test_the_real_prm800k_sessions_give_what_a_hand_count_gives() -> None:
    sessions = lines(shared("raw/prm800k_phase1.jsonl"))
    rows = [read("prm800k", found) for found in sessions]
    assert [len(found) for found in rows] == [10, 5, 7, 7, 7, 1]
    paths = [found[-1] for found in rows]
    assert [path.first_error for path in paths] == [-1] * 6
    assert [len(path.steps or ()) for path in paths] == [6, 6, 5, 7, 8, 12]


# --- guesses


@pytest.mark.parametrize(
    ("row", "name"),
    [
        (native(), "native"),
        ({"id": "x", "generator": "m", "problem": "p", "steps": ["a"], "label": 0}, "processbench"),
        ({"prompt": "p", "completions": ["a"], "labels": [True]}, "trl"),
        (session(step(("a", 1), chosen=0)), "prm800k"),
        ({"something": "else"}, None),
    ],
)
def test_a_format_is_guessed_from_its_first_row(row: dict[str, Any], name: str | None) -> None:
    assert guess(jsonl(row)) == name
    assert guess(json.dumps([row]).encode()) == name


def test_a_preview_shows_rows_and_refusals_without_storing_any() -> None:
    shown = preview(
        jsonl(native("1"), native("2", steps=[]), native("3", steps=..., solution="One.\n\nTwo.")), "native"
    )
    assert [row.steps for row in shown.rows] == [("2 + 3 is 5.", "So the answer is 5."), ("One.", "Two.")]
    assert [(broken.line, broken.field) for broken in shown.refused] == [(2, "steps")]
    assert preview(b"\xff\xfe\x00", "native").problem.startswith("The file is UTF-16")
