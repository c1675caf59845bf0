"""Answers with a sign of relation in them: assignments, memberships, inequalities, equations."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from reasoning.equivalence.values import value_of

_LETTERS: Final = r"\([a-zA-Z](?:,\s?[a-zA-Z])*\)"
_NAME: Final = (
    rf"(?P<name>\\?[a-zA-Z]+\s?(?:_\{{?\w+\}}?)?'*(?:\^\{{?-1\}}?)?(?:\s?{_LETTERS})?|{_LETTERS}"
    r"|m?\s?\\(?:angle|triangle)\s*[A-Z]{1,3}|\|[A-Z]{2}\||\\(?:vec|overline|hat|bar)\s*(?:\{\w+\}|\w)"
    r"|\\frac\{d\s?[a-z]\}\{d\s?[a-z]\}|[a-zA-Z](?:\s?\+\s?[a-zA-Z])+)"
)
_IS: Final = r"(?:=|\\approx(?![a-zA-Z]))"
_ASSIGNED: Final = re.compile(rf"{_NAME}\s*{_IS}\s*(?P<right>[^=]+)")
_CASES: Final = re.compile(rf"{_NAME}\s*=\s*(?P<right>\\begin\{{cases\}}.*)")
_FOR_ALL: Final = re.compile(r"\s*,?\s*\(?(?:for (?:all|every|any|each)|\\forall)\b.*$")
_ARGUMENT: Final = re.compile(r"\s?\(\s?(\w)\s?\)$")
_REVERSED: Final = re.compile(r"(?P<right>[^=a-zA-Z]+)\s*=\s*(?P<name>[a-zA-Z])")
_CHAINED: Final = re.compile(rf"{_NAME}\s*=.*=\s*(?P<right>[^=]+)")
_MEMBER: Final = re.compile(rf"{_NAME}\s*\\in(?![a-zA-Z])\s*(?P<right>.+)")
_ORDER: Final = re.compile(r"\s*(\\le(?![a-zA-Z])|\\ge(?![a-zA-Z])|<|>)\s*")
_VARIABLE: Final = re.compile(r"[a-zA-Z]|\\[a-z]+")
_MODULUS: Final = re.compile(r"\|\s*([a-zA-Z])\s*\|")
_POSITIVE: Final = re.compile(r"(?:\d+(?:\.\d+)?|\\frac\{\d+\}\{\d+\}|\d*\s*\\sqrt\s?(?:\{\d+\}|\d))")
_SIGN: Final = re.compile(r"(?<![<>!\\])=")
COMPARISON: Final = re.compile(r"[<>]|\\le(?![a-zA-Z])|\\ge(?![a-zA-Z])|\\ne(?![a-zA-Z])")


@dataclass(frozen=True, slots=True)
class Related:
    """`name` is what the answer gives a value to; empty for an equation, whose two sides are then kept."""

    name: str
    right: str
    left: str = ""
    argument: str = ""
    """The x of f(x)."""

    def is_same_thing(self, other: Related) -> bool:
        """f(x) and f(t), or f(x) and y, for a function of one variable."""
        if self.name == other.name:
            return bool(self.name)
        first, second = sorted((self, other), key=lambda side: bool(side.argument))
        return first.name == "y" and bool(second.argument)

    def with_argument(self, argument: str) -> str:
        """What stands on the right, the argument's letter exchanged."""
        if not argument or not self.argument or argument == self.argument:
            return self.right
        letter = rf"(?<![a-zA-Z\\]){re.escape(self.argument)}(?![a-zA-Z])"
        return re.sub(letter, argument, self.right)


def read(text: str) -> Related | None:
    """None where the text holds no sign of relation, or several statements."""
    cases = _CASES.fullmatch(text)
    if cases:
        return _assigned(cases)
    if text.startswith("\\begin{cases}"):
        return None
    text = _FOR_ALL.sub("", text) if "=" in text else text
    if re.search(
        r",|;|\b(?:and|or)\b",
        re.sub(r"\([^()]*\)|\[[^\[\]]*\]|\d,\d{3}|\\lbrace.*\\rbrace|[\[(][^()\[\]]*[\])]", "", text),
    ):
        return None
    if _inside_braces(text):
        return None
    for pattern in (_MEMBER, _ASSIGNED, _CHAINED, _REVERSED):
        match = pattern.fullmatch(text)
        if match and not COMPARISON.search(text):
            return _assigned(match)
    interval = _interval(text)
    if interval is not None:
        return interval
    sides = _SIGN.split(text)
    if len(sides) == 2 and not COMPARISON.search(text):
        left, right = sides[0].strip(), sides[1].strip()
        value = value_of(left)
        return Related("=" if value is not None and value == value_of(right) else "", right, left)
    return Related("", text) if COMPARISON.search(text) else None


def _assigned(match: re.Match[str]) -> Related:
    argument = _ARGUMENT.search(match["name"])
    name = re.sub(r"\s|(?<=[\w}'])\s?\(.*\)", "", match["name"])
    return Related(name, match["right"].strip(), argument=argument[1] if argument else "")


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
