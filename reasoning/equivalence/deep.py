"""The child's leaf: value by our own reader first, math-verify for what that cannot read.

Only the child process (and tests) import this; it pulls in mpmath, and sympy at the first use of math-verify.
"""

from __future__ import annotations

import re
from typing import Final

from reasoning.equivalence import numeric
from reasoning.equivalence.grammar import parse
from reasoning.equivalence.names import KNOWN, LENT
from reasoning.equivalence.outcome import Equivalence, NeedsChild, Relation
from reasoning.equivalence.rules import decide, rational_leaf
from reasoning.equivalence.tree import TooDeep, Unreadable
from reasoning.equivalence.values import is_rounding

_LONGEST_FOR_SYMBOLS: Final = 600
_COMMAND: Final = re.compile(r"\\([a-zA-Z]+)")
_DECIMAL: Final = re.compile(r"-?\d+\.\d+")


def decide_deeply(answer: str, reference: str) -> Equivalence:
    """The rules with every means; takes as long as it takes, so only in a process that can be killed."""
    return decide(answer, reference, leaf)


def leaf(answer: str, reference: str) -> Equivalence:
    """Compare two single expressions."""
    try:
        return rational_leaf(answer, reference)
    except NeedsChild:
        pass
    try:
        verdicts = {_by_value(answer, reference, tight=tight) for tight in (False, True)}
    except TooDeep:
        return Equivalence(Relation.UNKNOWN, "too deep")
    except Unreadable:
        return _by_symbols(answer, reference)
    if len(verdicts) > 1:
        return Equivalence(Relation.UNKNOWN, "ambiguous")
    verdict = verdicts.pop()
    if verdict is Relation.UNEQUAL and _is_rounding(answer, reference):
        return Equivalence(Relation.UNKNOWN, "rounding")
    return Equivalence(verdict, "numeric")


def _by_value(answer: str, reference: str, *, tight: bool) -> Relation:
    left, right = parse(answer, tight=tight), parse(reference, tight=tight)
    return numeric.compare(left, right)


def _is_rounding(answer: str, reference: str) -> bool:
    for text, other in ((answer, reference), (reference, answer)):
        if _DECIMAL.fullmatch(text.strip()):
            value = numeric.approximate(parse(other))
            return value is not None and is_rounding(text, value)
    return False


def _by_symbols(answer: str, reference: str) -> Equivalence:
    if max(len(answer), len(reference)) > _LONGEST_FOR_SYMBOLS:
        return Equivalence(Relation.UNKNOWN, "too long")
    if not all(_is_readable(side) or _has_foreign_command(side) for side in (answer, reference)):
        return Equivalence(Relation.UNKNOWN, "unreadable")
    from reasoning.equivalence.symbolic import by_math_verify

    return by_math_verify(answer, reference)


def _is_readable(text: str) -> bool:
    """Only what has a command that our grammar lacks is left to math-verify, which also reads what is malformed."""
    try:
        parse(text)
    except Unreadable:
        return False
    return True


def _has_foreign_command(text: str) -> bool:
    """Are there LaTeX commands that our grammar does not know, all of them known to math-verify?"""
    foreign = [name for name in _COMMAND.findall(text) if name not in KNOWN]
    return bool(foreign) and LENT.issuperset(foreign)
