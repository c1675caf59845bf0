"""Readers of formats beside the main three."""

from __future__ import annotations

import json
from typing import Any

import pytest

from annotator.intake import FORMATS, guess
from annotator.intake.rows import Row, RowRefused
from tests.unit.annotator.intake.rows import jsonl, lines, shared


def read(format: str, value: Any) -> Row:
    [row] = FORMATS[format].read(value)
    return row


def refused(format: str, value: Any) -> str:
    with pytest.raises(RowRefused) as caught:
        read(format, value)
    return caught.value.field


SHEPHERD = {
    "input": "What is 2 + 3? Step 1: 2 + 3 = 5 ки\nStep 2: The answer is: 6 ки",
    "label": "What is 2 + 3? Step 1: 2 + 3 = 5 +\nStep 2: The answer is: 6 -",
    "task": "GSM8K",
}


def test_math_shepherd_is_aligned_by_its_marks() -> None:
    row = read("math_shepherd", SHEPHERD)
    assert row.problem == "What is 2 + 3?"
    assert row.steps == ["Step 1: 2 + 3 = 5", "Step 2: The answer is: 6"]
    assert (row.step_labels, row.first_error, row.source) == ([1, -1], 1, "Math-Shepherd/GSM8K")


def test_math_shepherd_rows_may_say_step_one_twice() -> None:
    text = "In Step 1: of a recipe, count. Step 1: two %s\nStep 1: again %s"
    row = read("math_shepherd", {"input": text % ("ки", "ки"), "label": text % ("-", "+")})
    assert row.problem == "In Step 1: of a recipe, count."
    assert row.steps == ["Step 1: two", "Step 1: again"]
    assert row.first_error == 0


def test_corrupt_math_shepherd_rows_are_refused() -> None:
    assert refused("math_shepherd", SHEPHERD | {"label": SHEPHERD["label"].replace("5", "7")}) == "label"
    assert refused("math_shepherd", SHEPHERD | {"label": SHEPHERD["label"] + " more"}) == "label"
    assert refused("math_shepherd", SHEPHERD | {"label": SHEPHERD["label"][:-1]}) == "label"
    assert refused("math_shepherd", SHEPHERD | {"input": SHEPHERD["input"] + " more"}) == "input"
    assert refused("math_shepherd", {"input": "Step 1: x ки", "label": "Step 1: x +"}) == "input"


def test_the_real_math_shepherd_rows_are_read() -> None:
    rows = [read("math_shepherd", value) for value in lines(shared("raw/math_shepherd.jsonl"))]
    assert [len(row.steps or ()) for row in rows] == [5, 3, 2, 5, 5, 2, 3]
    assert [row.first_error for row in rows] == [4, 0, 0, 0, 1, 0, 0]


def turns(*contents: str) -> dict[str, Any]:
    roles = ("user", "assistant")
    return {"conversations": [{"role": roles[i % 2], "content": content} for i, content in enumerate(contents)]}


def test_rlhflow_conversations() -> None:
    row = read("rlhflow", turns("What is 2 + 3? Step 1: It is 5.", "+", "Step 2: So 6.", "-"))
    assert (row.problem, row.steps) == ("What is 2 + 3?", ["Step 1: It is 5.", "Step 2: So 6."])
    assert (row.step_labels, row.first_error) == ([1, -1], 1)
    assert refused("rlhflow", turns("p Step 1: x", "maybe")) == "conversations[1].content"
    assert refused("rlhflow", turns("p Step 1: x")) == "conversations"
    assert refused("rlhflow", turns("no first step", "+")) == "conversations[0].content"


def test_prmbench_counts_from_one() -> None:
    row = {"idx": "i", "original_question": "p", "modified_process": ["a", "b", "c"], "error_steps": [2, 3, 9]}
    found = read("prmbench", row | {"classification": "circular", "reason": "r"})
    assert (found.step_labels, found.first_error) == ([1, -1, -1], 1)
    assert (found.source, found.source_id) == ("PRMBench/circular", "i")
    assert found.meta["out_of_range_error_steps"] == [9]
    assert read("prmbench", row | {"error_steps": []}).first_error == -1
    assert refused("prmbench", row | {"error_steps": [0, 9]}) == "error_steps"


@pytest.mark.parametrize(
    ("said", "correctness", "first_error"),
    [
        (1, "wrong", 0),
        ("2", "wrong", 1),
        ("N/A", "correct", -1),
        ("N/A", "wrong", None),
        ("", "correct", -1),
        ("b", "", 1),
    ],
)
def test_mr_gsm8k_counts_from_one_and_says_none_in_many_ways(
    said: Any, correctness: str, first_error: int | None
) -> None:
    row = {
        "uuid": "u",
        "question": "p",
        "model_output_steps": ["a", "b"],
        "model_output_solution_first_error_step": said,
        "model_output_solution_correctness": correctness,
        "ground_truth_answer": 5,
    }
    assert read("mr_gsm8k", row).first_error == first_error
    as_mr_ben = {
        "UUID": "u",
        "Question": "p",
        "Model_Solution_Steps": ["a", "b"],
        "Model_Solution_First_Error_Step": said,
        "Model_Solution_Correctness": correctness,
    }
    assert read("mr_gsm8k", as_mr_ben).first_error == first_error


def test_the_real_mr_gsm8k_rows_say_what_their_native_form_says() -> None:
    natives = {row["id"].rpartition("/")[2]: row for row in lines(shared("mr_gsm8k.public.jsonl"))}
    for value in json.loads(shared("raw/mr_gsm8k.json").read_bytes()):
        row = read("mr_gsm8k", value)
        assert row.first_error == natives[row.source_id or ""]["first_error"]


def test_the_real_bigbench_rows_say_what_their_native_form_says() -> None:
    natives = {(row["problem"], *row["steps"]): row for row in lines(shared("bigbench_mistake.public.jsonl"))}
    for value in lines(shared("raw/bigbench_mistake.jsonl")):
        row = read("bigbench_mistake", value)
        native = natives[row.problem, *(row.steps or ())]
        assert (row.first_error, row.answer) == (native["first_error"], native["answer"])


@pytest.mark.parametrize(
    ("row", "name"),
    [
        (SHEPHERD, "math_shepherd"),
        (turns("p Step 1: x", "+"), "rlhflow"),
        ({"modified_process": ["a"], "error_steps": [1]}, "prmbench"),
        ({"question": "p", "model_output_steps": [], "model_output_solution_first_error_step": 1}, "mr_gsm8k"),
        ({"input": "p", "steps": [], "mistake_index": None}, "bigbench_mistake"),
    ],
)
def test_these_formats_are_guessed_too(row: dict[str, Any], name: str) -> None:
    assert guess(jsonl(row)) == name
