"""The rules, in order, for two normalised answers. The first that knows decides.

`leaf` compares two single expressions; in the parent it raises NeedsChild for what is not rational, and the child then
runs the same rules with a leaf that can tell more.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Final

from reasoning.equivalence import collections, quantities, relations, words
from reasoning.equivalence.collections import Collection
from reasoning.equivalence.exact import exact_or_none
from reasoning.equivalence.grammar import parse
from reasoning.equivalence.intervals import by_pieces
from reasoning.equivalence.outcome import Equivalence, NeedsChild, Relation, all_of
from reasoning.equivalence.quantities import Quantity
from reasoning.equivalence.tree import Expression, Unreadable

Leaf = Callable[[str, str], Equivalence]

_MOST_ITEMS: Final = 24
_BASED: Final = re.compile(r"(?P<digits>\d[0-9A-Fa-f]*)_\{?(?P<base>\d{1,2})\}?")
_INFINITY: Final = re.compile(r"(?P<sign>[-+]?)\s*\\infty\s*")
_RATIO: Final = re.compile(r"\d+(?:\.\d+)?(?:\s*:\s*\d+(?:\.\d+)?)+")
_DECIMAL: Final = re.compile(r"-?\d+\.(?P<places>\d+)")
_UNSPACED_UNIT: Final = re.compile(r"[-+]?[\d.,]+(?:m|g|s|h|l|L|in|k|K|M|B)")
_DECIMAL_COMMA: Final = re.compile(r"-?\d{1,3}(?:\.\d{3})*,\d+|-?\d+,\d+")
_GLUED: Final = re.compile(r"(?P<number>[-+]?\d[\d.,]*)[a-zA-Z]{2,}")


def decide(answer: str, reference: str, leaf: Leaf) -> Equivalence:
    """Compare two normalised answers. Raises NeedsChild only where `leaf` does."""
    if answer == reference:
        return Equivalence(Relation.EQUAL, "exact")
    chosen = _by_value_of_choice(answer, reference, leaf)
    if chosen is not None:
        return chosen
    for rule in (words.by_choice, words.by_phrase, words.by_label, words.by_same_text, _by_base, _by_ratio, by_pieces):
        outcome = rule(answer, reference)
        if outcome is not None:
            return outcome
    for structured in (_by_infinity, _by_relation, _by_collection):
        outcome = structured(answer, reference, leaf)
        if outcome is not None:
            return outcome
    return _by_quantity(answer, reference, leaf)


def _by_value_of_choice(answer: str, reference: str, leaf: Leaf) -> Equivalence | None:
    """ "(C) 12" against 12, which is no letter."""
    left, right = words.choice(answer), words.choice(reference)
    if left is None and right is not None and right.value:
        return decide(answer, right.value, leaf)
    if right is None and left is not None and left.value:
        return decide(left.value, reference, leaf)
    return None


def rational_leaf(answer: str, reference: str) -> Equivalence:
    """Exact arithmetic; raises NeedsChild where either side has no rational value."""
    try:
        left, right = parse(answer), parse(reference)
    except Unreadable as error:
        raise NeedsChild from error
    if left.ambiguous or right.ambiguous:
        raise NeedsChild
    values = exact_or_none(left.tree), exact_or_none(right.tree)
    if values[0] is None or values[1] is None:
        raise NeedsChild
    if values[0] == values[1]:
        return Equivalence(Relation.EQUAL, "rational")
    return _unless_rounded(answer, reference, values[0], values[1])


def _unless_rounded(answer: str, reference: str, left: Fraction, right: Fraction) -> Equivalence:
    """A decimal of three digits or more that rounds the other value may be what was asked for: it cannot be told."""
    for text, other in ((answer, right), (reference, left)):
        if is_rounding(text, other):
            return Equivalence(Relation.UNKNOWN, "rounding")
    return Equivalence(Relation.UNEQUAL, "rational")


def is_rounding(text: str, value: Fraction) -> bool:
    """Is `text` a decimal of at least three significant digits to which `value` rounds, or is cut off?"""
    match = _DECIMAL.fullmatch(text.strip())
    if match is None or len(text.replace(".", "").lstrip("-0")) < 3:
        return False
    written, unit = Fraction(text.strip()), Fraction(1, 10 ** len(match["places"]))
    return abs(value - written) <= unit / 2 or 0 <= abs(value) - abs(written) < unit


def _by_base(answer: str, reference: str) -> Equivalence | None:
    """`52_8` is a number in base 8. Against a number without a base it cannot be told which was asked for."""
    sides = [_BASED.fullmatch(side) for side in (answer, reference)]
    if sides[0] is None and sides[1] is None:
        return None
    values = [_in_base(side) if side else None for side in sides]
    if values[0] is None or values[1] is None:
        return Equivalence(Relation.UNKNOWN, "base")
    return Equivalence(Relation.EQUAL if values[0] == values[1] else Relation.UNEQUAL, "base")


def _in_base(match: re.Match[str]) -> int | None:
    try:
        return int(match["digits"], int(match["base"]))
    except ValueError:
        return None


def _by_ratio(answer: str, reference: str) -> Equivalence | None:
    sides = [_RATIO.fullmatch(side) is not None for side in (answer, reference)]
    if not any(sides):
        return None
    if not all(sides):
        return Equivalence(Relation.UNKNOWN, "ratio")
    left, right = ([Fraction(part.strip()) for part in side.split(":")] for side in (answer, reference))
    same = len(left) == len(right) and all(a * right[0] == b * left[0] for a, b in zip(left, right, strict=True))
    return Equivalence(Relation.EQUAL if same and left[0] and right[0] else Relation.UNEQUAL, "ratio")


def _by_infinity(answer: str, reference: str, leaf: Leaf) -> Equivalence | None:
    """±∞ against itself or against a number."""
    sides = [_INFINITY.fullmatch(side) for side in (answer, reference)]
    if sides[0] and sides[1]:
        same = (sides[0]["sign"] == "-") == (sides[1]["sign"] == "-")
        return Equivalence(Relation.EQUAL if same else Relation.UNEQUAL, "infinity")
    if not sides[0] and not sides[1]:
        return None
    value = _value(reference if sides[0] else answer)
    return Equivalence(Relation.UNKNOWN if value is None else Relation.UNEQUAL, "infinity")


def _by_relation(answer: str, reference: str, leaf: Leaf) -> Equivalence | None:
    """x = 5 is 5, x ∈ S is S, a < x ≤ b is an interval; two equations are equal where one is a multiple of the other."""  # noqa: E501
    left, right = relations.read(answer), relations.read(reference)
    if left is None and right is None:
        return None
    if left is not None and right is not None:
        if left.name and left.name == right.name:
            return decide(left.right, right.right, leaf)
        return relations.equations(left, right)
    known = left or right
    assert known is not None
    if not known.name:
        return Equivalence(Relation.UNKNOWN, "equation")
    return decide(left.right if left else answer, right.right if right else reference, leaf)


def _by_collection(answer: str, reference: str, leaf: Leaf) -> Equivalence | None:
    left, right = (None if quantities.is_compound(side) else collections.read(side) for side in (answer, reference))
    if left is None and right is None:
        return None
    if left is not None and right is not None and {left.kind, right.kind} - {"set", "bare", "union"}:
        for one, other in ((left, reference), (right, answer)):
            if one.kind == "set" and len(one.items) == 1:
                return decide(one.items[0], other, leaf) if one is left else decide(other, one.items[0], leaf)
    if left is None or right is None:
        return _one_of_many(left, right, answer, reference, leaf)
    if max(len(left.items), len(right.items), sum(map(len, left.rows)), sum(map(len, right.rows))) > _MOST_ITEMS:
        return Equivalence(Relation.UNKNOWN, "too many items")
    kinds = {left.kind, right.kind}
    if kinds == {"matrix"}:
        return _by_rows(left, right, leaf)
    if "matrix" in kinds:
        return Equivalence(Relation.UNKNOWN, "matrix")
    if kinds <= {"set", "bare"} or kinds == {"union"}:
        return _unordered(left, right, leaf)
    if "union" in kinds or "set" in kinds:
        return Equivalence(Relation.UNKNOWN, "interval")
    return _ordered(left, right, leaf)


def _one_of_many(
    left: Collection | None, right: Collection | None, answer: str, reference: str, leaf: Leaf
) -> Equivalence:
    """Several against one. `{5}` is 5; `3,14` may be 3.14; a list against a plain number differs."""
    many, single = (left, reference) if left is not None else (right, answer)
    assert many is not None
    if many.kind == "set" and len(many.items) == 1:
        return decide(many.items[0], reference, leaf) if left is not None else decide(answer, many.items[0], leaf)
    written = answer if left is not None else reference
    if _DECIMAL_COMMA.fullmatch(written) or words.is_wordy(single) or words.is_wordy(written):
        return Equivalence(Relation.UNKNOWN, "list")
    try:
        value = exact_or_none(parse(quantities.read(single).body).tree)
    except Unreadable:
        value = None
    return Equivalence(Relation.UNKNOWN if value is None else Relation.UNEQUAL, "list")


def _by_rows(left: Collection, right: Collection, leaf: Leaf) -> Equivalence:
    if [len(row) for row in left.rows] != [len(row) for row in right.rows]:
        transposed = len(left.rows) == len(right.rows[0]) and len(right.rows) == len(left.rows[0])
        return Equivalence(Relation.UNKNOWN if transposed else Relation.UNEQUAL, "matrix")
    pairs = zip((cell for row in left.rows for cell in row), (cell for row in right.rows for cell in row), strict=True)
    return all_of([decide(a, b, leaf) for a, b in pairs], "matrix")


def _ordered(left: Collection, right: Collection, leaf: Leaf) -> Equivalence:
    """Tuples and intervals. Square against round brackets is closed against open, or two ways to write a vector."""
    if len(left.items) != len(right.items):
        return Equivalence(Relation.UNEQUAL, "tuple")
    rule = "interval" if "interval" in (left.kind, right.kind) else "tuple"
    parts = all_of([decide(a, b, leaf) for a, b in zip(left.items, right.items, strict=True)], rule)
    if "bare" in (left.kind, right.kind):
        if parts.verdict is Relation.UNEQUAL:
            anyhow = _unordered(left, right, leaf)
            return parts if anyhow.verdict is Relation.UNEQUAL else Equivalence(Relation.UNKNOWN, rule)
        return parts if rule == "tuple" else Equivalence(Relation.UNKNOWN, rule)
    if left.brackets == right.brackets or parts.verdict is not Relation.EQUAL:
        return parts
    return Equivalence(Relation.UNEQUAL if rule == "interval" and _ascends(left) else Relation.UNKNOWN, rule)


def _ascends(interval: Collection) -> bool:
    """Can it be an interval at all? `[3,1]` cannot, and is then a vector."""
    try:
        ends = [exact_or_none(parse(item).tree) for item in interval.items]
    except Unreadable:
        return True
    return ends[0] is None or ends[1] is None or ends[0] < ends[1]


def _unordered(left: Collection, right: Collection, leaf: Leaf) -> Equivalence:
    """Every item of each side is on the other. Of bare lists the lengths count, of sets repetitions do not."""
    if "set" not in (left.kind, right.kind) and len(left.items) != len(right.items):
        return Equivalence(Relation.UNKNOWN if left.kind == "union" else Relation.UNEQUAL, "set")
    table = [[decide(a, b, leaf).verdict for b in right.items] for a in left.items]
    lines = [*table, *(list(column) for column in zip(*table, strict=True))]
    if not left.items or not right.items:
        return Equivalence(Relation.EQUAL if not left.items and not right.items else Relation.UNEQUAL, "set")
    best = [_best(line) for line in lines]
    if left.kind == "union" and Relation.UNEQUAL in best:
        return Equivalence(Relation.UNEQUAL, "interval")
    return all_of([Equivalence(verdict, "set") for verdict in best], "set")


def _best(verdicts: list[Relation]) -> Relation:
    for verdict in (Relation.EQUAL, Relation.UNKNOWN):
        if verdict in verdicts:
            return verdict
    return Relation.UNEQUAL


def _by_quantity(answer: str, reference: str, leaf: Leaf) -> Equivalence:
    left, right = quantities.read(answer), quantities.read(reference)
    if left.dimension == right.dimension:
        if left.dimension == "" and (text := words.by_text(left.body, right.body)) is not None:
            return text
        if left.dimension == "" and _may_be_unit(left.body, right.body):
            return Equivalence(Relation.UNKNOWN, "unit")
        if left.factor == right.factor:
            return leaf(left.body, right.body)
        return leaf(_scaled(left), _scaled(right))
    if "" in (left.dimension, right.dimension):
        return _with_bare(left, right, leaf)
    if {left.dimension, right.dimension} == {"angle", "radian"}:
        return leaf(_in_radians(left), _in_radians(right))
    if any(side.dimension.startswith("noun:") for side in (left, right)):
        return Equivalence(Relation.UNKNOWN, "unit")
    if "percent" in (left.dimension, right.dimension) or "kitchen" in (left.dimension, right.dimension):
        return Equivalence(Relation.UNKNOWN, "unit")
    return Equivalence(Relation.UNEQUAL, "unit")


def _may_be_unit(answer: str, reference: str) -> bool:
    """`5m` against 5: a unit that was left out, or a variable."""
    if all(re.search("[a-zA-Z]", side) for side in (answer, reference)):
        return False
    if any(_UNSPACED_UNIT.fullmatch(side) for side in (answer, reference)):
        return True
    glued = [(_GLUED.fullmatch(side), other) for side, other in ((answer, reference), (reference, answer))]
    return any(match is not None and _value(match["number"]) == _value(other) for match, other in glued)


def _in_radians(quantity: Quantity) -> str:
    return f"({quantity.body})*\\pi/180" if quantity.dimension == "angle" else quantity.body


def _scaled(quantity: Quantity) -> str:
    return f"({quantity.body})*({quantity.factor})"


def _with_bare(left: Quantity, right: Quantity, leaf: Leaf) -> Equivalence:
    """One side names a unit, the other none: equal numbers are equal answers, unless another unit could be meant."""
    with_unit, bare = (left, right) if left.dimension else (right, left)
    if words.is_wordy(bare.body):
        return Equivalence(Relation.UNKNOWN, "unit")
    same = leaf(left.body, right.body)
    value = _value(bare.body)
    if with_unit.dimension == "percent":
        return _percent(with_unit, bare, same, value, leaf)
    if with_unit.dimension == "angle" and same.verdict is Relation.UNEQUAL:
        return leaf(f"({with_unit.body})*\\pi/180", bare.body)
    if same.verdict is Relation.UNEQUAL and not with_unit.dimension.startswith("noun:"):
        number = _value(with_unit.body)
        if number and value and value / number in quantities.conversions(with_unit.dimension):
            return Equivalence(Relation.UNKNOWN, "unit")
    return Equivalence(same.verdict, "unit" if same.verdict is Relation.EQUAL else same.rule)


def _percent(with_unit: Quantity, bare: Quantity, same: Equivalence, value: Fraction | None, leaf: Leaf) -> Equivalence:
    """25% is 0.25; it is also the 25 that answers "what per cent?". Between 0 and 1 the second cannot be told."""
    hundredth = leaf(f"({with_unit.body})/100", bare.body)
    if hundredth.verdict is Relation.EQUAL:
        return Equivalence(Relation.EQUAL, "percent")
    if same.verdict is not Relation.EQUAL:
        return Equivalence(
            Relation.UNKNOWN if not (same.is_known and hundredth.is_known) else Relation.UNEQUAL, "percent"
        )
    return Equivalence(Relation.EQUAL if value is not None and abs(value) > 1 else Relation.UNKNOWN, "percent")


def _value(text: str) -> Fraction | None:
    try:
        expression: Expression = parse(text)
    except Unreadable:
        return None
    return exact_or_none(expression.tree)
