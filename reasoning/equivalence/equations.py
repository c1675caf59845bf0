"""Are two equations the same statement?"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from reasoning.equivalence.exact import exact
from reasoning.equivalence.grammar import parse
from reasoning.equivalence.outcome import Equivalence, Relation
from reasoning.equivalence.polynomials import monic, quadratic
from reasoning.equivalence.relations import COMPARISON, Related
from reasoning.equivalence.tree import Expression, NotExact, Unreadable

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
    if linear or _are_parallel(values) or _have_other_roots(first, second, names):
        return Equivalence(Relation.UNEQUAL, "equation")
    return unknown


def _have_other_roots(first: Expression, second: Expression, names: list[str]) -> bool:
    """Does some line parallel to an axis meet one where it does not meet the other?"""
    for name in names:
        for at in range(3):
            others = {other: _POINTS[(at + 3 * place) % 10] for place, other in enumerate(names) if other != name}
            sides = [quadratic(side.tree, name, others) for side in (first, second)]
            if sides[0] is not None and sides[1] is not None and monic(sides[0]) != monic(sides[1]):
                return True
    return False


def _are_parallel(values: list[tuple[Fraction, Fraction]]) -> bool:
    """Is one a multiple of the other plus a constant, as of two circles about one centre?"""
    (a, b), *rest = values
    slopes = [(above - a, below - b) for above, below in rest]
    return all(slopes[0]) and all(up * slopes[0][1] == across * slopes[0][0] for up, across in slopes)


def _difference(side: Related) -> Expression:
    left = side.left or side.name
    if not left or COMPARISON.search(side.right) or (side.right[0:1] in "[(" and "," in side.right):
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
