"""The final answer in a text, or None; one spelling of an answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasoning.answers import find, reference
from reasoning.spelling import normalise

TEXTS = Path(__file__).parents[2] / "fixtures" / "answers_in_texts.jsonl"
DATA = Path(__file__).parents[4] / "shared" / "data"
latex = st.lists(
    st.sampled_from(["$", "\\", "{", "}", "\\frac", "\\text{", "\\boxed{", "\\!", "\\,", " ", "1", "x", "½", "²", "−", ".", "**", "\\left", "^\\circ", "%"]),  # noqa: E501
    max_size=20,
).map("".join)  # fmt: skip


@pytest.mark.parametrize("row", [json.loads(line) for line in TEXTS.read_text(encoding="utf-8").splitlines()])
def test_texts_that_the_rules_had_not_seen_yield_their_answer_or_none(row: dict[str, str | None]) -> None:
    assert row["text"] is not None
    assert find(row["text"]) == row["answer"]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"So \boxed{\frac{1}{2}} it is.", r"\frac{1}{2}"),
        (r"\boxed{1} then \boxed{2}", "2"),
        (r"\boxed{\boxed{7}}", "7"),
        (r"\boxed{\{1, 2\}}", r"\{1, 2\}"),
        (r"\boxed{3} and an open \boxed{4", "3"),
        ("48/2=24\n#### 72", "72"),
        ("The answer is: 85", "85"),
        ("So the answer is (C)", "(C)"),
        ("So the answer is (C).", "(C)"),
        ("the final answer is $\\frac{3}{4}$.", r"\frac{3}{4}"),
        ("Final Answer: The final answer is 6. I hope it is correct.", "6"),
        ("Final Answer: The probability is 1/4.", "1/4"),
        ("Answer: **42**", "42"),
        ("**Answer:** 42", "42"),
        ("# Answer\n\n\\frac{14}{3}", r"\frac{14}{3}"),
        ("<think>x</think>\n<answer> 1838 </answer>", "1838"),
        ("A: 25", "25"),
        ("Solution: Choice\\_D", "Choice\\_D"),
        ("We conclude. Solution: Choice B", "Choice B"),
        ("FINAL ANSWER: Ethan Zohn\nRUN.SH COMPLETE", "Ethan Zohn"),
        ("a lot of text\n 66.60", "66.60"),
        ("text\n**12**", "12"),
        ("text\n$x = 4$", "x = 4"),
        ("text\n(B)", "(B)"),
        ("so\nThe value of x is 30.", "30"),
        ("The answer is 12 because 3 * 4 = 12", "12"),
        ("The answer is correct.\nThe answer is 9", "9"),
        ("The answer is 9. The answer is correct.", "9"),
        ("The answer is 3 apples.", "3 apples"),
        ("The answer is $3$ apples.", "$3$ apples"),
        ("The answer is $$5$$", "5"),
    ],
)
def test_a_marked_answer_is_found(text: str, answer: str) -> None:
    assert find(text) == answer


@pytest.mark.parametrize(
    "text",
    ["", "   ", "Let's think step by step.", "So she has 12 left.", "The answer is correct.", "The answer is not 5", "Answer: None",  # noqa: E501
     "print(total)", "<answer></answer>", "\\boxed{}", "\\boxed{4", "The answer is: the following:", "a\n" + "9" * 500,
     "The answer is " + "very long " * 60],
)  # fmt: skip
def test_what_marks_no_answer_has_none(text: str) -> None:
    assert find(text) is None


@given(st.one_of(st.text(), latex))
def test_find_never_raises_and_gives_a_trimmed_part_of_the_text(text: str) -> None:
    answer = find(text)
    assert answer is None or (answer in text and answer == answer.strip() != "")


@pytest.mark.parametrize("unit", ["\\boxed{", "#### ", "the answer is ", "<answer>", "{", "Answer: ", "answer:\n"])
def test_find_ends_on_long_texts(unit: str) -> None:
    find(unit * (300_000 // len(unit)))


@pytest.mark.parametrize(
    ("field", "solution", "expected"),
    [
        (18, None, "18"),
        (0.5, None, "0.5"),
        (True, None, None),
        (None, None, None),
        ("18", None, "18"),
        (" x=5 ", None, "x=5"),
        ("He had 9.\nSo 9 * 2 = 18.\n#### 18", None, "18"),
        ("Let's think step by step.", None, None),
        ("Let's think step by step.", "…\nThe value of x is 30.", "30"),
        ("Mr. Jackson wants to give each student 2 glue sticks.", None, None),
        ("", "#### 4", "4"),
        ("N/A", None, None),
        ("Muscle Headz Gym\nAvea Pilates", None, "Muscle Headz Gym\nAvea Pilates"),
        ("\n".join("abcdefghijk"), None, None),
    ],
)
def test_the_reference_comes_from_messy_fields(field: object, solution: str | None, expected: str | None) -> None:
    assert reference(field, solution) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"\dfrac{1}{2}.", r"\frac{1}{2}"),
        (r"$40,\!000$", "40,000"),
        (r"\boxed{\text{east}}", "east"),
        (r"106^{\circ}", "106°"),
        (r"\$\,5", "$ 5"),
        ("x²", "x^{2}"),
        ("2½", r"2 \frac{1}{2}"),
        (r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}", r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}"),
        ("1, 2, ...", "1, 2, ..."),
        (" " + "7" * 20_001 + " ", "7" * 20_001),
        (r"\boxed{1}+\boxed{2}", r"\boxed{1}+\boxed{2}"),
    ],
)
def test_normalise_settles_spelling_and_keeps_meaning(text: str, expected: str) -> None:
    assert normalise(text) == expected


def test_normalise_gives_up_on_boxes_without_end() -> None:
    assert normalise("\\boxed{" * 70 + "5" + "}" * 70).count("boxed") == 6


@given(st.one_of(st.text(), latex))
def test_normalise_is_idempotent(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


LEAST_FOUND = {
    "agentprocessbench": 0.99, "bigbench_mistake": 0.99, "gsm8k_solutions_unlabelled": 0.99, "mr_ben": 0.89, "mr_gsm8k": 0.90,  # noqa: E501
    "mr_math_invalid": 0.86, "processbench": 0.89, "stepverify": 0.99,
}  # fmt: skip


@pytest.mark.skipif(not DATA.exists(), reason="shared data is not here")
@pytest.mark.parametrize("name", LEAST_FOUND)
def test_most_real_solutions_show_an_answer(name: str) -> None:
    rows = [json.loads(line) for line in (DATA / f"{name}.public.jsonl").read_text(encoding="utf-8").splitlines()]
    found = sum(find("\n\n".join(row["steps"])) is not None for row in rows)
    assert found / len(rows) >= LEAST_FOUND[name]


@pytest.mark.skipif(not DATA.exists(), reason="shared data is not here")
def test_every_mr_gsm8k_row_has_a_reference_answer() -> None:
    rows = [json.loads(line) for line in (DATA / "mr_gsm8k.public.jsonl").read_text(encoding="utf-8").splitlines()]
    assert all(reference(row["answer"], row["meta"]["reference_solution"]) is not None for row in rows)
    assert [row["answer"] for row in rows if row["answer"].startswith("Let's")]
    assert reference("Let's think step by step.") is None
