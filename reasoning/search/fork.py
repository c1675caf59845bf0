"""A prefix and a continuation of it as one solution, split by the rule of the solution that it forks from."""

from __future__ import annotations

from reasoning.types import Solution


def splitter_of(solution: Solution) -> str:
    """The first splitter that cuts the solution's text into just its steps, or "auto" where none does."""
    raise NotImplementedError


def fork(solution: Solution, prefix: int, continuation: str, splitter: str = "auto") -> Solution | None:
    """The first `prefix` steps of a solution followed by `continuation`; None where that adds no step.

    The text is the prefix's text and the continuation, byte for byte; the first `prefix` steps are the solution's own.
    """
    raise NotImplementedError
