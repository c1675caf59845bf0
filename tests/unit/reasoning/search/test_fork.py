"""A continuation becomes a solution: byte for byte, cut as the solution that it forks from."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reasoning.search import fork, splitter_of
from reasoning.steps import SPLITTERS, join, split
from reasoning.types import Problem, Solution

PIECES = (
    "a",
    "b.",
    "Step 1: c",
    "Step 2: d.",
    "1. e",
    "2. f",
    "3. g",
    "```",
    "$$",
    "\\[",
    "\n",
    "\n\n",
    " ",
    "。",
    "h!",
)
TEXTS = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)


def written(text: str, splitter: str) -> Solution:
    return Solution(Problem("p"), text, split(text, splitter))


@settings(deadline=None)
@given(TEXTS, TEXTS, st.sampled_from([*SPLITTERS, "auto"]), st.data())
def test_text_and_steps_of_prefix_and_continuation_are_kept(
    text: str, more: str, splitter: str, data: st.DataObject
) -> None:
    solution = written(text, splitter)
    prefix = data.draw(st.integers(0, len(solution.steps)))
    made = fork(solution, prefix, more, splitter)
    if made is None:
        assert not more.strip()
        return
    assert made.text == solution.prefix(prefix) + more
    assert made.steps[:prefix] == solution.steps[:prefix]
    assert len(made.steps) > prefix
    assert [step.index for step in made.steps] == list(range(len(made.steps)))
    ends = [0]
    for step in made.steps:
        assert made.text[step.start : step.end] == step.text
        assert step.start >= ends[-1]
        ends.append(step.end)
    assert not made.text[ends[-1] :].strip()


@settings(deadline=None)
@given(TEXTS, st.sampled_from([*SPLITTERS]))
def test_a_solution_forked_from_itself_is_itself_again(text: str, splitter: str) -> None:
    solution = written(text, splitter)
    for prefix in range(len(solution.steps)):
        rest = solution.text[len(solution.prefix(prefix)) :]
        made = fork(solution, prefix, rest, splitter)
        assert made == solution


def test_the_splitter_is_the_one_that_cuts_the_text_into_its_steps() -> None:
    assert splitter_of(written("Step 1: a\n\nb\nStep 2: c", "step_marks")) == "step_marks"
    assert splitter_of(written("a\nb\n\nc\nd", "blank_lines")) == "blank_lines"
    assert splitter_of(written("It is so. So be\nit. Yes.", "sentences")) == "sentences"
    assert splitter_of(written("a", "lines")) == "auto"


def test_steps_that_no_splitter_finds_leave_the_choice_to_the_continuation() -> None:
    text, steps = join(["a\n\nb", "c\nd"])
    solution = Solution(Problem("p"), text, steps)
    assert splitter_of(solution) == "auto"
    made = fork(solution, 1, "\n\ne\n\nf")
    assert made is not None
    assert [step.text for step in made.steps] == ["a\n\nb", "e", "f"]


@pytest.mark.parametrize("seam", ["", " ", "\n", "\n\n"])
def test_a_list_counts_on_across_the_seam(seam: str) -> None:
    solution = written("1. a\n2. b\n3. c", "numbered")
    made = fork(solution, 2, f"{seam}3. d\n4. e", "numbered")
    assert made is not None
    assert [step.text for step in made.steps] == ["1. a", "2. b", "3. d", "4. e"]
    assert made.text == f"1. a\n2. b{seam}3. d\n4. e"


def test_what_the_prefix_leaves_open_does_not_swallow_the_continuation() -> None:
    text, steps = join(["so $$ x", "y $$"])
    made = fork(Solution(Problem("p"), text, steps), 1, "\n\n= 2 $$\n\nz", "blank_lines")
    assert made is not None
    assert [step.text for step in made.steps] == ["so $$ x", "= 2 $$", "z"]


@pytest.mark.parametrize("blank", ["", " ", "\n\n \n"])
def test_a_blank_continuation_makes_no_solution(blank: str) -> None:
    assert fork(written("a\n\nb", "blank_lines"), 1, blank, "blank_lines") is None
