"""Numbers with what stands around them: currency, per cent, units, counted things."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from reasoning.equivalence import spoken, units

PERCENT: Final = "%"
_CURRENCIES: Final = {
    "$": "dollar",
    "US$": "dollar",
    "USD": "dollar",
    "€": "euro",
    "EUR": "euro",
    "£": "sterling",
    "GBP": "sterling",
    "¥": "yen",
    "₹": "rupee",
    "Rs.": "rupee",
    "Rs": "rupee",
}
_CURRENCY_UNITS: Final = {
    "dollar": ("money", Fraction(100)),
    "euro": ("euro", Fraction(1)),
    "sterling": ("sterling", Fraction(1)),
    "yen": ("yen", Fraction(1)),
    "rupee": ("rupee", Fraction(1)),
}
_SHORT: Final = {"k": 10**3, "K": 10**3, "M": 10**6, "mn": 10**6, "bn": 10**9, "B": 10**9}
"""Multipliers behind an amount of money."""

_NUMBER: Final = r"[-+]?(?:\d[\d,]*(?:\.\d+)?|\.\d+)(?:\s*/\s*\d+|\s+\d+/\d+)?"
_BODY: Final = rf"(?P<body>{_NUMBER}|[-+]?\d*\s*\\frac\{{\d+\}}\{{\d+\}})"
_COUNTED: Final = re.compile(rf"{_BODY}(?:\s+|-(?=[a-z]{{3}}))(?P<unit>[a-zA-Z][a-zA-Z' -]*?(?:\s?/\s?[a-zA-Z ]+)?)")
_TAIL: Final = re.compile(r"\s+(?:in (?:total|all)|altogether|total|each|remaining|overall)$")
_SHARE: Final = re.compile(rf"{_BODY}\s+of\s+(?:the|a|an|all|his|her|their|its)\s+[a-zA-Z' -]+")
_SPACED: Final = re.compile(r"(?P<number>[-+]?\d{1,3}(?: \d{3})+(?:\.\d+)?)(?P<rest>\s*[a-zA-Z%°\\].*)?")
_NOT_UNITS: Final = frozenset(spoken.MULTIPLIERS) | frozenset(
    [
        "or",
        "and",
        "to",
        "of",
        "out",
        "times",
        "more",
        "less",
        "than",
        "over",
        "by",
        "through",
        "minus",
        "plus",
        "dozen",
        "percent",
        "in",
        "mod",
        "modulo",
        "choose",
        "pairs",
        "pair",
        "from",
        "remainder",
        "square",
        "cubic",
        "sin",
        "cos",
        "tan",
        "log",
        "ln",
        "pi",
        "sqrt",
        "e",
        "i",
        "x",
        "y",
        "z",
        "n",
        "k",
        "r",
        "am",
        "pm",
        "a",
        "b",
        "c",
        "d",
        "is",
        "are",
        "below",
        "above",
        "negative",
        "squared",
        "cubed",
        "factorial",
        "half",
        "halves",
        "thirds",
        "quarters",
        "fourths",
        "fifths",
        "tenths",
        "hundredths",
        "base",
        "power",
    ]
)
_STARTS: Final = re.compile(r"(?:(?<=[\d})\]!])|(?<=\\pi))(?P<space>\s*)(?=[a-zA-Z°¢µΩ])|(?<=\d)-(?=[a-z]{3})")
_VARIABLE: Final = re.compile(r"(?<![a-zA-Z\\])(?!(?<=\d)[eE][-+]?\d)[a-zA-Z](?![a-zA-Z])")
"""A letter by itself that is no exponent's, as in 1.6e-19."""
_NESTED_UNIT: Final = re.compile(r"(?<![\\a-zA-Z])[a-zA-Z]{2,}")
_FUNCTION_NAME: Final = re.compile("sqrt|pi|sin|cos|tan|log|ln|exp|frac|times|cdot")
_FUNCTION: Final = re.compile("sin|cos|tan|sec|csc|cot")
_MONEY: Final = re.compile(
    r"(?P<sign>[-+]?)\s*(?P<mark>US\$|USD|EUR|GBP|Rs\.?|[$€£¥₹])\s*(?P<body>[-+]?[\d.(\\].*?)"
    rf"(?:(?<=\d)\s?(?P<short>{'|'.join(_SHORT)}))?"
)
_CONTINENTAL: Final = re.compile(r"\d{1,3}(?:\.\d{3})+")
"""€1.000 may be a thousand."""
_RESTATED: Final = re.compile(r"(?P<said>[^()]+?)\s+\((?P<again>[^()]+)\)")
_COMPOUND_PART: Final = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[a-zA-Z]+)\.?")
_COMPOUND: Final = re.compile(rf"{_COMPOUND_PART.pattern}(?:\s*(?:,|and|,\s*and)?\s+\d+(?:\.\d+)?\s*[a-zA-Z]+\.?)+")
_ARC: Final = re.compile(r"(\d+)\s*°\s*(\d+)\s*'(?:\s*(\d+)\s*(?:''|\"))?")
_MULTIPLIED: Final = re.compile(
    rf"(?P<body>[-+]?\d[\d,]*(?:\.\d+|/\d+)?)\s*(?P<by>(?:(?:{'|'.join(spoken.MULTIPLIERS)})\b\s*)+)(?P<rest>.*)"
)
_DIRECTED: Final = re.compile(
    r"(?P<rest>.*?)\s+(?P<word>increase|gain|profit|growth|rise|decrease|loss|reduction|decline|drop|discount|off)"
)
_UPWARD: Final = frozenset({"increase", "gain", "profit", "growth", "rise"})


