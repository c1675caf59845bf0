"""Sets of real numbers that conditions describe: `2 < x ≤ 5`, `|x − 1| < 2`, `x < −1 or x > 4`, `{x : x ≠ 2}`.

Read only where every end is rational; what is not stays with the textual reading of `relations`.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction
from itertools import pairwise
from typing import Final

from reasoning.equivalence import intervals
from reasoning.equivalence.grammar import parse
from reasoning.equivalence.intervals import Piece, intersection, merged
from reasoning.equivalence.outcome import Equivalence, Relation
from reasoning.equivalence.polynomials import Quadratic, quadratic, roots
from reasoning.equivalence.tree import Node, Unreadable, names_of

_BUILDER: Final = re.compile(
    r"\\lbrace\s*(?P<name>[a-zA-Z])\s*(?:\\in\s*\\mathbb\{R\}\s*)?(?::|\||\\mid(?![a-zA-Z]))(?P<rest>.*)\\rbrace"
)
_MEMBER: Final = re.compile(r"(?P<name>[a-zA-Z])\s*\\in(?![a-zA-Z])\s*(?P<rest>.+)")
_EXCEPT: Final = re.compile(
    r"(?P<line>(?:\\mathbb\{R\}|all real numbers|all reals))\s*(?:-|,?\s*except(?:\s+for)?|\\setminus|\\backslash)\s*"
    r"(?:\\lbrace\s*)?(?P<points>[^\\]+?)\s*(?:\\rbrace)?"
)
_SIGN: Final = re.compile(r"\s*(\\le(?![a-zA-Z])|\\ge(?![a-zA-Z])|\\ne(?![a-zA-Z])|<|>|=)\s*")
_COMPARED: Final = re.compile(r"[<>]|\\(?:le|ge|ne)(?![a-zA-Z])")
_SET: Final = re.compile(r"\\(?:cup|cap|setminus|backslash|mathbb)(?![a-zA-Z])|\breal")
_OR: Final = re.compile(r"\s*,?\s+or\s+|\s*\\lor\s*")
_AND: Final = re.compile(r"\s*,?\s+and\s+|\s*[,;]\s*|\s*\\land\s*")
_LONGEST: Final = 300
_INDICES: Final = frozenset("nmkNMK")
_WINDOW: Final = range(-60, 61)
Condition = tuple[str, tuple[Piece, ...]]
"""The variable, empty for a plain set, and the pieces of the line."""


def by_condition(answer: str, reference: str) -> Equivalence | None:
    """Compare as sets of reals, where one side is a condition or is put together of several pieces."""
    sides = (answer, reference)
    if not any(_COMPARED.search(side) or _SET.search(side) for side in sides) or max(map(len, sides)) > _LONGEST:
        return None
    left, right = read(answer), read(reference)
    if left is None or right is None or (left[0] and right[0] and left[0] != right[0]):
        return None
    if left[1] == right[1]:
        return Equivalence(Relation.EQUAL, "interval")
    if _INDICES & {left[0], right[0]} and _integers(left[1]) == _integers(right[1]):
        return Equivalence(Relation.UNKNOWN, "interval")
    return Equivalence(Relation.UNEQUAL, "interval")


def read(text: str) -> Condition | None:
    """The set that a text describes, or None."""
    builder = _BUILDER.fullmatch(text)
    if builder:
        return _named(builder["name"], read(builder["rest"].strip()))
    missing = _EXCEPT.fullmatch(text)
    if missing:
        pieces = intervals.read(f"\\mathbb{{R}}\\setminus\\lbrace {missing['points']}\\rbrace")
        return None if pieces is None else ("", pieces)
    choices = _OR.split(text)
    if len(choices) > 1:
        return _joined([read(part) for part in choices], union=True)
    member = _MEMBER.fullmatch(text)
    if member:
        return _named(member["name"], read(member["rest"]))
    if not _COMPARED.search(text) and "=" not in text:
        return _plain(text)
    demands = _AND.split(text)
    if len(demands) > 1:
        return _joined([_chain(part) for part in demands], union=False)
    return _chain(text)


def _plain(text: str) -> Condition | None:
    """A set without a variable: intervals, points, their unions and intersections."""
    first, *rest = (intervals.read(part.strip()) for part in re.split(r"\\cap(?![a-zA-Z])", text))
    for more in rest:
        first = None if first is None or more is None else intersection(first, more)
    return None if first is None else ("", first)


def _named(name: str, condition: Condition | None) -> Condition | None:
    return None if condition is None or condition[0] not in ("", name) else (name, condition[1])


def _joined(parts: list[Condition | None], *, union: bool, empty: bool = False) -> Condition | None:
    """None where a part is, where the variables differ, or, unless it may be `empty`, where nothing is left."""
    known = [part for part in parts if part is not None]
    names = {name for name, _ in known} - {""}
    if len(known) != len(parts) or len(names) > 1:
        return None
    pieces = known[0][1]
    for _, more in known[1:]:
        pieces = merged([*pieces, *more]) if union else intersection(pieces, more)
    return (names.pop() if names else "", pieces) if pieces or empty else None


def _chain(text: str) -> Condition | None:
    """`a < x ≤ b`: every two neighbours hold."""
    parts = _SIGN.split(text)
    if not 3 <= len(parts) <= 5 or "" in parts:
        return None
    return _joined([_one(*parts[at : at + 3]) for at in range(0, len(parts) - 2, 2)], union=False, empty=True)


def _one(left: str, sign: str, right: str) -> Condition | None:
    """One comparison of polynomials of degree two at most, or of a modulus with a number."""
    try:
        above, below = parse(left).tree, parse(right).tree
    except Unreadable:
        return None
    names = names_of(above) | names_of(below)
    if len(names) != 1:
        return None
    name = names.pop()
    if below.kind == "call" and below.name == "abs":
        above, below, sign = below, above, {"<": ">", ">": "<", "\\le": "\\ge", "\\ge": "\\le"}.get(sign, sign)
    difference = _squared(above, below) or Node("+", (above, Node("neg", (below,))))
    polynomial = quadratic(difference, name, {})
    zeros = None if polynomial is None else roots(polynomial)
    if polynomial is None or zeros is None:
        return None
    return name, _where(polynomial, zeros, sign)


def _squared(modulus: Node, bound: Node) -> Node | None:
    """|u| against a c ≥ 0 is u² against c²."""
    if modulus.kind != "call" or modulus.name != "abs" or bound.kind != "number" or bound.value < 0:
        return None
    (inside,) = modulus.parts
    return Node("+", (Node("*", (inside, inside)), Node("number", value=-bound.value * bound.value)))


def _where(polynomial: Quadratic, zeros: list[Fraction], sign: str) -> tuple[Piece, ...]:
    a, b, c = polynomial
    ends: list[Fraction | float] = [-math.inf, *zeros, math.inf]
    found: list[Piece] = []
    for low, high in pairwise(ends):
        inside = _between(low, high)
        value = a * inside * inside + b * inside + c
        if sign == "\\ne" or (value > 0 and sign in (">", "\\ge")) or (value < 0 and sign in ("<", "\\le")):
            found.append(((low, 1), (high, 0)))
    if sign in ("\\le", "\\ge", "="):
        found += [((zero, 0), (zero, 1)) for zero in zeros]
    return merged(found)


def _between(low: Fraction | float, high: Fraction | float) -> Fraction:
    if isinstance(low, Fraction):
        return (low + high) / 2 if isinstance(high, Fraction) else low + 1
    return high - 1 if isinstance(high, Fraction) else Fraction(0)


def _integers(pieces: tuple[Piece, ...]) -> list[int]:
    return [n for n in _WINDOW if any(low <= (n, 0) and (n, 1) <= high for low, high in pieces)]
