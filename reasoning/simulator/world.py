"""Problems that the simulator makes itself: readable, with several solutions each, every first error known.

Each solution is drawn by the law of the benchmark's world: K steps, each the first wrong one with hazard 1 − s^(1/K), s
the problem's solve rate. A wrong step is planted by name; what follows is calculated correctly from the wrong value,
unless the chain recovers and ends in the right answer after all. Where the last step, which states the answer, is the
wrong one, the answer is wrong.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any, Final

from reasoning.simulator import draws
from reasoning.simulator.law import LAW, Law
from reasoning.simulator.stories import NAMES, STORIES, Line, Story, Values, apply
from reasoning.simulator.truth import compact
from reasoning.types import NO_ERROR

SAMPLE_PROBLEMS: Final = 60
SAMPLE_SEED: Final = 1
GENERATOR: Final = "simulated/world"
_TRIES: Final = 4000
_WORDINGS: Final = 20
"""Tries at other words for a chain whose words are there already. It keeps its first error: chains without one, whose
words repeat most, would else be too few."""
_LARGEST: Final = 1_000_000


class ErrorKind(StrEnum):
    """The name of a planted error."""

    SLIP = "arithmetic slip"
    OPERAND = "wrong operand"
    DROPPED = "dropped condition"
    UNIT = "unit"
    LEAP = "unjustified leap"


@dataclass(frozen=True, slots=True)
class MadeSolution:
    """A chain of steps, its first error (NO_ERROR: none) and the kind of it."""

    steps: tuple[str, ...]
    first_error: int
    kind: ErrorKind | None
    answer: str
    correct: bool
    """Whether the answer it ends in is the right one."""


@dataclass(frozen=True, slots=True)
class MadeProblem:
    """A statement with its only right answer and solutions of it."""

    id: str
    statement: str
    answer: str
    solutions: tuple[MadeSolution, ...]


def make_problems(n: int, seed: int, *, solutions: int = 3, law: Law = LAW) -> tuple[MadeProblem, ...]:
    """`n` different problems with up to `solutions` different solutions each. The same arguments give the same."""
    made: dict[str, MadeProblem] = {}
    for attempt in range(20 * n + 20):
        if len(made) == n:
            break
        rng = draws.generator("problem", seed, attempt)
        problem = _make(STORIES[len(made) % len(STORIES)], rng, f"sim-{seed}-{len(made):04d}", solutions, law)
        made.setdefault(problem.statement, problem)
    return tuple(made.values())


def native_rows(problems: Iterable[MadeProblem], *, labels: bool = True) -> list[dict[str, Any]]:
    """Rows of the native format, one a solution; without `labels` nothing in them tells where the error is."""
    rows = []
    for problem in problems:
        for number, solution in enumerate(problem.solutions):
            row: dict[str, Any] = {
                "id": f"{problem.id}/{number}",
                "problem": problem.statement,
                "answer": problem.answer,
                "steps": list(solution.steps),
                "generator": GENERATOR,
                "source": "simulated",
            }
            if labels:
                row["first_error"] = solution.first_error
                row["meta"] = {"error_kind": solution.kind, "final_answer_correct": solution.correct}
            rows.append(row)
    return rows


def _make(story: Story, rng: random.Random, name: str, solutions: int, law: Law) -> MadeProblem:
    given, truth = _numbers(story, rng)
    who = rng.choice(NAMES)
    words = {key: plain(value) for key, value in given.items()}
    statement = story.statement.format(who=who, **words)
    chains: dict[tuple[str, ...], MadeSolution] = {}
    for number in range(solutions):
        rng = draws.generator(name, statement, number)
        chain = _Chain(story, statement, who, given, truth, rng)
        first_error = law.first_error(compact(statement), len(story.lines) + 1, rng)
        made = chain.write(first_error, law)
        for again in range(_WORDINGS):
            if made.steps not in chains:
                break
            rng = draws.generator(name, statement, number, "again", again)
            made = _Chain(story, statement, who, given, truth, rng).write(first_error, law)
        chains.setdefault(made.steps, made)
    return MadeProblem(name, statement, plain(truth[story.lines[-1].name]), tuple(chains.values()))


def _numbers(story: Story, rng: random.Random) -> tuple[Values, Values]:
    """What is given and what follows, all of it whole and positive."""
    for _ in range(_TRIES):
        given: Values = {key: Fraction(rng.choice(span)) for key, span in story.given.items()}
        values = given | {key: Fraction(value) for key, value in story.fixed}
        if _follows(story, values):
            return given, values
    raise AssertionError(f"the ranges of the story {story.name} leave no whole numbers")


def _follows(story: Story, values: Values) -> bool:
    for line in story.lines:
        value = line.value(values)
        if value.denominator != 1 or not 1 < value < _LARGEST or value == values[line.left]:
            return False
        values[line.name] = value
    return True


def plain(value: Fraction) -> str:
    """A whole number, a decimal of at most two places, or a fraction."""
    if value.denominator == 1:
        return str(value.numerator)
    if 100 % value.denominator == 0:
        return f"{float(value):.2f}".rstrip("0")
    return f"{value.numerator}/{value.denominator}"


_SIGNS: Final = {"+": ("+", "+"), "-": ("-", "-"), "*": ("×", "\\times"), "/": ("÷", "\\div")}
_LEADS: Final = (
    ("First, ", "Next, ", "Then ", "After that, ", "So "),
    ("To begin with, ", "Now ", "From this, ", "Going on, ", "Therefore "),
    ("", "", "", "", ""),
)


class _Chain:
    """One solution in the making: `values` is what its writer believes, `truth` what is so."""

    def __init__(
        self, story: Story, statement: str, who: str, given: Values, truth: Values, rng: random.Random
    ) -> None:
        self.story, self.statement, self.who, self.truth, self.rng = story, statement, who, truth, rng
        self.values = given | {key: Fraction(value) for key, value in story.fixed}
        self.leads = rng.choice(_LEADS)
        self.latex = rng.random() < 0.4

    def write(self, first_error: int, law: Law) -> MadeSolution:
        """All steps, the last of them the answer; `first_error` is K where there is none."""
        steps, kind = [], None
        last = len(self.story.lines)
        chance = law.shown_right(compact(self.statement), last + 1, first_error) if first_error < last else 0.0
        recovers = self.rng.random() < chance
        for index, line in enumerate(self.story.lines):
            if index == first_error:
                kind, text = self._plant(line)
            elif recovers and index == last - 1:
                self.values |= {key: self.truth[key] for key in (line.left, line.right)}
                text = self._right(line)
            else:
                text = self._right(line)
            steps.append(self._lead(index, text))
        answer = self.story.lines[-1].name
        value = self.truth[answer] if recovers and first_error == last - 1 else self.values[answer]
        if first_error == last:
            kind, value = ErrorKind.OPERAND, self._another(value)
        steps.append(
            self.story.ends.format(who=self.who, v=plain(value)) + f" The answer is $\\boxed{{{plain(value)}}}$."
        )
        correct = value == self.truth[answer]
        return MadeSolution(tuple(steps), first_error if first_error <= last else NO_ERROR, kind, plain(value), correct)

    def _lead(self, index: int, text: str) -> str:
        text = self.leads[min(index, len(self.leads) - 1)] + text
        return text[0].upper() + text[1:]

    def _right(self, line: Line) -> str:
        value = line.value(self.values)
        self.values[line.name] = value
        return self._calculation(line, self.values[line.left], self.values[line.right], value)

    def _calculation(self, line: Line, left: Fraction, right: Fraction, value: Fraction) -> str:
        sign = _SIGNS[line.operator][self.latex]
        formula = f"{plain(left)} {sign} {plain(right)} = {plain(value)}"
        formula = f"${formula}$" if self.latex else formula
        return f"{line.says.format(who=self.who)} {formula} {line.unit}."

    def _plant(self, line: Line) -> tuple[ErrorKind, str]:
        """A wrong step in place of `line`, of a kind that the line allows."""
        kinds = [ErrorKind.SLIP, ErrorKind.OPERAND, ErrorKind.LEAP]
        kinds += [ErrorKind.DROPPED] * 2 if line.dropped else []
        kinds += [ErrorKind.UNIT] * 3 if line.confused else []
        kind = self.rng.choice(kinds)
        left, right = self.values[line.left], self.values[line.right]
        right_value = line.value(self.values)
        match kind:
            case ErrorKind.DROPPED:
                value = left
                text = line.dropped.format(who=self.who, a=plain(left))
            case ErrorKind.UNIT | ErrorKind.OPERAND:
                right = Fraction(line.confused) if kind is ErrorKind.UNIT else self._another(right)
                value = apply(line.operator, left, right)
                text = self._calculation(line, left, right, value)
            case ErrorKind.SLIP:
                value = self._slipped(right_value)
                text = self._calculation(line, left, right, value)
            case ErrorKind.LEAP:
                value = self._slipped(right_value * self.rng.choice((1, 2)))
                text = f"clearly, {line.says.format(who=self.who)} {plain(value)} {line.unit}."
        self.values[line.name] = value
        return kind, text

    def _slipped(self, value: Fraction) -> Fraction:
        """A nearby wrong value: a digit off, or a ten."""
        steps = (1, -1, 2, 10, -10) if value > 20 else (1, 2, 3)
        return value + self.rng.choice(steps)

    def _another(self, value: Fraction) -> Fraction:
        """A number that the writer has at hand and that is not the one needed."""
        others = sorted({v for v in self.values.values() if v != value and v > 1})
        return self.rng.choice(others)
