"""The rules, in order, for two normalised answers. The first that knows decides.

`leaf` compares two single expressions; in the parent it raises NeedsChild for what is not rational, and the child then
runs the same rules with a leaf that can tell more.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Final

from reasoning.equivalence import collections, dates, measures, notations, quantities, relations, words
from reasoning.equivalence.collections import Collection
from reasoning.equivalence.conditions import by_condition
from reasoning.equivalence.equations import equations
from reasoning.equivalence.exact import exact_or_none
from reasoning.equivalence.grammar import parse
from reasoning.equivalence.outcome import Equivalence, NeedsChild, Relation, all_of
from reasoning.equivalence.tree import Unreadable
from reasoning.equivalence.values import is_rounding, value_of

Leaf = Callable[[str, str], Equivalence]

_MOST_ITEMS: Final = 24
_FEWEST_NAMES: Final = 2
_LOOSE_SPACE: Final = re.compile(r"(?<=\d) (?=[a-zA-Z])|(?<=[^\w\s.,]) | (?=[^\w\s.,])")
_INDIAN: Final = re.compile(r"\d{1,2}(?:,\d{2})+,\d{3}")
_DIGIT_GROUPS: Final = re.compile(r"\d+(?:,\d+)+")
_MIXED_OR_LIST: Final = re.compile(r"-?\d+ and \d+/\d+")
_NAMED_ITEM: Final = re.compile(r"(?P<name>\\?[a-zA-Z]+(?:_\{?\w+\}?)?)\s*=\s*(?P<value>[^=<>]+)")
_NUMERAL: Final = re.compile(r"-?\d+(?:\.\d+)?|-?\d+/\d+")
"""Of these no other rule has anything to say."""
_DECIMAL_COMMA: Final = re.compile(r"-?\d{1,3}(?:\.\d{3})*,\d+|-?\d+,\d+")


def _by_spacing(answer: str, reference: str) -> Equivalence | None:
    """ "5 m" is "5m" and "f (x)" is "f(x)"."""
    if " " not in answer and " " not in reference:
        return None
    same = _LOOSE_SPACE.sub("", answer) == _LOOSE_SPACE.sub("", reference)
    return Equivalence(Relation.EQUAL, "spacing") if same else None


_PLAIN_RULES: Final = (
    words.by_choice,
    words.by_statements,
    words.by_phrase,
    dates.by_date,
    words.by_same_text,
    _by_spacing,
    notations.by_base,
    notations.by_remainder,
    notations.by_class,
    by_condition,
)


def decide(answer: str, reference: str, leaf: Leaf) -> Equivalence:
    """Compare two normalised answers. Raises NeedsChild only where `leaf` does."""
    if answer == reference:
        return Equivalence(Relation.EQUAL, "exact")
    if _NUMERAL.fullmatch(answer) and _NUMERAL.fullmatch(reference):
        return leaf(answer, reference)
    chosen = _by_value_of_choice(answer, reference, leaf)
    if chosen is not None:
        return chosen
    for rule in _PLAIN_RULES:
        outcome = rule(answer, reference)
        if outcome is not None:
            return outcome
    for structured in (notations.by_ratio, notations.by_infinity, _by_relation, _by_names, _by_collection):
        outcome = structured(answer, reference, leaf)
        if outcome is not None:
            return outcome
    return _by_quantity(answer, reference, leaf)


def _by_value_of_choice(answer: str, reference: str, leaf: Leaf) -> Equivalence | None:
    """ "(C) 12" against 12, which is no letter, and against "(C) 13", of which one is copied wrongly."""
    left, right = words.choice(answer), words.choice(reference)
    if left is None and right is not None and right.value:
        return decide(answer, right.value, leaf)
    if right is None and left is not None and left.value:
        return decide(left.value, reference, leaf)
    if left is None or right is None or not (left.value and right.value) or left.letters != right.letters:
        return None
    differ = decide(left.value, right.value, leaf).verdict is Relation.UNEQUAL
    return Equivalence(Relation.UNKNOWN if differ else Relation.EQUAL, "choice")


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


def _by_relation(answer: str, reference: str, leaf: Leaf) -> Equivalence | None:
    """x = 5 is 5, x ∈ S is S, a < x ≤ b is an interval; two equations are equal where one is a multiple of the other."""  # noqa: E501
    left, right = relations.read(answer), relations.read(reference)
    if left is None and right is None:
        return None
    if left is not None and right is not None:
        if left.is_same_thing(right):
            return decide(left.right, right.with_argument(left.argument), leaf)
        return equations(left, right)
    known = left or right
    assert known is not None
    if not known.name:
        return Equivalence(Relation.UNKNOWN, "equation")
    return decide(left.right if left else answer, right.right if right else reference, leaf)


def _by_names(answer: str, reference: str, leaf: Leaf) -> Equivalence | None:
    """x = 1, y = 2 against y = 2, x = 1 by name, and against (1, 2) where the names stand in their order."""
    left, right = _named(answer), _named(reference)
    if left and right:
        if left.keys() != right.keys():
            return None
        return all_of([decide(left[name], right[name], leaf) for name in left], "names")
    if not left and not right:
        return None
    named, other = (left, reference) if left else (right, answer)
    tuple_ = collections.read(other)
    if not named or tuple_ is None or tuple_.kind != "tuple" or len(tuple_.items) != len(named):
        return None
    if list(named) != sorted(named):
        return Equivalence(Relation.UNKNOWN, "names")
    return all_of([decide(a, b, leaf) for a, b in zip(named.values(), tuple_.items, strict=True)], "names")


def _named(text: str) -> dict[str, str]:
    """The values by their names, of two names or more; empty where not every item has a name of its own."""
    if text.count("=") < _FEWEST_NAMES:
        return {}
    items = collections.read(text)
    matches = (
        [_NAMED_ITEM.fullmatch(item) for item in items.items] if items is not None and items.kind == "bare" else []
    )
    named = {match["name"]: match["value"].strip() for match in matches if match}
    return named if len(named) == len(matches) >= _FEWEST_NAMES else {}


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
    written = answer if left is not None else reference
    if _INDIAN.fullmatch(written):
        return leaf(written.replace(",", ""), single)
    if many.kind == "set" and len(many.items) == 1:
        return decide(many.items[0], reference, leaf) if left is not None else decide(answer, many.items[0], leaf)
    if _DECIMAL_COMMA.fullmatch(written) or words.is_wordy(single) or words.is_wordy(written):
        return Equivalence(Relation.UNKNOWN, "list")
    if _MIXED_OR_LIST.fullmatch(written) or re.search(r"\d \d", single):
        return Equivalence(Relation.UNKNOWN, "list")
    value = value_of(quantities.read(single).body)
    unclear = value is None or (value == 0 and many.kind == "matrix") or _is_malformed_number(written, value)
    return Equivalence(Relation.UNKNOWN if unclear else Relation.UNEQUAL, "list")


def _is_malformed_number(text: str, value: Fraction) -> bool:
    """`1,000,00` against 100000: a list has no item 000."""
    return bool(_DIGIT_GROUPS.fullmatch(text) and ",0" in text and int(text.replace(",", "")) == value)


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
    apart = rule == "interval" and _ascends(left) and _differ_at_finite_ends(left, right)
    return Equivalence(Relation.UNEQUAL if apart else Relation.UNKNOWN, rule)


def _ascends(interval: Collection) -> bool:
    """Can it be an interval at all? `[3,1]` cannot, and is then a vector."""
    ends = [value_of(item) for item in interval.items]
    return ends[0] is None or ends[1] is None or ends[0] < ends[1]


def _differ_at_finite_ends(left: Collection, right: Collection) -> bool:
    """`[1,\\infty]` is a slip for `[1,\\infty)`."""
    ends = zip(left.brackets, right.brackets, left.items, strict=False)
    return any(one != other and "\\infty" not in item for one, other, item in ends)


def _unordered(left: Collection, right: Collection, leaf: Leaf) -> Equivalence:
    """Every item of each side is on the other. Of bare lists the lengths count, of sets repetitions do not."""
    if "set" not in (left.kind, right.kind) and len(left.items) != len(right.items):
        return Equivalence(Relation.UNKNOWN if left.kind == "union" else Relation.UNEQUAL, "set")
    table = [[_member(a, b, leaf).verdict for b in right.items] for a in left.items]
    lines = [*table, *(list(column) for column in zip(*table, strict=True))]
    if not left.items or not right.items:
        return Equivalence(Relation.EQUAL if not left.items and not right.items else Relation.UNEQUAL, "set")
    best = [_best(line) for line in lines]
    if left.kind == "union" and Relation.UNEQUAL in best:
        of_intervals = all(item[0] in "([" for item in (*left.items, *right.items))
        return Equivalence(Relation.UNEQUAL if of_intervals else Relation.UNKNOWN, "interval")
    return all_of([Equivalence(verdict, "set") for verdict in best], "set")


def _member(a: str, b: str, leaf: Leaf) -> Equivalence:
    """Within a set, {1} is not 1."""
    if a.startswith("⦃") != b.startswith("⦃"):
        return Equivalence(Relation.UNEQUAL, "set")
    return decide(_braced(a), _braced(b), leaf)


def _braced(item: str) -> str:
    return item.replace("⦃", "\\lbrace ").replace("⦄", "\\rbrace ")


def _best(verdicts: list[Relation]) -> Relation:
    for verdict in (Relation.EQUAL, Relation.UNKNOWN):
        if verdict in verdicts:
            return verdict
    return Relation.UNEQUAL


def _by_quantity(answer: str, reference: str, leaf: Leaf) -> Equivalence:
    (answer, goes), (reference, should_go) = quantities.direction(answer), quantities.direction(reference)
    if goes and should_go and goes != should_go:
        return Equivalence(Relation.UNEQUAL, "direction")
    return measures.compare(quantities.read(answer), quantities.read(reference), leaf)
