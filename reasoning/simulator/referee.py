"""Playing the judge, with the confusion of the world's law, and the PRM."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reasoning.simulator import draws
from reasoning.simulator.continuations import whole
from reasoning.simulator.law import Law
from reasoning.simulator.truth import Truth
from reasoning.types import NO_ERROR

_FAULTS = (
    "the value does not follow from what stands before it",
    "a number is used here that the problem does not give for this",
    "a condition of the problem is left out",
    "the calculation does not come out as written",
)


def judge(truth: Truth, law: Law, statement: str, steps: Sequence[str], *vote: draws.Part) -> dict[str, Any]:
    """The judge's answer: `unable` where problem or solution are not known. `vote` tells draws apart."""
    problem = truth.problem(statement)
    solution = whole(problem, steps) if problem is not None else None
    if problem is None or solution is None:
        return {
            "unable": True,
            "steps": [],
            "first_error": NO_ERROR,
            "reason": "I cannot tell: I do not know this one.",
        }
    name, count = f"{problem.key}\0{solution.text}", len(steps)
    said = law.judged(name, count, solution.error_in(steps), *vote)
    if said >= count:
        verdicts = [_verdict(i, "right", "") for i in range(count)]
        return {"unable": False, "steps": verdicts, "first_error": NO_ERROR, "reason": "Every step follows."}
    why = _FAULTS[draws.digest("why", law.seed, name, said) % len(_FAULTS)]
    verdicts = [*(_verdict(i, "right", "") for i in range(said)), _verdict(said, "wrong", why)]
    return {"unable": False, "steps": verdicts, "first_error": said, "reason": f"{why[0].upper()}{why[1:]}."}


def _verdict(index: int, verdict: str, reason: str) -> dict[str, Any]:
    return {"index": index, "verdict": verdict, "reason": reason}


def scores(truth: Truth, law: Law, statement: str, steps: Sequence[str]) -> list[float] | None:
    """A PRM's P(right) of each step: high up to the first error, low from it on. None where it does not know them."""
    problem = truth.problem(statement)
    solution = whole(problem, steps) if problem is not None else None
    if problem is None or solution is None:
        return None
    wrong = solution.error_in(steps)
    drawn = [draws.generator("score", law.seed, problem.key, solution.text, i) for i in range(len(steps))]
    return [rng.betavariate(6, 1.5) if i < wrong else rng.betavariate(2, 4) for i, rng in enumerate(drawn)]
