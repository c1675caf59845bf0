"""math-verify, with its two weaknesses covered. Only the child process imports this.

1. It may read less than was written (`1-\\frac{1}{` for 1 − 1/e): a reading that lost a letter or a digit is no reading.
2. It compares with six decimals and calls "not proven" unequal: numbers are valued to 50 digits, and those decide.
"""  # noqa: E501

from __future__ import annotations

import logging
import re
from typing import Any, Final

import sympy
from math_verify import ExprExtractionConfig, LatexExtractionConfig, parse, verify

from reasoning.equivalence.outcome import Equivalence, Relation

DIGITS: Final = 50
_CLOSE: Final = sympy.Rational(1, 1000)
_SAME: Final = sympy.Rational(1, 10**40)
_COMMAND: Final = re.compile(r"\\[a-zA-Z]+|[^a-zA-Z0-9]")
_WORD: Final = re.compile(r"(?<![a-zA-Z])(?!(?:gcd|lcm|max|min|mod|lim|det|arg)(?![a-zA-Z]))[a-zA-Z]{3,}|[a-zA-Z]\d")
"""Words and codes (F478A7), which math-verify would read as products of letters, in lower case."""
_SETS: Final = re.compile(r"\\(?:cup|cap|setminus|lbrace|rbrace|mathbb|emptyset|varnothing)(?![a-zA-Z])")
_COMMANDS: Final = re.compile(r"\\[a-zA-Z]+")
_POINTS: Final = (sympy.Rational(10007, 6007), sympy.Rational(3571, 6011), sympy.Rational(-7919, 6029))
_CONFIG: Final = (LatexExtractionConfig(), ExprExtractionConfig())

# It warns once that its own alarm is off; here the parent's clock is the alarm.
logging.getLogger("math_verify").setLevel(logging.CRITICAL)


def by_math_verify(answer: str, reference: str) -> Equivalence:
    """Gold first, each in dollars. EQUAL only where nothing was lost in reading and the values do not object."""
    if answer.casefold() == reference.casefold() or any(
        _WORD.search(_COMMANDS.sub(" ", text)) for text in (answer, reference)
    ):
        return Equivalence(Relation.UNKNOWN, "unreadable")
    gold, target = _read(reference), _read(answer)
    if gold is None or target is None:
        return Equivalence(Relation.UNKNOWN, "unreadable")
    claimed = bool(verify([gold], [target], timeout_seconds=None))
    objection = _by_value(gold, target)
    if objection is Relation.UNEQUAL:
        return Equivalence(Relation.UNEQUAL, "numeric veto")
    if claimed and (objection is Relation.EQUAL or (objection is None and _same_numbers(gold, target))):
        return Equivalence(Relation.EQUAL, "math-verify")
    return Equivalence(Relation.UNKNOWN, "math-verify")


def _read(text: str) -> Any:
    """The sympy object of the whole text, or None."""
    found = parse(f"${text}$", extraction_config=_CONFIG, parsing_timeout=None)
    if len(found) < 2 or isinstance(found[0], str):
        return None
    if isinstance(found[0], sympy.Expr) and _SETS.search(text):
        return None  # a set read as a number or a product of letters is misread
    return found[0] if _COMMAND.sub("", str(found[1])) == _COMMAND.sub("", text) else None


def _by_value(gold: Any, target: Any) -> Relation | None:
    """EQUAL, UNEQUAL or UNKNOWN (too close to call, or no value) for two numbers or formulas; None for anything else."""  # noqa: E501
    if not (isinstance(gold, sympy.Expr) and isinstance(target, sympy.Expr)):
        return None
    symbols = sorted(gold.free_symbols | target.free_symbols, key=str)
    if any("{" in symbol.name for symbol in symbols):
        return Relation.UNKNOWN
    verdicts = set()
    for shift in range(len(_POINTS) if symbols else 1):
        point = {symbol: _POINTS[(place + shift) % len(_POINTS)] + place for place, symbol in enumerate(symbols)}
        verdicts.add(_at(gold.subs(point), target.subs(point)))
    for verdict in (Relation.UNKNOWN, Relation.UNEQUAL):
        if verdict in verdicts:
            return verdict
    return Relation.EQUAL


def _same_numbers(gold: Any, target: Any) -> bool:
    """Of sets and the like: the comparison rounds to six decimals, so the numbers written must be the same."""
    return bool(gold.atoms(sympy.Number) == target.atoms(sympy.Number))


def _at(gold: Any, target: Any) -> Relation:
    left, right = (sympy.N(side.doit(), DIGITS) for side in (gold, target))
    if not (left.is_number and right.is_number and left.is_finite and right.is_finite):
        return Relation.UNKNOWN
    distance = sympy.Abs(left - right)
    size = sympy.Max(sympy.Abs(left), sympy.Abs(right))
    if distance <= _SAME * size:
        return Relation.EQUAL
    return Relation.UNEQUAL if distance > _CLOSE * size else Relation.UNKNOWN
