"""Are two final answers the same? EQUAL, UNEQUAL or UNKNOWN, and the rule that said so.

`equal` normalises, then tries, in order: the same text; choices, phrases, labels; relations and collections part by part;
units; exact rational arithmetic. What that cannot tell goes to a child process that can be killed: values to 50 digits
and more, and math-verify with a numeric veto. This process imports neither sympy nor mpmath nor math-verify.

Safe in threads and after a fork; from asyncio use `equal_async` and `grade_async`. `close` ends the child early.
"""  # noqa: E501

from __future__ import annotations

import asyncio
import atexit
import os
from functools import lru_cache
from typing import Final

from reasoning.equivalence.child import Child
from reasoning.equivalence.outcome import Equivalence, NeedsChild, Relation
from reasoning.equivalence.rules import decide, rational_leaf
from reasoning.spelling import normalise
from reasoning.types import Verdict

GRADER_VERSION: Final = "3"
"""Changes whenever a verdict may: grades carry it, and are made anew where it differs."""
LONGEST: Final = 2_000
"""Code points of an answer beyond which only sameness is looked at."""

__all__ = [
    "GRADER_VERSION",
    "Child",
    "Equivalence",
    "Relation",
    "close",
    "equal",
    "equal_async",
    "grade",
    "grade_async",
]

_child = Child()
_GRADES: Final = {Relation.EQUAL: Verdict.RIGHT, Relation.UNEQUAL: Verdict.WRONG, Relation.UNKNOWN: Verdict.UNKNOWN}
_normalised: Final = lru_cache(maxsize=4096)(normalise)


def equal(answer: str, reference: str, *, child: Child | None = None) -> Equivalence:
    """Compare an answer with the reference. Never raises on any text, never hangs: the child's time limit holds.

    `child` is the process for the hard ones; by default one is shared by all callers of this process.
    """
    left, right = (_normalised(text) if len(text) <= LONGEST else normalise(text) for text in (answer, reference))
    if not left or not right:
        return Equivalence(Relation.UNKNOWN, "empty")
    if left == right:
        return Equivalence(Relation.EQUAL, "exact")
    if max(len(left), len(right)) > LONGEST:
        return _long(left, right)
    try:
        return decide(left, right, rational_leaf)
    except NeedsChild:
        return (child or _child).compare(left, right)
    except RecursionError:
        return Equivalence(Relation.UNKNOWN, "too deep")


def _long(left: str, right: str) -> Equivalence:
    digits = all(side.isascii() and side.isdigit() for side in (left, right))
    if not digits:
        return Equivalence(Relation.UNKNOWN, "too long")
    same = left.lstrip("0") == right.lstrip("0")
    return Equivalence(Relation.EQUAL if same else Relation.UNEQUAL, "digits")


def grade(answer: str | None, reference: str | None, *, child: Child | None = None) -> tuple[Verdict, str]:
    """The verdict on an answer and the rule; UNKNOWN where either is missing."""
    if reference is None:
        return Verdict.UNKNOWN, "no reference"
    if answer is None:
        return Verdict.UNKNOWN, "no answer"
    outcome = equal(answer, reference, child=child)
    return _GRADES[outcome.verdict], outcome.rule


async def equal_async(answer: str, reference: str, *, child: Child | None = None) -> Equivalence:
    """`equal` in a thread, so that the event loop goes on."""
    return await asyncio.to_thread(equal, answer, reference, child=child)


async def grade_async(answer: str | None, reference: str | None, *, child: Child | None = None) -> tuple[Verdict, str]:
    """`grade` in a thread, so that the event loop goes on."""
    return await asyncio.to_thread(grade, answer, reference, child=child)


def close() -> None:
    """End the shared child. The next hard comparison starts another."""
    _child.close()


os.register_at_fork(after_in_child=_child.forget)
atexit.register(close)
