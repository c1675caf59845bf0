"""A prefix and a continuation of it as one solution, split by the rule of the solution that it forks from."""

from __future__ import annotations

from dataclasses import replace

from reasoning.steps import SEPARATOR, SPLITTERS, split
from reasoning.types import Solution, Step


def splitter_of(solution: Solution) -> str:
    """The first splitter that cuts the solution's text into just its steps, or "auto" where none does."""
    if len(solution.steps) > 1:
        for name in SPLITTERS:
            if split(solution.text, name) == solution.steps:
                return name
    return "auto"


def fork(solution: Solution, prefix: int, continuation: str, splitter: str = "auto") -> Solution | None:
    """The first `prefix` steps of a solution followed by `continuation`; None where that adds no step.

    The text is the prefix's text and the continuation, byte for byte; the first `prefix` steps are the solution's own.
    """
    begun, kept = solution.prefix(prefix), solution.steps[:prefix]
    added = _added(begun, kept, continuation, splitter)
    if not added:
        return None
    return Solution(solution.problem, begun + continuation, kept + added)


def _added(begun: str, kept: tuple[Step, ...], continuation: str, splitter: str) -> tuple[Step, ...]:
    """Steps of the continuation, in offsets of the whole text.

    Numbered lists and the like are read in their context where the rule cuts the prefix as it was cut, if need be with
    a blank line at the seam; else the continuation is read by itself.
    """
    for seam in ("", SEPARATOR) if kept else ():
        whole = split(begun + seam + continuation, splitter)
        if whole[: len(kept)] == kept and len(whole) > len(kept):
            return tuple(_moved(step, -len(seam), 0) for step in whole[len(kept) :])
    return tuple(_moved(step, len(begun), len(kept)) for step in split(continuation, splitter))


def _moved(step: Step, by: int, after: int) -> Step:
    return replace(step, index=step.index + after, start=step.start + by, end=step.end + by)
