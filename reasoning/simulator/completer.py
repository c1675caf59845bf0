"""Playing the completer: go on from a prefix, and end in the right answer as often as the world's law says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Final

from reasoning.simulator import draws
from reasoning.simulator.continuations import ENDINGS, MIDDLES, OPENINGS, SLIPS, UNFINISHED, begun
from reasoning.simulator.law import Law
from reasoning.simulator.truth import KnownSolution, Truth

CANNOT_TELL: Final = "I cannot tell"

_NUMBER: Final = re.compile(r"-?\d[\d,]*(?:\.\d+)?(?:/\d+)?")
_CHOICE: Final = re.compile(r"\(?([A-J])\)?[.:]?")


@dataclass(frozen=True, slots=True)
class Place:
    """Where continuations of one prefix start, and with which chance each of them ends in the right answer."""

    key: str
    answer: str
    solution: KnownSolution
    steps: int
    text: str
    worth: float


def find_place(truth: Truth, law: Law, statement: str, prefix: str) -> Place | None:
    """None where problem or prefix are not known."""
    problem = truth.problem(statement)
    if problem is None or problem.answer is None:
        return None
    known = begun(problem, prefix)
    if known is None:
        return None
    solution, steps = known
    text = solution.text[: solution.ends[steps - 1]] if steps else ""
    worth = law.value(problem.key, f"{problem.key}\0{text}", len(solution.steps), steps, solution.first_error)
    return Place(problem.key, problem.answer, solution, steps, text, worth)


def go_on(place: Place | None, law: Law, *request: draws.Part) -> str:
    """One continuation. `request` tells draws apart: seed and number of the completion."""
    if place is None:
        return CANNOT_TELL
    drawn: tuple[draws.Part, ...] = ("rollout", law.seed, place.key, place.text, *request)
    if draws.uniform(*drawn, "gradable") < law.ungradable:
        return _write(place.solution, place.steps, None, False, drawn)
    right = draws.uniform(*drawn, "right") < place.worth
    answer = place.answer if right else _wrong(place.answer, drawn)
    return _write(place.solution, place.steps, answer, right, drawn)


def complete(truth: Truth, law: Law, statement: str, prefix: str, *request: draws.Part) -> str:
    """One continuation of a prefix that is looked up first."""
    return go_on(find_place(truth, law, statement, prefix), law, *request)


def _write(solution: KnownSolution, steps: int, answer: str | None, right: bool, drawn: tuple[draws.Part, ...]) -> str:
    """Some steps in the solution's stead and the answer, or no answer. What goes wrong does so in one of them."""
    rng = draws.generator(*drawn, "words")
    left = max(1, min(len(solution.steps) - steps, len(MIDDLES) + 1))
    lines = [rng.choice(OPENINGS), *rng.sample(MIDDLES, left - 1)]
    lines.append(UNFINISHED if answer is None else rng.choice(ENDINGS).format(answer))
    if answer is not None and not right and solution.first_error >= steps:
        slips = draws.generator(*drawn, "slip")
        place = slips.randrange(len(lines))
        if place < len(lines) - 1:
            lines[place] = slips.choice(SLIPS)
    return "\n\n".join(lines)


def _wrong(answer: str, drawn: tuple[draws.Part, ...]) -> str:
    """An answer that is not the right one."""
    return draws.generator(*drawn, "wrong").choice(_others(answer.strip()))


@lru_cache(maxsize=4096)
def _others(right: str) -> tuple[str, ...]:
    """Wrong answers of the same kind where the kind is plain."""
    choice = _CHOICE.fullmatch(right)
    if choice:
        return tuple(letter for letter in "ABCD" if letter != choice[1])
    number = _NUMBER.fullmatch(right)
    if number:
        value = Fraction(right.replace(",", ""))
        others = {value + 1, value - 1, value * 2, value + 10, value / 2, -value} - {value}
        return tuple(map(str, sorted(others)))
    return "101", "211", "307", "401", "503"
