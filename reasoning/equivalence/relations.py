"""Answers with a sign of relation in them: assignments, memberships, inequalities, equations."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from reasoning.equivalence.exact import exact
from reasoning.equivalence.grammar import parse
from reasoning.equivalence.outcome import Equivalence, Relation
from reasoning.equivalence.tree import Expression, NotExact, Unreadable

_LETTERS: Final = r"\([a-zA-Z](?:,\s?[a-zA-Z])*\)"
_NAME: Final = rf"(?P<name>\\?[a-zA-Z]+(?:_\{{?\w+\}}?)?(?:\s?{_LETTERS})?|{_LETTERS})"
_ASSIGNED: Final = re.compile(rf"{_NAME}\s*=\s*(?P<right>[^=]+)")
_REVERSED: Final = re.compile(r"(?P<right>[^=a-zA-Z]+)\s*=\s*(?P<name>[a-zA-Z])")
_CHAINED: Final = re.compile(rf"{_NAME}\s*=.*=\s*(?P<right>[^=]+)")
_MEMBER: Final = re.compile(rf"{_NAME}\s*\\in(?![a-zA-Z])\s*(?P<right>.+)")
_ORDER: Final = re.compile(r"\s*(\\le(?![a-zA-Z])|\\ge(?![a-zA-Z])|<|>)\s*")
_VARIABLE: Final = re.compile(r"[a-zA-Z]|\\[a-z]+")
_MODULUS: Final = re.compile(r"\|\s*([a-zA-Z])\s*\|")
_POSITIVE: Final = re.compile(r"(?:\d+(?:\.\d+)?|\\frac\{\d+\}\{\d+\}|\\sqrt\{\d+\})")
_SIGN: Final = re.compile(r"(?<![<>!\\])=")
_COMPARISON: Final = re.compile(r"[<>]|\\le(?![a-zA-Z])|\\ge(?![a-zA-Z])|\\ne(?![a-zA-Z])")


@dataclass(frozen=True, slots=True)
class Related:
    """`name` is what the answer gives a value to; empty for an equation, whose two sides are then kept."""

    name: str
    right: str
    left: str = ""


def read(text: str) -> Related | None:
    """None where the text holds no sign of relation, or several statements."""
    if re.search(
        r",|;|\b(?:and|or)\b",
        re.sub(r"\([^()]*\)|\[[^\[\]]*\]|\d,\d{3}|\\lbrace.*\\rbrace|[\[(][^()\[\]]*[\])]", "", text),
    ):
        return None
    if _inside_braces(text):
        return None
    for pattern in (_MEMBER, _ASSIGNED, _CHAINED, _REVERSED):
        match = pattern.fullmatch(text)
        if match and not _COMPARISON.search(text):
            return Related(re.sub(r"\s|(?<=[\w}])\s?\(.*\)", "", match["name"]), match["right"].strip())
    interval = _interval(text)
    if interval is not None:
        return interval
    sides = _SIGN.split(text)
    if len(sides) == 2 and not _COMPARISON.search(text):
        return Related("", sides[1].strip(), sides[0].strip())
    return Related("", text) if _COMPARISON.search(text) else None


def _inside_braces(text: str) -> bool:
    """Does a sign of relation stand in a group, as in `\\sum_{k=1}^{n}`?"""
    depth = 0
    for char in text:
        depth += (char == "{") - (char == "}")
        if char in "=<>" and depth > 0:
            return True
    return False


def _interval(text: str) -> Related | None:
    """`a \\le x < b`, `x > a`, `a > x` as an interval of x."""
    parts = _ORDER.split(text)
    if len(parts) == 5:
        low, first, name, second, high = parts
        if first[0:2] != second[0:2] and {first, second} not in ({"<", "\\le"}, {">", "\\ge"}):
            return None
        if first in (">", "\\ge"):
            low, first, second, high = high, second, first, low
        if not _VARIABLE.fullmatch(name):
            return None
        return Related(name, f"{'(' if first in '<>' else '['}{low},{high}{')' if second in '<>' else ']'}")
    if len(parts) != 3:
        return None
    name, sign, bound = parts
    if not _is_name(name):
        name, bound = bound, name
        sign = {"<": ">", ">": "<", "\\le": "\\ge", "\\ge": "\\le"}[sign]
        if not _is_name(name):
            return None
    modulus = _MODULUS.fullmatch(name)
    if modulus:
        return Related(modulus[1], _around_zero(sign, bound)) if _POSITIVE.fullmatch(bound) else None
    if sign in ("<", "\\le"):
        return Related(name, f"(-\\infty,{bound}{')' if sign == '<' else ']'}")
    return Related(name, f"{'(' if sign == '>' else '['}{bound},\\infty)")


def _is_name(text: str) -> bool:
    return bool(_VARIABLE.fullmatch(text) or _MODULUS.fullmatch(text))


def _around_zero(sign: str, bound: str) -> str:
    """`|x| < a` and `|x| > a`, for a positive a."""
    if sign in ("<", "\\le"):
        return f"(-{bound},{bound})" if sign == "<" else f"[-{bound},{bound}]"
    low, high = (")", "(") if sign == ">" else ("]", "[")
    return f"(-\\infty,-{bound}{low}\\cup{high}{bound},\\infty)"


_POINTS: Final = tuple(Fraction(above, 7) for above in (3, -11, 19, 8, -5, 23, 2, -29, 31, 13))


_ENOUGH: Final = 4
"""Points at which two equations must have been looked at."""


def equations(left: Related, right: Related) -> Equivalence:
    """Two equations are equal where the difference of the sides of one is a constant multiple of the other's. They
    differ where a constant is left between them, and where both are linear. Anything else cannot be told."""
    unknown = Equivalence(Relation.UNKNOWN, "equation")
    try:
        first, second = (_difference(side) for side in (left, right))
        names = sorted(first.names() | second.names())
        if not names or first.names() != second.names():
            return unknown
        points = [{name: _POINTS[(at + 3 * place) % 10] for place, name in enumerate(names)} for at in range(8)]
        values = [pair for point in points if any(pair := (exact(first.tree, point), exact(second.tree, point)))]
        linear = all(_is_linear(side, names) for side in (first, second))
    except (Unreadable, NotExact):
        return unknown
    if len(values) < _ENOUGH:
        return unknown
    if all(a * values[0][1] == b * values[0][0] for a, b in values):
        return Equivalence(Relation.EQUAL, "equation")
    return Equivalence(Relation.UNEQUAL, "equation") if linear or _are_parallel(values) else unknown


def _are_parallel(values: list[tuple[Fraction, Fraction]]) -> bool:
    """Is one a multiple of the other plus a constant, as of two circles about one centre?"""
    (a, b), *rest = values
    slopes = [(above - a, below - b) for above, below in rest]
    return all(slopes[0]) and all(up * slopes[0][1] == across * slopes[0][0] for up, across in slopes)


def _difference(side: Related) -> Expression:
    left = side.left or side.name
    if not left or _COMPARISON.search(side.right) or (side.right[0:1] in "[(" and "," in side.right):
        raise Unreadable(side.right)
    return parse(f"({left})-({side.right})")


def _is_linear(expression: Expression, names: list[str]) -> bool:
    """f(p + q) + f(0) = f(p) + f(q) at two points."""
    for shift in (0, 4):
        p = {name: _POINTS[(shift + place) % 10] for place, name in enumerate(names)}
        q = {name: _POINTS[(shift + 2 * place + 5) % 10] for place, name in enumerate(names)}
        total = {name: p[name] + q[name] for name in names}
        zero = dict.fromkeys(names, Fraction(0))
        tree = expression.tree
        if exact(tree, total) + exact(tree, zero) != exact(tree, p) + exact(tree, q):
            return False
    return True
