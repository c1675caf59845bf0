"""Steps from text, and text from steps, byte for byte."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasoning.errors import InvalidInput
from reasoning.steps import SPLITTERS, join, split
from reasoning.types import Step

DATA = Path(__file__).parents[4] / "shared" / "data"
NAMES = ["auto", *SPLITTERS]

pieces = st.sampled_from(
    ["\n", "\r\n", "\r", "\n\n", " ", "\t", "\f", "\u00a0", "\ufffd", "\x00", "\ud800", "😀", "。", "！", ". ", "! ", "Step 1: ",  # noqa: E501
     "\nStep 2: ", "\n1. ", "\n2. ", "```\n", "~~~", "$$", "\\[", "\\]", "\\begin{align}", "\\end{align}", "\\\\[2pt]", "a", "\\frac", "e.g. "]  # noqa: E501
)  # fmt: skip
nasty_text = st.one_of(st.text(), st.lists(pieces, max_size=40).map("".join))


def assert_faithful(text: str, steps: tuple[Step, ...]) -> None:
    end = 0
    for index, step in enumerate(steps):
        assert step.index == index
        assert step.text == text[step.start : step.end]
        assert step.text.strip() != ""
        gap = text[end : step.start]
        assert gap == "" or gap.isspace()
        assert step.start >= end
        end = step.end
    assert text[end:] == "" or text[end:].isspace()


@pytest.mark.parametrize("name", NAMES)
@given(text=nasty_text)
def test_every_splitter_gives_ordered_steps_with_only_white_space_between(name: str, text: str) -> None:
    assert_faithful(text, split(text, name))


@given(st.lists(st.text()))
def test_given_steps_are_joined_by_a_blank_line_and_all_kept(steps: list[str]) -> None:
    text, placed = join(steps)
    assert [step.text for step in placed] == steps
    assert [text[step.start : step.end] for step in placed] == steps
    assert text == "\n\n".join(steps)


def texts(text: str, name: str = "auto") -> list[str]:
    return [step.text for step in split(text, name)]


def test_an_unknown_splitter_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match="splitter: 'words'"):
        split("a", "words")


def test_an_empty_or_blank_text_has_no_steps() -> None:
    assert split("") == ()
    assert split(" \r\n\f ") == ()


def test_auto_prefers_step_marks_to_blank_lines() -> None:
    text = "Step 1: add.\n\nso 3\nStep 2: halve."
    assert texts(text) == ["Step 1: add.\n\nso 3", "Step 2: halve."]


@pytest.mark.parametrize(
    "text",
    [
        "**Step 1:** a\n**Step 2:** b",
        "### Step 1 - a\n### Step 2 - b",
        "STEP 1\na\nSTEP 2\nb",
        "第1步 a\n第二步 b",
        "步骤1 a\n步骤2 b",
    ],
)
def test_step_marks_come_in_many_dresses(text: str) -> None:
    assert len(split(text, "step_marks")) == 2


def test_a_step_mark_inside_a_line_cuts_nothing() -> None:
    assert texts("As step 1: shows, x = 2", "step_marks") == ["As step 1: shows, x = 2"]


def test_auto_takes_blank_lines_then_numbers_then_lines_then_sentences() -> None:
    assert texts("a\nb\r\n \r\nc") == ["a\nb", "c"]
    assert texts("Intro\n1. one\nmore\n2. two") == ["Intro", "1. one\nmore", "2. two"]
    assert texts("a\nb\rc") == ["a", "b", "c"]
    assert texts("One is odd. Two is even.") == ["One is odd.", "Two is even."]
    assert texts("just one") == ["just one"]


def test_numbers_out_of_turn_are_text() -> None:
    assert texts("1. a\n7. of May\n2. b\n1. c", "numbered") == ["1. a\n7. of May", "2. b\n1. c"]


def test_sentences_know_decimals_abbreviations_list_numbers_and_cjk() -> None:
    assert texts("Mr. Lee has 3.5 kg. He eats e.g. 2.", "sentences") == ["Mr. Lee has 3.5 kg.", "He eats e.g. 2."]
    assert texts("1. Add. 2! Done", "sentences") == ["1. Add.", "2!", "Done"]
    assert texts("他有三个苹果。他吃了一个！还剩几个？两个", "sentences") == [
        "他有三个苹果。",
        "他吃了一个！",
        "还剩几个？",
        "两个",
    ]


PROTECTED = [
    "```python\na = 1\n\nb = 2\n```",
    "~~~\na.\n\nb\n~~~~",
    "$$\na\n\n= b. C\n$$",
    "\\[\na\n\nb\n\\]",
    "\\begin{align}\na\n\nb \\begin{cases} 1\n\n2 \\end{cases}\n\\end{align}",
    "```\nopen\n\n``` not a close\n\n1. a\n2. b",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("block", PROTECTED)
def test_no_splitter_cuts_inside_code_or_display_maths(block: str, name: str) -> None:
    assert any(block in step.text for step in split(f"Before\n\n{block}", name))


def test_a_line_break_with_a_length_opens_no_maths() -> None:
    assert texts("a \\\\[2pt]\n\nb \\]\n\nc \\end{x}\n\nd \\[ \\begin{y} $$\n\ne", "blank_lines") == [
        "a \\\\[2pt]",
        "b \\]",
        "c \\end{x}",
        "d \\[ \\begin{y} $$",
        "e",
    ]


def test_a_form_feed_stays_in_its_step_for_it_was_a_frac() -> None:
    assert texts("x\n\n\frac{1}{2}") == ["x", "\frac{1}{2}"]


@pytest.mark.parametrize(
    "unit", ["a. b\n\n", "\n ", "$$", "\\begin{a}", "```\n", "1. ", "Step 1: x\n", " " * 50 + "\n", "."]
)
def test_a_text_of_three_hundred_thousand_characters_is_split_whole(unit: str) -> None:
    text = unit * (300_000 // len(unit))
    for name in NAMES:
        assert_faithful(text, split(text, name))


@pytest.mark.skipif(not DATA.exists(), reason="shared data is not here")
def test_every_real_solution_survives_every_splitter() -> None:
    for file in sorted(DATA.glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            text, _ = join(row.get("steps") or [])
            for name in NAMES:
                assert_faithful(text, split(text, name))
