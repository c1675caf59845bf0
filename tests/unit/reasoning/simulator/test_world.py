from __future__ import annotations

import re
from collections import Counter
from fractions import Fraction

import pytest

from reasoning import answers
from reasoning.equivalence import grade
from reasoning.simulator.stories import STORIES
from reasoning.simulator.world import ErrorKind, make_problems, native_rows, plain
from reasoning.types import NO_ERROR, Verdict

PROBLEMS = make_problems(300, 7)
SOLUTIONS = [(p, s) for p in PROBLEMS for s in p.solutions]
_FORMULA = re.compile(r"([\d./]+) (\+|-|×|÷|\\times|\\div) ([\d./]+) = (-?[\d./]+?)\$?(?: |\.$)")
_DO = {
    "+": Fraction.__add__,
    "-": Fraction.__sub__,
    "×": Fraction.__mul__,
    "\\times": Fraction.__mul__,
    "÷": Fraction.__truediv__,
    "\\div": Fraction.__truediv__,
}


def _calculation_holds(step: str) -> bool | None:
    found = _FORMULA.search(step)
    if found is None:
        return None
    left, sign, right, value = found.groups()
    return plain(_DO[sign](Fraction(left), Fraction(right))) == value


def test_the_same_seed_makes_the_same_world_and_another_seed_another():
    assert make_problems(20, 3) == make_problems(20, 3)
    assert make_problems(20, 3) == make_problems(30, 3)[:20]
    assert not {p.statement for p in make_problems(20, 3)} & {p.statement for p in make_problems(20, 4)}


def test_every_problem_is_another_one_with_several_solutions_of_every_story():
    assert len({p.statement for p in PROBLEMS}) == 300
    assert {len(p.solutions) for p in PROBLEMS} == {3}
    assert all(len(set(p.solutions)) == len(p.solutions) for p in PROBLEMS)
    assert all("{" not in p.statement and p.answer.isdigit() for p in PROBLEMS)
    assert {p.id.rsplit("-", 1)[0] for p in PROBLEMS} == {"sim-7"}
    assert len(STORIES) == 10


def test_planted_errors_are_of_every_kind_and_at_every_step():
    kinds = Counter(s.kind for _, s in SOLUTIONS)
    assert set(kinds) == {None, *ErrorKind}
    assert all(count >= 10 for count in kinds.values())
    assert {s.first_error for _, s in SOLUTIONS} == {NO_ERROR, 0, 1, 2, 3, 4, 5, 6}
    assert all((s.kind is None) == (s.first_error == NO_ERROR) for _, s in SOLUTIONS)


def test_chains_without_an_error_calculate_right_and_end_right():
    for problem, solution in SOLUTIONS:
        if solution.first_error == NO_ERROR:
            assert all(_calculation_holds(step) is not False for step in solution.steps)
            assert (solution.correct, solution.answer) == (True, problem.answer)


def test_before_the_first_error_every_step_calculates_right_and_a_slip_does_not():
    for _, solution in SOLUTIONS:
        for step in solution.steps[: max(solution.first_error, 0)]:
            assert _calculation_holds(step) is True
        if solution.kind is ErrorKind.SLIP:
            assert _calculation_holds(solution.steps[solution.first_error]) is False


def _formula(step: str) -> tuple[Fraction, str, Fraction] | None:
    found = _FORMULA.search(step)
    return found and (Fraction(found[1]), found[2], Fraction(found[3]))


def _twin(problem, step: int) -> str:
    """The same step of a chain of the same problem in which it is right."""
    return next(s.steps[step] for s in problem.solutions if s.first_error == NO_ERROR or s.first_error > step)


def _planted(kind: ErrorKind):
    """Wrong steps of this kind, but the answer's own, beside the same step done right."""
    for problem, solution in SOLUTIONS:
        place = solution.first_error
        right = [s for s in problem.solutions if s.first_error == NO_ERROR or s.first_error > place]
        if solution.kind is kind and place < len(solution.steps) - 1 and right:
            yield solution.steps[place], _twin(problem, place)


def test_each_kind_of_error_shows_in_its_text():
    slips = [(_formula(wrong), _formula(right), wrong) for wrong, right in _planted(ErrorKind.SLIP)]
    assert all(w[0] == r[0] and w[2] == r[2] and _calculation_holds(text) is False for w, r, text in slips)
    operands = [(_formula(wrong), _formula(right), wrong) for wrong, right in _planted(ErrorKind.OPERAND)]
    assert all(w[0] == r[0] and w[2] != r[2] and _calculation_holds(text) for w, r, text in operands)
    units = [(_formula(wrong), _formula(right), wrong) for wrong, right in _planted(ErrorKind.UNIT)]
    confused = {(60, 100), (60, 24), (100, 10), (12, 10)}
    assert all((r[2], w[2]) in confused and _calculation_holds(text) for w, r, text in units)
    leaps = list(_planted(ErrorKind.LEAP))
    assert all(
        _formula(wrong) is None and "learly, " in wrong and _value(wrong) != _value(right) for wrong, right in leaps
    )
    dropped = list(_planted(ErrorKind.DROPPED))
    assert all(_formula(wrong) is None and _value(wrong) == _formula(right)[0] for wrong, right in dropped)
    assert min(map(len, (slips, operands, units, leaps, dropped))) >= 8


def _value(step: str) -> Fraction:
    """The number that a step comes to: its last."""
    return Fraction(re.findall(r"-?\d+(?:\.\d+|/\d+)?", step)[-1])


def test_a_solutions_answer_is_found_and_graded_as_the_world_says():
    for problem, solution in SOLUTIONS[:200]:
        found = answers.find("\n\n".join(solution.steps))
        verdict, _ = grade(found, problem.answer)
        assert verdict is (Verdict.RIGHT if solution.correct else Verdict.WRONG)


def test_the_last_step_boxes_the_answer_inside_a_formula():
    assert all(s.steps[-1].endswith(f"The answer is $\\boxed{{{s.answer}}}$.") for _, s in SOLUTIONS)


def test_native_rows_tell_the_truth_only_where_asked():
    told, hidden = native_rows(PROBLEMS[:5]), native_rows(PROBLEMS[:5], labels=False)
    assert len(told) == 15
    assert len({row["id"] for row in told}) == 15
    assert [row["first_error"] for row in told] == [s.first_error for p in PROBLEMS[:5] for s in p.solutions]
    assert not any({"first_error", "meta"} & row.keys() for row in hidden)
    assert all(row["steps"] and row["answer"] and row["source"] == "simulated" for row in hidden)


@pytest.mark.parametrize(
    ("value", "text"), [("4", "4"), ("5/2", "2.5"), ("1/4", "0.25"), ("-7/3", "-7/3"), ("1/50", "0.02")]
)
def test_numbers_are_written_as_people_write_them(value, text):
    assert plain(Fraction(value)) == text