@dataclass(frozen=True, slots=True)
class Quantity:
    """`body` is an expression; `dimension` is empty for a bare number; `factor` turns it into the dimension's base unit.

    A counted noun ("apples") has the dimension `noun:apple`."""  # noqa: E501

    body: str
    dimension: str = ""
    factor: Fraction = Fraction(1)


def read(text: str) -> Quantity:
    """Split a normalised answer into its number and its unit; what has no unit comes back whole."""
    text = _TAIL.sub("", spoken.digits(_said_once(text)))
    spaced = _SPACED.fullmatch(text)
    if spaced:
        text = spaced["number"].replace(" ", "") + (spaced["rest"] or "")
    for reading in (_money, _compound, _arc, _multiplied):
        found = reading(text)
        if found is not None:
            return found
    if text.endswith(PERCENT):
        return Quantity(text[:-1].strip(), "percent")
    return _with_unit(text)


def _said_once(text: str) -> str:
    """ "8 (eight)" and "eight (8)" → 8."""
    match = _RESTATED.fullmatch(text)
    if match is None:
        return text
    first, second = (spoken.digits(match[name]).replace(",", "") for name in ("said", "again"))
    return first if first == second else text


def _money(text: str) -> Quantity | None:
    match = _MONEY.fullmatch(text)
    if match is None:
        return None
    inner = read(match["sign"] + match["body"])
    name = _CURRENCIES[match["mark"]]
    if name == "euro" and _CONTINENTAL.fullmatch(match["body"]):
        return Quantity(text)
    dimension, factor = _CURRENCY_UNITS[name]
    if match["short"]:
        inner = replace(inner, body=f"({inner.body})*{_SHORT[match['short']]}")
    if inner.dimension in ("", dimension):
        return Quantity(inner.body, dimension, factor)
    return (
        Quantity(inner.body, f"noun:{name} {inner.dimension[5:]}") if "noun:per" in inner.dimension else Quantity(text)
    )


def _multiplied(text: str) -> Quantity | None:
    """3 million, 2 hundred thousand people."""
    match = _MULTIPLIED.fullmatch(text)
    if match is None:
        return None
    times = math.prod(spoken.MULTIPLIERS[word] for word in match["by"].split())
    counted = read(f"{match['body']} {match['rest']}") if match["rest"] else Quantity(match["body"])
    if counted.body == match["body"]:
        return replace(counted, body=f"({counted.body})*{times}")
    return read(f"({match['body']})*{times} {match['rest']}".strip())


def is_compound(text: str) -> bool:
    """Is it one measure in several units, "2 hours and 15 minutes"?"""
    return _compound(text) is not None


def _compound(text: str) -> Quantity | None:
    if not _COMPOUND.fullmatch(text):
        return None
    parts = [(part["number"], units.read(part["unit"])) for part in _COMPOUND_PART.finditer(text)]
    known = [(number, unit) for number, unit in parts if unit is not None]
    factors = [unit[1] for _, unit in known]
    if len(known) != len(parts) or len({unit[0] for _, unit in known}) > 1:
        return None
    if sorted(set(factors), reverse=True) != factors:
        return None
    return Quantity("+".join(f"({number})*({unit[1]})" for number, unit in known), known[0][1][0])


def _arc(text: str) -> Quantity | None:
    """Degrees, minutes and seconds of arc."""
    match = _ARC.fullmatch(text)
    if match is None:
        return None
    return Quantity(f"{match[1]}+{match[2]}/60+{match[3] or 0}/3600", "angle")


def _with_unit(text: str) -> Quantity:
    for start in _STARTS.finditer(text):
        body, written = text[: start.start()], text[start.end() :]
        known = units.read(written)
        if known is not None and _is_set_off(body, written, start[0]) and re.search(r"[\d})\]!]$|\\pi$", body):
            return Quantity(body.strip(), *known) if known[0] else Quantity(body.strip())
    share = _SHARE.fullmatch(text)
    if share:
        return Quantity(share["body"], "noun:of")
    counted = _COUNTED.fullmatch(text)
    if counted:
        words = re.split(r"[\s/]+", counted["unit"].casefold())
        if words[-1] != "per" and not _NOT_UNITS.intersection(words):
            return Quantity(counted["body"], f"noun:{' '.join(units.stem(word) for word in words)}")
    return Quantity(text)


def _is_set_off(body: str, unit: str, space: str) -> bool:
    """Is what follows the number a unit, and no variable or part of a function's argument?"""
    if _NESTED_UNIT.search(_FUNCTION_NAME.sub("", body)):
        return False
    if unit.startswith("°") or "deg" in unit[:3]:
        return _FUNCTION.search(body) is None
    if not units.is_letter(unit):
        return True
    return bool(space) and _VARIABLE.search(body) is None


def direction(text: str) -> tuple[str, str]:
    """ "25% increase" → the 25% and whether it goes "up" or "down"; an empty string where nothing says so."""
    match = _DIRECTED.fullmatch(text)
    if match is None:
        return text, ""
    return match["rest"], "up" if match["word"] in _UPWARD else "down"
