"""Are two expression trees equal by value? Only the child process imports this: mpmath is heavy.

Constants are valued at 50, then 150 digits: a difference that shrinks with the precision is rounding, one that stays is
real. Trees with variables are valued at fixed rational points (Schwartz 1980, Zippel 1979), positive and negative.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any, Final

import mpmath

from reasoning.equivalence.exact import exact, exact_or_none, is_huge
from reasoning.equivalence.outcome import Relation
from reasoning.equivalence.rewriting import has_bare_angle, in_degrees, renamed, with_base, without_common_terms
from reasoning.equivalence.tree import Expression, Node, NotExact, has_constant, names_of, nodes

DIGITS: Final = (50, 150, 450)
_LARGEST_EXPONENT: Final = 10**6
_SEEN: Final = 400
"""Of the finest of DIGITS, those that rounding leaves alone."""
_POINTS: Final = 8
_CONSTANTS: Final = frozenset({"\\phi", "\\varphi", "\\omega", "\\tau", "\\gamma", "\\zeta"})
"""Letters that may stand for a known number."""
_FREE: Final = frozenset("ABCDKck")
"""Letters of constants that may have any value."""
_NUMERATORS: Final = (10007, -7919, 3571, 20011, -4409, 15013, -611, 30011, 8837, -12553, 947, 17891)
_DENOMINATOR: Final = 6007
_INTEGERS: Final = (2, 3, 5, 4, 7, 6, 1, 8)
_TINY: Final = mpmath.mpf(10) ** -30
_INDICES: Final = frozenset("nmkNMK")


class Undecided(Exception):
    """The value is undefined, out of size, or depends on a convention."""


def compare(left: Expression, right: Expression) -> Relation:
    """EQUAL or UNEQUAL by value, UNKNOWN where that cannot be told."""
    if {"c", "C"} <= left.names() ^ right.names():  # the constant of integration, in either case
        left, right = (Expression(renamed(side.tree, "c", "C"), side.ambiguous) for side in (left, right))
    if any(side.names() and side.names() <= _CONSTANTS for side in (left, right)) and left.names() != right.names():
        return Relation.UNKNOWN
    trees = (left.tree, right.tree)
    names = left.names() | right.names()
    readings = [trees]
    if left.calls("log") or right.calls("log"):
        readings.append((with_base(left.tree, 10), with_base(right.tree, 10)))
    if any(has_bare_angle(tree) for tree in trees):
        readings.append((in_degrees(left.tree), in_degrees(right.tree)))
    verdicts = {_compare(*reading, names) for reading in readings}
    return verdicts.pop() if len(verdicts) == 1 else Relation.UNKNOWN


def approximate(expression: Expression) -> Fraction | None:
    """The value to thirty decimals, or None where there are variables, no value or no real one."""
    if expression.names() or not _is_real(expression.tree, {}):
        return None
    with mpmath.workdps(60):
        return Fraction(int(mpmath.nint(mpmath.re(_value(expression.tree, {})) * 10**30)), 10**30)


def _compare(left: Node, right: Node, names: set[str]) -> Relation:
    if not names:
        return _of_constants(left, right)
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
    own = [names_of(side) - names_of(other) for side, other in ((left, right), (right, left))]
    both = own[0] | own[1]
    if len(own[0]) == len(own[1]) == 1 and (both <= _INDICES or (both <= _FREE and both < names)):
        (one,), (other,) = own
        return (
            Relation.UNEQUAL
            if _compare(renamed(left, one, other), right, names - own[0]) is Relation.UNEQUAL
            else Relation.UNKNOWN
        )
    return Relation.UNEQUAL


def _of_constants(left: Node, right: Node) -> Relation:
    if any(is_huge(one) and exact_or_none(other) is not None for one, other in ((left, right), (right, left))):
        return Relation.UNEQUAL
    try:
        return _at(left, right, {})
    except Undecided:
        rest = without_common_terms(left, right)
        return Relation.UNKNOWN if rest is None else _of_constants(*rest)


def _differ_by_a_constant_of_integration(left: Node, right: Node, names: set[str]) -> bool:
    """`F(x) + C` against F(x), or against G(x) + C where F and G are apart by a constant."""
    sides = [names_of(side) for side in (left, right)]
    if "C" in sides[0] & sides[1] and {"C"} < names:
        return _are_apart_by_a_constant(left, right, names)
    if sides[0] ^ sides[1] != {"C"}:
        return False
    points = [{**point, "C": Fraction(0)} for point in _real_points(names)]
    return set(_at_points(left, right, points)) == {Relation.EQUAL}


def _are_apart_by_a_constant(left: Node, right: Node, names: set[str]) -> bool:
    """Is the gap the same at all points, and does one more C make the value one more?"""
    points = [point for point in _real_points(names) if _is_real(left, point) and _is_real(right, point)]
    try:
        with mpmath.workdps(DIGITS[0]):
            gaps = [_value(left, point) - _value(right, point) for point in points]
            steps = [_value(left, point | {"C": point["C"] + 1}) - _value(left, point) for point in points]
            off = [gap - gaps[0] for gap in gaps] + [step - 1 for step in steps]
    except Undecided:
        return False
    return len(points) >= 3 and bool(max(map(abs, off)) < _TINY)


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
    seen: dict[tuple[int, int], Any] = {}
    sides = [_values(node, point, seen) for node in (left, right)]
    gaps = []
    for digits, first, second in zip(DIGITS, *sides, strict=True):
        with mpmath.workdps(digits):
            gaps.append(abs(first - second))
    verdict = _judge(gaps, max(abs(sides[0][-1]), abs(sides[1][-1])))
    if verdict is Relation.EQUAL and any(_swallows(node, seen) for side in (left, right) for node in nodes(side)):
        rest = without_common_terms(left, right)
        return Relation.UNKNOWN if rest is None else _at(*rest, point)
    return verdict


def _swallows(node: Node, seen: Mapping[tuple[int, int], Any]) -> bool:
    """Does a sum lose a term that is too small to be seen beside the other, and is no rounding error?"""
    if node.kind != "+":
        return False
    middle, fine = ([seen[digits, id(part)] for part in node.parts] for digits in DIGITS[1:])
    small = min((0, 1), key=lambda place: abs(fine[place]))
    if fine[small] == 0 or middle[small] == 0:
        return False
    lost = abs(fine[small]) < abs(fine[1 - small]) * mpmath.mpf(10) ** -_SEEN
    return bool(lost and abs(fine[small]) > abs(middle[small]) * mpmath.mpf(10) ** -100)


def _values(node: Node, point: Mapping[str, Fraction], seen: dict[tuple[int, int], Any]) -> list[Any]:
    """The value to each of DIGITS; `seen` keeps the values of all the parts, by digits and identity."""
    values = []
    for digits in DIGITS:
        parts: dict[int, Any] = {}
        with mpmath.workdps(digits):
            values.append(mpmath.mpmathify(_value(node, point, parts)))
        seen.update({(digits, key): value for key, value in parts.items()})
    return values


def _judge(gaps: list[Any], size: Any) -> Relation:
    """Rounding shrinks by a hundred digits and more from one precision to the next; a real gap does not move."""
    coarse, middle, fine = gaps
    if middle == 0 and fine <= mpmath.mpf(10) ** -_SEEN * size:
        return Relation.EQUAL
    if middle and fine <= mpmath.mpf(10) ** -250 * max(size, middle) and fine <= middle * mpmath.mpf(10) ** -200:
        return Relation.EQUAL
    if abs(fine - middle) <= fine * mpmath.mpf(10) ** -10 or abs(middle - coarse) <= middle * mpmath.mpf(10) ** -10:
        return Relation.UNEQUAL
    return Relation.UNKNOWN


def _value(node: Node, point: Mapping[str, Fraction], seen: dict[int, Any] | None = None) -> Any:
    """The value at mpmath's precision. `seen` takes the values of all the parts, by identity."""
    value = _operated(node, point, seen) if node.parts else _atom(node, point)
    if seen is not None:
        seen[id(node)] = value
    return value


def _atom(node: Node, point: Mapping[str, Fraction]) -> Any:
    if node.kind == "constant":
        return {"pi": +mpmath.pi, "e": +mpmath.e, "i": mpmath.mpc(0, 1)}[node.name]
    return _rational(node.value if node.kind == "number" else point[node.name])


def _operated(node: Node, point: Mapping[str, Fraction], seen: dict[int, Any] | None) -> Any:
    parts = [_value(part, point, seen) for part in node.parts]
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


def _of_integers(*values: Any) -> Any:
    """Of whole numbers they are exact already."""
    raise Undecided("not whole")


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
    "!!": lambda a: mpmath.fac2(_sized(a)),
    "mod": lambda a, b: a - b * _whole(mpmath.floor)(a / b),
    "max": max,
    "min": min,
    "gcd": _of_integers,
    "lcm": _of_integers,
}
