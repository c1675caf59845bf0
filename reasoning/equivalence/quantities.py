"""Numbers with what stands around them: currency, per cent, units, number words."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

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

_TABLE: Final = """
length 1 mm millimeter millimetre | 10 cm centimeter centimetre | 1000 m meter metre | 1000000 km kilometer kilometre
length 127/5 in inch inches | 1524/5 ft foot feet | 4572/5 yd yard | 1609344 mi mile
mass 1/1000 mg milligram | 1 g gram gramme | 1000 kg kilogram kilo | 1000000 tonne | 45359237/100000 lb lbs pound | 45359237/1600000 oz ounce
time 1/1000 ms millisecond | 1 s sec second | 60 min minute | 3600 h hr hour | 86400 day | 604800 week
calendar 1 month | 12 year yr
length^3 1000 ml mL milliliter millilitre | 1000000 l L liter litre
kitchen 1 cup | 2 pint | 4 quart | 16 gallon
money 1 cent ¢ | 100 dollar USD buck
euro 1 euro EUR
sterling 1 GBP
angle 1 ° degree
radian 1 radian rad
percent 1 percent
none 1 unit
"""  # noqa: E501
UNITS: Final[dict[str, tuple[str, Fraction]]] = {}
for _line in _TABLE.strip().splitlines():
    _dimension, _, _entries = _line.partition(" ")
    for _entry in _entries.split("|"):
        _factor, *_names = _entry.split()
        for _name in _names:
            UNITS[_name] = (_dimension, Fraction(_factor))
_CURRENCY_UNITS: Final = {
    "dollar": ("money", Fraction(100)),
    "euro": ("euro", Fraction(1)),
    "sterling": ("sterling", Fraction(1)),
    "yen": ("yen", Fraction(1)),
    "rupee": ("rupee", Fraction(1)),
}
_LETTERS: Final = frozenset({"m", "g", "s", "h", "l", "L", "in"})
"""Units that are also variables or words: taken for units only where a space or a power sets them off."""

_NUMBER: Final = r"[-+]?(?:\d[\d,]*(?:\.\d+)?|\.\d+)(?:\s*/\s*\d+|\s+\d+/\d+)?"
_COUNTED: Final = re.compile(
    rf"(?P<body>{_NUMBER}|[-+]?\d*\s*\\frac\{{\d+\}}\{{\d+\}})\s+(?P<unit>[a-zA-Z][a-zA-Z' -]*)"
)
_NOT_UNITS: Final = frozenset(
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
        "hundred",
        "thousand",
        "million",
        "billion",
        "trillion",
        "dozen",
        "percent",
        "in",
        "mod",
        "per",
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
        "am",
        "pm",
        "a",
        "b",
        "c",
        "d",
        "is",
        "are",
    ]
)
_WORD: Final = r"(?:°|¢|[a-zA-Z]+)"
_UNIT: Final = re.compile(
    rf"(?P<space>\s*)(?P<unit>(?:(?:square|cubic|sq|cu)\.?\s+)?{_WORD}\s*(?:\^\s*\{{?\s*[23]\s*\}}?)?(?:\s*(?:/|per)\s*(?:square\s+)?{_WORD}(?:\^\s*\{{?\s*[23]\s*\}}?)?)?\.?)$"
)
_FUNCTION: Final = re.compile("sin|cos|tan|sec|csc|cot")
_PER: Final = re.compile(r"\s*(?:/|\bper\b)\s*")
_PART: Final = re.compile(
    rf"(?:(?P<power>square|cubic|sq|cu)\.?\s+)?(?P<name>{_WORD})\s*(?:\^\s*\{{?\s*(?P<digit>[23])\s*\}}?)?\.?"
)
_MONEY: Final = re.compile(r"(?P<sign>[-+]?)\s*(?P<mark>US\$|USD|EUR|GBP|Rs\.?|[$€£¥₹])\s*(?P<body>[-+]?[\d.(\\].*)")
_MULTIPLIERS: Final[dict[str, int]] = {
    "hundred": 10**2,
    "thousand": 10**3,
    "million": 10**6,
    "billion": 10**9,
    "trillion": 10**12,
    "dozen": 12,
}
_ORDINAL: Final = re.compile(r"(\d+)(?:st|nd|rd|th)")
_COMPOUND_PART: Final = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[a-zA-Z]+)\.?")
_COMPOUND: Final = re.compile(rf"{_COMPOUND_PART.pattern}(?:\s*(?:,|and|,\s*and)?\s+\d+(?:\.\d+)?\s*[a-zA-Z]+\.?)+")
_MULTIPLIED: Final = re.compile(
    rf"(?P<body>[-+]?\d[\d,]*(?:\.\d+)?)\s*(?P<by>(?:(?:{'|'.join(_MULTIPLIERS)})\b\s*)+)(?P<rest>.*)"
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """`body` is an expression; `dimension` is empty for a bare number; `factor` turns it into the dimension's base unit.

    A counted noun ("apples") has the dimension `noun:apple`."""  # noqa: E501

    body: str
    dimension: str = ""
    factor: Fraction = Fraction(1)


def read(text: str) -> Quantity:
    """Split a normalised answer into its number and its unit; what has no unit comes back whole."""
    text = _digits(text)
    money = _MONEY.fullmatch(text)
    if money:
        inner = read(money["sign"] + money["body"])
        dimension, factor = _CURRENCY_UNITS[_CURRENCIES[money["mark"]]]
        if inner.dimension in ("", dimension):
            return Quantity(inner.body, dimension, factor)
        return Quantity(text)
    together = _compound(text)
    if together is not None:
        return together
    many = _MULTIPLIED.fullmatch(text)
    if many:
        times = math.prod(_MULTIPLIERS[word] for word in many["by"].split())
        counted = read(f"{many['body']} {many['rest']}") if many["rest"] else Quantity(many["body"])
        if counted.body == many["body"]:
            return replace(counted, body=f"({counted.body})*{times}")
        return read(f"({many['body']})*{times} {many['rest']}".strip())
    if text.endswith(PERCENT):
        return Quantity(text[:-1].strip(), "percent")
    return _with_unit(text)


def _digits(text: str) -> str:
    """ "Five dollars" → "5 dollars"; "21st" → "21"."""
    ordinal = _ORDINAL.fullmatch(text)
    if ordinal:
        return ordinal[1]
    words = text.split() if text[:1].isalpha() else []
    for count in range(min(len(words), 8), 0, -1):
        phrase = " ".join(words[:count])
        value = number_words(phrase) or fraction_words(phrase)
        value = 0 if phrase.casefold() == "zero" else value
        if value is not None:
            return " ".join([str(value), *words[count:]])
    return text


def is_compound(text: str) -> bool:
    """Is it one measure in several units, "2 hours and 15 minutes"?"""
    return _compound(text) is not None


def _compound(text: str) -> Quantity | None:
    if not _COMPOUND.fullmatch(text):
        return None
    parts = [(part["number"], _simple(part["unit"])) for part in _COMPOUND_PART.finditer(text)]
    known = [(number, unit) for number, unit in parts if unit is not None]
    factors = [unit[1] for _, unit in known]
    if len(known) != len(parts) or len({unit[0] for _, unit in known}) > 1:
        return None
    if sorted(set(factors), reverse=True) != factors:
        return None
    return Quantity("+".join(f"({number})*({unit[1]})" for number, unit in known), known[0][1][0])


def _with_unit(text: str) -> Quantity:
    match = _UNIT.search(text)
    while match:
        body = text[: match.start()]
        known = _known(match["unit"])
        set_off = bool(match["space"]) or "^" in match["unit"] or match["unit"].rstrip(".") not in _LETTERS
        angle_of_function = known is not None and known[0] == "angle" and _FUNCTION.search(body) is not None
        if known and set_off and not angle_of_function and re.search(r"[\d})\]!]$|\\pi\s*$", body):
            return Quantity(body.strip(), *known) if not known[0].startswith("none") else Quantity(body.strip())
        match = _UNIT.search(text, match.start() + 1)
    counted = _COUNTED.fullmatch(text)
    if counted:
        words = counted["unit"].casefold().split()
        if not _NOT_UNITS.intersection(words):
            unit = " ".join(_stem(word) for word in words)
            return Quantity(counted["body"], f"noun:{unit}")
    return Quantity(text)


def _known(unit: str) -> tuple[str, Fraction] | None:
    """Dimension and factor of a unit with powers and at most one `per`, or None."""
    unit = {"mph": "mile per hour", "kph": "km per hour", "kmh": "km per hour"}.get(unit.rstrip("."), unit)
    found = [_simple(part) for part in _PER.split(unit)]
    if any(part is None for part in found):
        return None
    dimension = "/".join(part[0] for part in found if part)
    factor = Fraction(1)
    for place, part in enumerate(found):
        assert part is not None
        factor = factor * part[1] if place == 0 else factor / part[1]
    return dimension, factor


def _simple(unit: str) -> tuple[str, Fraction] | None:
    match = _PART.fullmatch(unit.strip())
    if match is None:
        return None
    name = match["name"]
    entry = UNITS.get(name) or UNITS.get(name.lower() if len(name) > 2 else name) or UNITS.get(_stem(name))
    if entry is None:
        return None
    power = int(match["digit"] or {"square": 2, "sq": 2, "cubic": 3, "cu": 3}.get(match["power"] or "", 1))
    return (entry[0], entry[1]) if power == 1 else (f"{entry[0]}^{power}", entry[1] ** power)


def conversions(dimension: str) -> set[Fraction]:
    """The ratios by which a number in this dimension changes when its unit does."""
    base, _, power = dimension.partition("^")
    factors = {factor ** int(power or 1) for name, factor in UNITS.values() if name == base}
    return {above / below for above in factors for below in factors}


def _stem(word: str) -> str:
    word = word.casefold()
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "sses")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 else word


_ONES: Final = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS: Final = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_SMALL: Final = {word: value for value, word in enumerate(_ONES)} | {
    word: 10 * (place + 2) for place, word in enumerate(_TENS)
}


def number_words(text: str) -> int | None:
    """ "Twenty-one" → 21, up to the trillions; None for anything else."""
    words = re.split(r"[\s-]+", text.casefold().strip())
    total = part = 0
    previous = 1000
    for word in words:
        if word in _SMALL:
            value = _SMALL[word]
            if previous < 100 and not (previous >= 20 and 0 < value < 10):
                return None
            part, previous = part + value, value
        elif word == "hundred" and 0 < part < 10:
            part, previous = part * 100, 100
        elif word in ("thousand", "million", "billion") and part > 0:
            total, part, previous = total + part * _MULTIPLIERS[word], 0, 1000
        elif word != "and" or previous < 100 or words[-1] == "and":
            return None
    return total + part


_DENOMINATORS: Final = {
    "half": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
    "tenth": 10, "hundredth": 100, "thousandth": 1000,
}  # fmt: skip


def fraction_words(text: str) -> Fraction | None:
    """ "Three-fourths" → 3/4, "a half" → 1/2; None for anything else."""
    *above, below = re.split(r"[\s-]+", text.casefold().strip())
    denominator = _DENOMINATORS.get({"halves": "half"}.get(below, _stem(below)))
    if denominator is None or (not above and below != "half"):
        return None
    numerator = 1 if above in ([], ["a"]) else number_words(" ".join(above))
    return None if numerator is None else Fraction(numerator, denominator)
