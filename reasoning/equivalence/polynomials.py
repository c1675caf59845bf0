"""Polynomials of degree two at most in one variable, found by exact values, and what their roots tell."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from reasoning.equivalence.exact import exact
from reasoning.equivalence.tree import Node, NotExact

Quadratic = tuple[Fraction, Fraction, Fraction]
"""a, b, c of ax² + bx + c."""
_CHECKS = tuple(Fraction(above, 7) for above in (2, -3, 11, -17, 40))


def quadratic(tree: Node, name: str, others: Mapping[str, Fraction]) -> Quadratic | None:
    """The coefficients in `name`, the other variables fixed; None where it is no such polynomial."""
    try:
        c, plus, minus = (exact(tree, {**others, name: Fraction(at)}) for at in (0, 1, -1))
        a, b = (plus + minus) / 2 - c, (plus - minus) / 2
        if all(exact(tree, {**others, name: x}) == a * x * x + b * x + c for x in _CHECKS):
            return a, b, c
    except (NotExact, KeyError):
        pass
    return None


def monic(polynomial: Quadratic) -> tuple[Fraction, ...] | None:
    """The monic polynomial with the same real roots, each once: () for none, None where every number is a root."""
    a, b, c = polynomial
    if a == 0:
        return (c / b,) if b else () if c else None
    discriminant = b * b - 4 * a * c
    if discriminant < 0:
        return ()
    return (b / (2 * a),) if discriminant == 0 else (b / a, c / a)


def roots(polynomial: Quadratic) -> list[Fraction] | None:
    """The real roots in order; None where they are not rational or everything is a root."""
    coefficients = monic(polynomial)
    if coefficients is None:
        return None
    if len(coefficients) < 2:
        return [-coefficient for coefficient in coefficients]
    b, c = coefficients
    try:
        width = exact(Node("call", (Node("number", value=b * b - 4 * c), Node("number", value=Fraction(2))), "root"))
    except NotExact:
        return None
    return [(-b - width) / 2, (-b + width) / 2]
