"""What the completer writes, and knowing it again: a solution made of a continuation has a first error too.

A line tells by its words alone whether it is right, so nothing has to be remembered between two requests.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Final

from reasoning.simulator.truth import KnownProblem, KnownSolution, compact
from reasoning.types import NO_ERROR

OPENINGS: Final = (
    "Let us go on from there.",
    "With what we have so far, the next thing is to put the numbers together.",
    "Continuing,",
    "Next we use the remaining condition.",
    "We keep going with the value found above.",
)
MIDDLES: Final = (
    "This takes care of one more condition of the problem.",
    "Putting this together with the step before, little is left to do.",
    "The quantity that is asked for follows from this.",
    "We check that the units agree: they do.",
    "Working this out gives the next value.",
    "What remains is one more operation.",
)
SLIPS: Final = (
    "One condition is still left, but it changes nothing, so we leave it out.",
    "The two quantities are in different units, and their numbers can be added as they are.",
    "Clearly this is the same as twice the value found above.",
    "Here the number of the first sentence is used in place of the value found above.",
    "The remainder is small enough to be dropped.",
)
"""Wrong steps, whatever the problem is."""
ENDINGS: Final = (
    "So the answer is \\boxed{{{}}}.",
    "Therefore the final answer is \\boxed{{{}}}.",
    "This gives \\boxed{{{}}}.",
    "Hence we get \\boxed{{{}}}.",
)
UNFINISHED: Final = "From here one could go on in several ways, and it is not clear which of them leads to the end."


def begun(problem: KnownProblem, prefix: str) -> tuple[KnownSolution, int] | None:
    """A solution that begins with `prefix`, and how many steps of it that is: a known one, or one that goes on as the
    completer would. None where neither does.
    """
    found = problem.begun(prefix)
    if found is not None:
        return found
    text = compact(prefix)
    known, kept = max(((s, _shared(s, text)) for s in problem.solutions), key=lambda each: each[1], default=(None, 0))
    lines = _lines(text[known.ends[kept - 1] if kept else 0 :]) if known is not None else None
    if known is None or lines is None:
        return None
    steps = [*known.steps[:kept], *lines]
    wrong = (kept + n for n, line in enumerate(lines) if _is_wrong(line, problem.answer))
    first_error = known.first_error if known.first_error < kept else next(wrong, NO_ERROR)
    ahead = max(len(known.steps) - len(steps), 0 if _answer_of(lines[-1]) is not None else 1)
    return KnownSolution.of([*steps, *[""] * ahead], first_error), len(steps)


def whole(problem: KnownProblem, steps: Sequence[str]) -> KnownSolution | None:
    """The solution of exactly these words, known or one that the completer has written."""
    known = problem.whole(steps)
    if known is not None:
        return known
    found = begun(problem, "".join(steps))
    return found[0] if found is not None and found[1] == len(found[0].steps) else None


def _shared(known: KnownSolution, text: str) -> int:
    """How many steps of a known solution a compact text begins with."""
    return sum(text.startswith(known.text[:end]) for end in known.ends)


@cache
def _line() -> re.Pattern[str]:
    plain = (*OPENINGS, *MIDDLES, *SLIPS, UNFINISHED)
    endings = (compact(each.replace("{{{}}}", "{}")).split("{}") for each in ENDINGS)
    boxed = (f"{re.escape(before)}{{[^\n]*?}}{re.escape(after)}" for before, after in endings)
    return re.compile("|".join([*(re.escape(compact(each)) for each in plain), *boxed]))


def _lines(text: str) -> list[str] | None:
    """A compact text as lines of the completer's; None where it is anything else."""
    lines, at = [], 0
    while at < len(text):
        match = _line().match(text, at)
        if match is None:
            return None
        lines.append(match[0])
        at = match.end()
    return lines or None


def _answer_of(line: str) -> str | None:
    """The compact answer of an ending."""
    _, boxed, rest = line.partition("\\boxed{")
    return rest.rpartition("}")[0] if boxed else None


def _is_wrong(line: str, answer: str | None) -> bool:
    said = _answer_of(line)
    if said is not None:
        return said != compact(answer or "")
    return line in _slips()


@cache
def _slips() -> frozenset[str]:
    return frozenset(map(compact, SLIPS))
