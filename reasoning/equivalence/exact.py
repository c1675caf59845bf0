"""The rational value of an expression tree, where it has one that is cheap to write out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Final

from reasoning.equivalence.tree import Node, NotExact

_MOST_BITS: Final = 100_000
_LARGEST_FACTORIAL: Final = 3_000
_HUGE_FACTORIAL: Final = 20_000
_LEAST_BASE: Final = 2


def exact(node: Node, variables: Mapping[str, Fraction] | None = None) -> Fraction:
    """Raises NotExact for irrational, huge or undefined values and for variables without a value."""
    if node.kind == "number":
        return node.value
    if node.kind == "variable" and variables is not None:
        return variables[node.name]
    parts = [exact(part, variables) for part in node.parts]
    if node.kind == "call" and node.name in _CALLS:
        return _CALLS[node.name](*parts)
    if node.kind in _OPERATIONS:
        return _bounded(_OPERATIONS[node.kind](*parts))
    raise NotExact(node.name)


def exact_or_none(node: Node) -> Fraction | None:
    try:
        return exact(node)
    except NotExact:
        return None


def is_huge(node: Node) -> bool:
    """Is it surely larger than every value that `exact` can give?"""
    if node.kind in ("+", "*"):
        sizes = [is_huge(part) for part in node.parts]
        least = 0 if node.kind == "+" else 1
        return any(sizes) and all(
            huge or ((value := exact_or_none(part)) is not None and value >= least)
            for huge, part in zip(sizes, node.parts, strict=True)
        )
    if node.kind == "!":
        return is_huge(node.parts[0]) or (exact_or_none(node.parts[0]) or 0) > _HUGE_FACTORIAL
    if node.kind != "^":
        return False
    base, exponent = (exact_or_none(part) for part in node.parts)
    grows = is_huge(node.parts[0]) or (base is not None and base >= _LEAST_BASE)
    return grows and (is_huge(node.parts[1]) or (exponent or 0) > _MOST_BITS)


def _bounded(value: Fraction) -> Fraction:
    if value.numerator.bit_length() + value.denominator.bit_length() > _MOST_BITS:
        raise NotExact("huge")
    return value


def _divide(above: Fraction, below: Fraction) -> Fraction:
    if below == 0:
        raise NotExact("division by zero")
    return above / below


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    if exponent.denominator != 1:
        return _power(_root(base, Fraction(exponent.denominator)), Fraction(exponent.numerator))
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if base == 0 and exponent <= 0:
        raise NotExact("0^0")
    if base == 0:
        return base
    if bits > 1 and abs(exponent) * bits > _MOST_BITS:
        raise NotExact("huge")
    return base ** int(exponent if bits > 1 else exponent % 2)


def _root(inside: Fraction, degree: Fraction) -> Fraction:
    if degree.denominator != 1 or not 1 <= degree <= 64 or inside < 0:
        raise NotExact("root")
    above, below = (_integer_root(part, int(degree)) for part in (inside.numerator, inside.denominator))
    return Fraction(above, below)


def _integer_root(value: int, degree: int) -> int:
    low, high = 0, 1 << (value.bit_length() // degree + 1)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if middle**degree < value else (low, middle)
    if low**degree != value:
        raise NotExact("irrational")
    return low


def _factorial(value: Fraction) -> Fraction:
    if value.denominator != 1 or not 0 <= value <= _LARGEST_FACTORIAL:
        raise NotExact("factorial")
    return Fraction(math.factorial(int(value)))


def _double_factorial(value: Fraction) -> Fraction:
    if value.denominator != 1 or not 0 <= value <= _LARGEST_FACTORIAL:
        raise NotExact("factorial")
    return Fraction(math.prod(range(int(value), 0, -2)))


def _modulo(value: Fraction, modulus: Fraction) -> Fraction:
    if value.denominator != 1 or modulus.denominator != 1 or modulus <= 0:
        raise NotExact("mod")
    return value % modulus


def _of_integers(function: Callable[..., int]) -> Callable[..., Fraction]:
    def apply(*values: Fraction) -> Fraction:
        if any(value.denominator != 1 for value in values):
            raise NotExact(function.__name__)
        return Fraction(function(*map(int, values)))

    return apply


def _binomial(above: Fraction, below: Fraction) -> Fraction:
    if above.denominator != 1 or below.denominator != 1 or not 0 <= below <= above <= _LARGEST_FACTORIAL:
        raise NotExact("binomial")
    return Fraction(math.comb(int(above), int(below)))


_OPERATIONS: Final[dict[str, Callable[..., Fraction]]] = {
    "+": lambda a, b: a + b,
    "*": lambda a, b: a * b,
    "/": _divide,
    "^": _power,
    "neg": lambda a: -a,
    "!": _factorial,
}
_CALLS: Final[dict[str, Callable[..., Fraction]]] = {
    "abs": abs,
    "floor": lambda a: Fraction(math.floor(a)),
    "ceil": lambda a: Fraction(math.ceil(a)),
    "root": _root,
    "binom": _binomial,
    "!!": _double_factorial,
    "mod": _modulo,
    "gcd": _of_integers(math.gcd),
    "lcm": _of_integers(math.lcm),
    "max": max,
    "min": min,
}
