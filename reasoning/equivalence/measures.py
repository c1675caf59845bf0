"""Compare two quantities: the same dimension, one without a unit, per cent, angles, temperatures."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Final

from reasoning.equivalence import words
from reasoning.equivalence.outcome import Equivalence, Relation
from reasoning.equivalence.quantities import Quantity
from reasoning.equivalence.units import UNITS, conversions
from reasoning.equivalence.values import is_rounding, value_of

Leaf = Callable[[str, str], Equivalence]

_UNSPACED_UNIT: Final = re.compile(r"[-+]?[\d.,]+(?:[mgshlLkKMBNJWVACFHT]|in)")
_GLUED: Final = re.compile(r"(?P<number>[-+]?\d[\d.,]*)[a-zA-Z]{2,}")
_SPACED_LETTER: Final = re.compile(r"(?P<number>[-+]?\d[\d.,]*)\s+(?:[A-Za-z]|\\[a-zA-Z]+)")
_KELVIN: Final = {"celsius": "({})+273.15", "fahrenheit": "(({})+459.67)*5/9", "temperature": "{}"}
_TAKEN_FOR_DEGREES: Final = frozenset({"angle", UNITS["C"][0], UNITS["F"][0]})
"""Against a temperature: 20 C and 68 F are seldom coulombs and farads, 37 degrees may be of any kind."""
_NEAR: Final = 1000
"""Of what a unit is converted to, the part by which it may be off for want of digits: 5 lb is 2268 g."""
_UNCERTAIN: Final = frozenset({"percent", "kitchen"})
"""Against another dimension these are not known to differ: a cup may be measured in litres."""


def compare(left: Quantity, right: Quantity, leaf: Leaf) -> Equivalence:
    """The two numbers where the dimensions are one or can be made one."""
    if left.dimension == right.dimension:
        if left.dimension == "" and (text := words.by_text(left.body, right.body)) is not None:
            return text
        if left.dimension == "" and _may_be_unit(left.body, right.body):
            return Equivalence(Relation.UNKNOWN, "unit")
        if left.factor == right.factor:
            return leaf(left.body, right.body)
        if _is_rounded(left, right) or _is_rounded(right, left):
            return Equivalence(Relation.UNKNOWN, "rounding")
        return leaf(_scaled(left), _scaled(right))
    dimensions = {left.dimension, right.dimension}
    if "" in dimensions:
        return _with_bare(left, right, leaf)
    if dimensions == {"angle", "radian"}:
        return leaf(_in_radians(left), _in_radians(right))
    if dimensions <= _KELVIN.keys():
        return leaf(*(f"({_KELVIN[side.dimension].format(side.body)})*({side.factor})" for side in (left, right)))
    if _KELVIN.keys() & dimensions and _TAKEN_FOR_DEGREES & dimensions:
        return Equivalence(Relation.UNKNOWN, "unit")
    if _UNCERTAIN & dimensions or any(name.startswith("noun:") for name in dimensions):
        return Equivalence(Relation.UNKNOWN, "unit")
    return Equivalence(Relation.UNEQUAL, "unit")


def _is_rounded(quantity: Quantity, other: Quantity) -> bool:
    """Is it the other one in another unit, rounded, as 1 m² is 10.8 ft² and 1 hp is 746 W?"""
    value, own = value_of(other.body), value_of(quantity.body)
    if value is None or own is None:
        return False
    converted = value * other.factor / quantity.factor
    near = abs(own - converted) * _NEAR <= abs(converted) or is_rounding(quantity.body, converted)
    return own != converted and near


def _may_be_unit(answer: str, reference: str) -> bool:
    """`5m` or `5 Q` against 5: a unit that was left out, or a variable."""
    if all(re.search("[a-zA-Z]", side) for side in (answer, reference)):
        return False
    if any(_UNSPACED_UNIT.fullmatch(side) for side in (answer, reference)):
        return True
    sides = ((answer, reference), (reference, answer))
    loose = [(pattern.fullmatch(side), other) for side, other in sides for pattern in (_GLUED, _SPACED_LETTER)]
    return any(match is not None and value_of(match["number"]) == value_of(other) for match, other in loose)


def _in_radians(quantity: Quantity) -> str:
    return f"({quantity.body})*({quantity.factor})*\\pi/180" if quantity.dimension == "angle" else quantity.body


def _scaled(quantity: Quantity) -> str:
    return f"({quantity.body})*({quantity.factor})"


def _with_bare(left: Quantity, right: Quantity, leaf: Leaf) -> Equivalence:
    """One side names a unit, the other none: equal numbers are equal answers, unless another unit could be meant."""
    with_unit, bare = (left, right) if left.dimension else (right, left)
    if words.is_wordy(bare.body):
        return Equivalence(Relation.UNKNOWN, "unit")
    same = leaf(left.body, right.body)
    value = value_of(bare.body)
    if with_unit.dimension == "percent":
        return _percent(with_unit, bare, same, value, leaf)
    if with_unit.dimension == "angle" and same.verdict is Relation.UNEQUAL:
        return leaf(_in_radians(with_unit), bare.body)
    if same.verdict is Relation.UNEQUAL and not with_unit.dimension.startswith("noun:"):
        number = value_of(with_unit.body)
        if number and value and value / number in conversions(with_unit.dimension):
            return Equivalence(Relation.UNKNOWN, "unit")
    return Equivalence(same.verdict, "unit" if same.verdict is Relation.EQUAL else same.rule)


def _percent(with_unit: Quantity, bare: Quantity, same: Equivalence, value: Fraction | None, leaf: Leaf) -> Equivalence:
    """25% is 0.25; it is also the 25 that answers "what per cent?". Between 0 and 1 the second cannot be told."""
    hundredth = leaf(f"({with_unit.body})/100", bare.body)
    if hundredth.verdict is Relation.EQUAL:
        return Equivalence(Relation.EQUAL, "percent")
    if same.verdict is not Relation.EQUAL:
        hundredfold = leaf(with_unit.body, f"({bare.body})*100")
        known = same.is_known and hundredth.is_known and hundredfold.is_known
        return Equivalence(Relation.UNEQUAL if known else Relation.UNKNOWN, "percent")
    return Equivalence(Relation.EQUAL if value is not None and abs(value) > 1 else Relation.UNKNOWN, "percent")
