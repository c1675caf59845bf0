"""Units of measure: what a unit's text measures, and how much of the base unit it is.

A dimension is written as its base quantities with their powers, in order: `length`, `length*time^-2`. So 1 N is
1 kg·m/s² without a word about forces. Base units: mm, g, s, A, K, mol.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from typing import Final

_LONGEST: Final = 60
_TABLE: Final = """
length 10 cms | 1000000 kms | 25.4 in inch inches | 304.8 ft foot feet | 914.4 yd yard | 1609344 mi mile
length 1e-7 angstrom Å | 1852000 nmi | 149597870700000 AU | 9460730472580800000 ly lightyear
mass 1000000 tonne | 1000 kilo kgs | 453.59237 lb lbs pound | 28.349523125 oz ounce | 6350.29318 stone
time 60 min mins minute | 3600 h hr hrs hour | 1 sec secs | 86400 day | 604800 week wk wks
calendar 1 month | 12 year yr yrs
length^3 4546090 imperial_gallon | 1000 cc
kitchen 1 cup | 2 pint | 4 quart | 16 gallon gal | 1/16 tablespoon tbsp | 1/48 teaspoon tsp
length^2 4046856422.4 acre | 10000000000 hectare ha
length*time^-1 1609344/3600 mph | 1000000/3600 kph kmh kmph | 1852000/3600 knot
length^2*mass*time^-2 4184000000 cal calorie | 4184000000000 kcal Cal | 1.602176634e-10 eV electronvolt
length^2*mass*time^-2 3600000000000000 kWh
length^-1*mass*time^-2 101325 atm atmosphere | 133.322387415 mmHg | 6894.757293168 psi
length^2*mass*time^-3 745699871582.2702 hp horsepower
money 1 cent ¢ | 100 dollar USD buck
euro 1 euro EUR
sterling 1 GBP
angle 1 ° degree deg | 1/60 arcminute | 1/3600 arcsecond
radian 1 radian rad
celsius 1 celsius centigrade
fahrenheit 1 fahrenheit
percent 1 percent pct
none 1 unit
"""
_METRIC: Final = """
length 1000 m meter metre
mass 1 g gram gramme
time 1 s second
length^3 1000000 l,L liter litre
current 1 A ampere amp
temperature 1 K kelvin
amount 1 mol mole
length*mass*time^-2 1e6 N newton
length^2*mass*time^-2 1e9 J joule
length^2*mass*time^-3 1e9 W watt
length^-1*mass*time^-2 1 Pa pascal
length^-1*mass*time^-2 1e5 bar
time^-1 1 Hz hertz
current*time 1 C coulomb
current^-1*length^2*mass*time^-3 1e9 V volt
current^-2*length^2*mass*time^-3 1e9 Ω ohm
current^2*length^-2*mass^-1*time^4 1e-9 F farad
current^-2*length^2*mass*time^-2 1e9 H henry
current^-1*mass*time^-2 1e3 T tesla
current^-1*length^2*mass*time^-2 1e9 Wb weber
"""
_PREFIXES: Final = {
    "p": ("pico", "1e-12"), "n": ("nano", "1e-9"), "µ": ("micro", "1e-6"), "u": ("micro", "1e-6"),
    "m": ("milli", "1e-3"), "c": ("centi", "1e-2"), "d": ("deci", "1e-1"), "k": ("kilo", "1e3"),
    "M": ("mega", "1e6"), "G": ("giga", "1e9"), "T": ("tera", "1e12"),
}  # fmt: skip
_LETTERS: Final = frozenset([*"mgshlLNJWVACFHTK", "in", "min"])
_NOT_UNITS: Final = frozenset({"pm", "ML", "Ml", "us"})
"""Would-be symbols that are taken for something else: a time of day, a sloppy millilitre, a word."""
_EVERYDAY: Final = (
    *("mm", "cm", "m", "km", "in", "ft", "yd", "mi"),
    *("mg", "g", "kg", "tonne", "lb", "oz"),
    *("ms", "s", "min", "h", "day", "week"),
)
"""What a unit that was left out is likely to be."""
_TEMPERATURE: Final = re.compile(r"(?:°|\bdegrees?)\s*(?:(?P<c>C\b|[cC]elsius)|(?:F\b|[fF]ahrenheit))")
_DEGREES: Final = {"celsius": Fraction(1), "fahrenheit": Fraction(5, 9)}
_PER: Final = re.compile(r"\s*(?:/|\bper\b)\s*")
_FACTOR: Final = re.compile(
    r"\s*(?:\\cdot(?![a-zA-Z])|\*)?\s*(?:(?P<before>square|cubic|sq|cu)\.?\s+)?(?P<name>°|¢|[a-zA-ZµΩÅ]+)\.?"
    r"(?:\s*\^\s*\{?\s*(?P<power>-?\d)\s*\}?|(?P<digit>[23])(?!\d)|\s+(?P<after>squared|cubed))?\s*"
)
_POWERS: Final = {"square": 2, "sq": 2, "squared": 2, "cubic": 3, "cu": 3, "cubed": 3}
Unit = tuple[str, Fraction]
"""The dimension, and how many base units one is."""


def _entries() -> dict[str, Unit]:
    found: dict[str, Unit] = {}
    for line in _METRIC.strip().splitlines():
        dimension, factor, symbols, *names = line.split()
        unit = (dimension, Fraction(factor))
        for symbol in symbols.split(","):
            found |= {prefix + symbol: _times(unit, scale) for prefix, (_, scale) in _PREFIXES.items()}
            found[symbol] = unit
        for name in names:
            found |= {prefix + name: _times(unit, scale) for prefix, scale in _PREFIXES.values()}
            found[name] = unit
    for line in _TABLE.strip().splitlines():
        dimension, _, rest = line.partition(" ")
        for entry in rest.split("|"):
            size, *names = entry.split()
            above, _, below = size.partition("/")
            found |= dict.fromkeys(names, (dimension, Fraction(above) / Fraction(below or "1")))
    return {name: unit for name, unit in found.items() if name not in _NOT_UNITS}


def _times(unit: Unit, scale: str) -> Unit:
    return unit[0], unit[1] * Fraction(scale)


UNITS: Final = _entries()
"""Every unit by its name or symbol, in the singular."""


def is_letter(name: str) -> bool:
    """Is it also a variable or a word, and so a unit only where a space or a power sets it off?"""
    return name.rstrip(".") in _LETTERS


@lru_cache(maxsize=1024)
def read(text: str) -> Unit | None:
    """The dimension and factor of a product of units, `kg m/s^2`, `miles per hour`; None where a word is no unit."""
    if len(text) > _LONGEST:
        return None
    text = _TEMPERATURE.sub(lambda match: "celsius" if match["c"] else "fahrenheit", text.strip().rstrip("."))
    powers: dict[str, int] = {}
    factor = Fraction(1)
    for place, part in enumerate(_PER.split(text)):
        found = _product(part[1:-1] if place and part[:1] + part[-1:] == "()" else part)
        if not found:
            return None
        for (dimension, size), power in found:
            signed = -power if place else power
            factor *= size**signed
            for base, times in _bases(dimension):
                powers[base] = powers.get(base, 0) + times * signed
    powers.pop("none", None)
    for scale, kelvins in _DEGREES.items():
        if scale in powers and powers != {scale: 1}:  # so many a degree: where the scale begins is all one
            power = powers.pop(scale)
            factor *= kelvins**power
            powers["temperature"] = powers.get("temperature", 0) + power
    if powers and not any(powers.values()):
        return None  # hours a day: a rate, not a number
    return written({base: power for base, power in powers.items() if power}), factor


def _product(text: str) -> list[tuple[Unit, int]] | None:
    found = []
    at = 0
    while at < len(text):
        match = _FACTOR.match(text, at)
        unit = match and _single(match["name"])
        if not match or not unit:
            return None
        power = _POWERS.get(match["before"] or match["after"], 0) or int(match["power"] or match["digit"] or 1)
        if power == 0:
            return None
        found.append((unit, power))
        at = match.end()
    return found


def _single(name: str) -> Unit | None:
    """A word in any case; a symbol as it stands, or a sloppy KM. 5 M may be molar and no metres, 5 S siemens."""
    if name in UNITS or len(name) == 1:
        return UNITS.get(name)
    if len(name) == 2:
        return UNITS.get(name.lower()) if name[0].isupper() else None
    return UNITS.get(stem(name))


def _bases(dimension: str) -> list[tuple[str, int]]:
    pairs = (part.partition("^") for part in dimension.split("*"))
    return [(base, int(power or 1)) for base, _, power in pairs]


def written(powers: dict[str, int]) -> str:
    """The dimension with these powers, in its one spelling."""
    return "*".join(base if power == 1 else f"{base}^{power}" for base, power in sorted(powers.items()))


@lru_cache(maxsize=256)
def conversions(dimension: str) -> frozenset[Fraction]:
    """The ratios by which a number in this dimension changes when its unit does."""
    ratios = {Fraction(1)}
    for base, power in _bases(dimension):
        sizes = {size for name, size in map(UNITS.__getitem__, _EVERYDAY) if name == base} or {Fraction(1)}
        steps = {(above / below) ** power for above in sizes for below in sizes}
        ratios = {ratio * step for ratio in ratios for step in steps}
    own = {size for name, size in UNITS.values() if name == dimension}
    return frozenset(ratios | {above / below for above in own for below in own})


def stem(word: str) -> str:
    """The singular, in lower case."""
    word = word.casefold()
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "sses")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 else word
