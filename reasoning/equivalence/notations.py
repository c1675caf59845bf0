"""Notations of their own: bases, ratios, classes of remainders, quotient and remainder, infinity."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from reasoning.equivalence.outcome import Equivalence, Relation, all_of
from reasoning.equivalence.values import is_expression, value_of

Leaf = Callable[[str, str], Equivalence]

_BASED: Final = re.compile(r"(?P<digits>\d[0-9A-Fa-f]*|[A-F][0-9A-F]+)\s*_\{?(?P<base>\d{1,2})\}?")
_PREFIXED: Final = re.compile(r"0(?:x[0-9a-fA-F]+|b[01]+|o[0-7]+)")
_INFINITY: Final = re.compile(r"(?P<sign>[-+]?)\s*\\infty\s*")
_RATIO: Final = re.compile(r"[^:,=<>|(]+(?:\s*:\s*[^:,=<>|(]+)+")
_TO: Final = re.compile(r"\d+(?:\.\d+)?(?:\s+to\s+\d+(?:\.\d+)?)+")
_CLASS: Final = re.compile(
    r"(?:(?P<name>[a-zA-Z])\s*(?:\\equiv|=)\s*)?(?P<residue>[-+]?\d+)\s*"
    r"(?:\\pmod\s*\{?\s*(?P<a>\d+)\s*\}?|\(\s*\\?(?:b?mod|modulo)\s*(?P<b>\d+)\s*\)|\\?mod(?:ulo)?\s+(?P<c>\d+))"
)
_REMAINDER: Final = re.compile(
    r"(?P<quotient>\d+)\s*,?\s*(?:[Rr]|(?:with )?(?:a )?[Rr]emainder)(?: of)?\s*(?P<rest>\d+)"
)


def by_base(answer: str, reference: str) -> Equivalence | None:
    """`52_8` is a number in base 8. Against a number without a base it cannot be told which was asked for."""
    sides = [_BASED.fullmatch(side) or _PREFIXED.fullmatch(side) for side in (answer, reference)]
    if sides[0] is None and sides[1] is None:
        return None
    values = [_in_base(side) if side else None for side in sides]
    if values[0] is None or values[1] is None:
        return Equivalence(Relation.UNKNOWN, "base")
    return Equivalence(Relation.EQUAL if values[0] == values[1] else Relation.UNEQUAL, "base")


def _in_base(match: re.Match[str]) -> int | None:
    try:
        return int(match["digits"], int(match["base"])) if match.re is _BASED else int(match[0], 0)
    except ValueError:
        return None


def by_remainder(answer: str, reference: str) -> Equivalence | None:
    """ "12 R 3" against "12 remainder 3"; against anything else it cannot be told."""
    sides = [_REMAINDER.fullmatch(side) for side in (answer, reference)]
    if sides[0] is None and sides[1] is None:
        return None
    if sides[0] is None or sides[1] is None:
        return Equivalence(Relation.UNKNOWN, "remainder")
    left, right = ((int(side["quotient"]), int(side["rest"])) for side in sides if side)
    return Equivalence(Relation.EQUAL if left == right else Relation.UNEQUAL, "remainder")


def by_class(answer: str, reference: str) -> Equivalence | None:
    """ "x ≡ 3 (mod 7)" is "x ≡ 10 (mod 7)"; "3 (mod 7)" is 3; a named class against a number cannot be told."""
    sides = [_CLASS.fullmatch(side) for side in (answer, reference)]
    known = sides[0] or sides[1]
    if known is None:
        return None
    residues = [
        int(side["residue"]) if side else value_of(text) for side, text in zip(sides, (answer, reference), strict=True)
    ]
    moduli = {int(side["a"] or side["b"] or side["c"]) for side in sides if side}
    if residues[0] is None or residues[1] is None or 0 in moduli:
        return Equivalence(Relation.UNKNOWN, "class")
    if len({side["name"] for side in sides if side and side["name"]}) > 1:
        return Equivalence(Relation.UNKNOWN, "class")
    congruent = (residues[0] - residues[1]) % moduli.copy().pop() == 0
    if all(sides):
        return Equivalence(Relation.EQUAL if congruent and len(moduli) == 1 else Relation.UNEQUAL, "class")
    if residues[0] == residues[1] and not known["name"]:
        return Equivalence(Relation.EQUAL, "class")
    return Equivalence(Relation.UNKNOWN if congruent else Relation.UNEQUAL, "class")


def by_ratio(answer: str, reference: str, leaf: Leaf) -> Equivalence | None:
    """3:4 is 6:8; against a fraction or a number it cannot be told whether a ratio was asked for."""
    sides = [_parts(side) for side in (answer, reference)]
    left, right = sides
    if left is None and right is None:
        return None
    if left is None or right is None:
        return Equivalence(Relation.UNKNOWN, "ratio")
    if any(value_of(side[0]) == 0 for side in (left, right)):
        return Equivalence(Relation.UNKNOWN, "ratio")
    if len(left) != len(right):
        return Equivalence(Relation.UNEQUAL, "ratio")
    pairs = zip(left[1:], right[1:], strict=True)
    return all_of([leaf(f"({a})*({right[0]})", f"({b})*({left[0]})") for a, b in pairs], "ratio")


def _parts(text: str) -> list[str] | None:
    if _TO.fullmatch(text):
        return re.split(r"\s+to\s+", text)
    parts = [part.strip() for part in text.split(":")] if _RATIO.fullmatch(text) else []
    return parts if parts and all(is_expression(part) for part in parts) else None


def by_infinity(answer: str, reference: str, leaf: Leaf) -> Equivalence | None:
    """±∞ against itself or against a number."""
    sides = [_INFINITY.fullmatch(side) for side in (answer, reference)]
    if sides[0] and sides[1]:
        same = (sides[0]["sign"] == "-") == (sides[1]["sign"] == "-")
        return Equivalence(Relation.EQUAL if same else Relation.UNEQUAL, "infinity")
    if not sides[0] and not sides[1]:
        return None
    value = value_of(reference if sides[0] else answer)
    return Equivalence(Relation.UNKNOWN if value is None else Relation.UNEQUAL, "infinity")
