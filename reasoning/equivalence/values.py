"""The rational value of a text, where it has one, and whether a decimal rounds it."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

from reasoning.equivalence.exact import exact_or_none
from reasoning.equivalence.grammar import parse
from reasoning.equivalence.tree import Unreadable

_DECIMAL: Final = re.compile(r"-?\d+\.(?P<places>\d+)")


def value_of(text: str) -> Fraction | None:
    """None where the text is no expression, has variables, or its value is irrational or huge."""
    try:
        return exact_or_none(parse(text).tree)
    except Unreadable:
        return None


def is_expression(text: str) -> bool:
    """Can the grammar read it?"""
    try:
        parse(text)
    except Unreadable:
        return False
    return True


def is_rounding(text: str, value: Fraction) -> bool:
    """Is `text` a decimal of at least three significant digits to which `value` rounds, or is cut off?"""
    match = _DECIMAL.fullmatch(text.strip())
    if match is None or len(text.replace(".", "").lstrip("-0")) < 3:
        return False
    written, unit = Fraction(text.strip()), Fraction(1, 10 ** len(match["places"]))
    return abs(value - written) <= unit / 2 or 0 <= abs(value) - abs(written) < unit
