"""Are two expression trees equal by value? Only the child process imports this: mpmath is heavy.

Constants are valued at 50, then 150 digits: a difference that shrinks with the precision is rounding, one that stays is
real. Trees with variables are valued at fixed rational points (Schwartz 1980, Zippel 1979), positive and negative.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any, Final

import mpmath

from reasoning.equivalence.exact import exact
from reasoning.equivalence.outcome import Relation
from reasoning.equivalence.tree import Expression, Node, NotExact, has_constant, names_of

DIGITS: Final = (50, 150, 450)
_LARGEST_EXPONENT: Final = 10**6
_POINTS: Final = 8
_NUMERATORS: Final = (10007, -7919, 3571, 20011, -4409, 15013, -611, 30011, 8837, -12553, 947, 17891)
_DENOMINATOR: Final = 6007
_INTEGERS: Final = (2, 3, 5, 4, 7, 6, 1, 8)
_TINY: Final = mpmath.mpf(10) ** -30
_INDICES: Final = frozenset("nmkNMK")


class Undecided(Exception):
    """The value is undefined, out of size, or depends on a convention."""


def compare(left: Expression, right: Expression) -> Relation:
    """EQUAL or UNEQUAL by value, UNKNOWN where that cannot be told."""
    if not (left.calls("log") or right.calls("log")):
        return _compare(left.tree, right.tree, left.names() | right.names())
    readings = {
        _compare(_with_base(left.tree, base), _with_base(right.tree, base), left.names() | right.names())
        for base in (None, 10)
    }
    return readings.pop() if len(readings) == 1 else Relation.UNKNOWN


def approximate(expression: Expression) -> Fraction | None:
    """The value to thirty decimals, or None where there are variables, no value or no real one."""
    if expression.names() or not _is_real(expression.tree, {}):
        return None
    with mpmath.workdps(60):
        return Fraction(int(mpmath.nint(mpmath.re(_value(expression.tree, {})) * 10**30)), 10**30)


def _with_base(node: Node, base: int | None) -> Node:
    """`log` read as the natural (None) or the decimal logarithm, where no base is written."""
    parts = tuple(_with_base(part, base) for part in node.parts)
    if node.kind == "call" and node.name == "log" and len(parts) == 1 and base is not None:
        parts = (parts[0], Node("number", value=Fraction(base)))
    return Node(node.kind, parts, node.name, node.value)


def _compare(left: Node, right: Node, names: set[str]) -> Relation:
    if not names:
        try:
            return _at(left, right, {})
        except Undecided:
            return Relation.UNKNOWN
    verdicts = _at_points(left, right, _real_points(names))
    if Relation.UNEQUAL not in verdicts:
        return (
            Relation.EQUAL
            if verdicts.count(Relation.EQUAL) >= 3 and Relation.UNKNOWN not in verdicts
            else Relation.UNKNOWN
        )
    if _differ_by_a_constant_of_integration(left, right, names) or _are_one_progression(left, right, names):
        return Relation.UNKNOWN
    if names <= _INDICES and set(_at_points(left, right, _integer_points(names))) == {Relation.EQUAL}:
        return Relation.UNKNOWN
    return Relation.UNEQUAL


def _differ_by_a_constant_of_integration(left: Node, right: Node, names: set[str]) -> bool:
    """`F(x) + C` against F(x)."""
    sides = [names_of(side) for side in (left, right)]
    if sides[0] ^ sides[1] != {"C"}:
        return False
    points = [{**point, "C": Fraction(0)} for point in _real_points(names)]
    return set(_at_points(left, right, points)) == {Relation.EQUAL}


def _are_one_progression(left: Node, right: Node, names: set[str]) -> bool:
    """Do both run through the same angles a + kb, k whole: π/2 + kπ and π/2 − kπ?"""
    if len(names) != 1 or not names <= _INDICES or not (has_constant(left, "pi") and has_constant(right, "pi")):
        return False
    name = next(iter(names))
    try:
        with mpmath.workdps(DIGITS[0]):
            runs = [[_value(side, {name: Fraction(k)}) for k in range(3)] for side in (left, right)]
            steps = [run[1] - run[0] for run in runs]
            bent = [abs(run[2] - run[1] - step) for run, step in zip(runs, steps, strict=True)]
            if steps[0] == 0 or max(bent) > _TINY or abs(abs(steps[0]) - abs(steps[1])) > _TINY:
                return False
            turns = (runs[0][0] - runs[1][0]) / steps[0]
            return bool(abs(turns - mpmath.nint(mpmath.re(turns))) < _TINY)
    except Undecided:
        return False


def _at_points(left: Node, right: Node, points: Iterable[Mapping[str, Fraction]]) -> list[Relation]:
    """The verdict at every point where both sides have a real value; UNKNOWN where only one has."""
    verdicts: list[Relation] = []
    for point in points:
        defined = [_is_real(side, point) for side in (left, right)]
        if all(defined):
            try:
                verdicts.append(_at(left, right, point))
            except Undecided:
                continue
        elif any(defined):
            verdicts.append(Relation.UNKNOWN)
    return verdicts


def _real_points(names: set[str]) -> list[dict[str, Fraction]]:
    ordered = sorted(names)
    size = len(_NUMERATORS)
    return [
        {
            name: Fraction(_NUMERATORS[(point + 5 * place) % size], _DENOMINATOR + 2 * place)
            for place, name in enumerate(ordered)
        }
        for point in range(_POINTS)
    ]


def _integer_points(names: set[str]) -> list[dict[str, Fraction]]:
    ordered = sorted(names)
    return [
        {name: Fraction(_INTEGERS[(point + 3 * place) % len(_INTEGERS)]) for place, name in enumerate(ordered)}
        for point in range(_POINTS)
    ]


def _is_real(node: Node, point: Mapping[str, Fraction]) -> bool:
    with mpmath.workdps(30):
        try:
            value = mpmath.mpmathify(_value(node, point))
        except Undecided:
            return False
        return bool(abs(mpmath.im(value)) <= mpmath.mpf(10) ** -20 * max(1, abs(value)))


def _at(left: Node, right: Node, point: Mapping[str, Fraction]) -> Relation:
    try:
        return Relation.EQUAL if exact(left, point) == exact(right, point) else Relation.UNEQUAL
    except NotExact:
        pass
    sides = [_values(node, point) for node in (left, right)]
    gaps = []
    for digits, first, second in zip(DIGITS, *sides, strict=True):
        with mpmath.workdps(digits):
            gaps.append(abs(first - second))
    return _judge(gaps, max(abs(sides[0][-1]), abs(sides[1][-1])))


def _values(node: Node, point: Mapping[str, Fraction]) -> list[Any]:
    values = []
    for digits in DIGITS:
        with mpmath.workdps(digits):
            values.append(mpmath.mpmathify(_value(node, point)))
    return values


def _judge(gaps: list[Any], size: Any) -> Relation:
    """Rounding shrinks by a hundred digits and more from one precision to the next; a real gap does not move."""
    coarse, middle, fine = gaps
    if fine == 0 or (
        fine <= mpmath.mpf(10) ** -250 * max(size, middle) and (middle == 0 or fine <= middle * mpmath.mpf(10) ** -200)
    ):
        return Relation.EQUAL
    if abs(fine - middle) <= fine * mpmath.mpf(10) ** -10 or abs(middle - coarse) <= middle * mpmath.mpf(10) ** -10:
        return Relation.UNEQUAL
    return Relation.UNKNOWN


def _value(node: Node, point: Mapping[str, Fraction]) -> Any:
    if node.kind == "number":
        return _rational(node.value)
    if node.kind == "variable":
        return _rational(point[node.name])
    if node.kind == "constant":
        return {"pi": +mpmath.pi, "e": +mpmath.e, "i": mpmath.mpc(0, 1)}[node.name]
    parts = [_value(part, point) for part in node.parts]
    operation = _CALLS[node.name] if node.kind == "call" else _OPERATIONS[node.kind]
    try:
        result = operation(*parts)
    except (ValueError, ZeroDivisionError, OverflowError, TypeError) as error:
        raise Undecided(str(error)) from error
    if not mpmath.isfinite(result):
        raise Undecided("infinite")
    return result


def _rational(value: Fraction) -> Any:
    return mpmath.mpf(value.numerator) / value.denominator


def _sized(value: Any) -> Any:
    if abs(value) > _LARGEST_EXPONENT:
        raise Undecided("out of size")
    return value


def _is_integer(value: Any) -> bool:
    return bool(mpmath.im(value) == 0 and mpmath.isint(mpmath.re(value)))


def _power(base: Any, exponent: Any) -> Any:
    if mpmath.im(base) == 0 and mpmath.re(base) < 0 and not _is_integer(exponent):
        raise Undecided("root of a negative number")
    if base == 0 and mpmath.re(exponent) <= 0:
        raise Undecided("0^0")
    if base != 0:
        _sized(exponent * mpmath.log(base))
    return base**exponent


def _factorial(value: Any) -> Any:
    return mpmath.factorial(_sized(value))


def _root(inside: Any, degree: Any) -> Any:
    if mpmath.im(inside) == 0 and mpmath.re(inside) < 0 and _is_integer(degree) and int(mpmath.re(degree)) % 2:
        return -((-inside) ** (1 / mpmath.mpf(degree)))
    return mpmath.sqrt(inside) if degree == 2 else _power(inside, 1 / degree)


def _logarithm(value: Any, base: Any = None) -> Any:
    return mpmath.log(value) if base is None else mpmath.log(value) / mpmath.log(base)


def _whole(rounding: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A jump cannot be told at a rounding error's distance."""

    def apply(value: Any) -> Any:
        nearest = mpmath.nint(mpmath.re(value))
        if value != nearest and abs(value - nearest) < mpmath.mpf(10) ** -25:
            raise Undecided("at a jump")
        return rounding(value)

    return apply


_OPERATIONS: Final[dict[str, Callable[..., Any]]] = {
    "+": lambda a, b: a + b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "neg": lambda a: -a,
    "^": _power,
    "!": _factorial,
}
_CALLS: Final[dict[str, Callable[..., Any]]] = {
    **{name: getattr(mpmath, name) for name in ("sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh")},
    **{"arc" + name: getattr(mpmath, "a" + name) for name in ("sin", "cos", "tan")},
    "abs": abs,
    "exp": lambda a: mpmath.exp(_sized(a)),
    "ln": mpmath.log,
    "lg": lambda a: mpmath.log(a) / mpmath.log(10),
    "log": _logarithm,
    "cbrt": lambda a: _root(a, mpmath.mpf(3)),
    "root": _root,
    "binom": lambda a, b: mpmath.binomial(_sized(a), _sized(b)),
    "floor": _whole(mpmath.floor),
    "ceil": _whole(mpmath.ceil),
}
