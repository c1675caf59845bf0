"""Numbers and sums in words: "twenty-one", "three-fourths", "2 squared", "the square root of 2"."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

from reasoning.equivalence.units import stem

MULTIPLIERS: Final[dict[str, int]] = {
    "hundred": 10**2,
    "thousand": 10**3,
    "lakh": 10**5,
    "million": 10**6,
    "crore": 10**7,
    "billion": 10**9,
    "trillion": 10**12,
    "dozen": 12,
    "score": 20,
    "gross": 144,
}
_ONES: Final = (  # noqa: SIM905 - a table
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS: Final = "twenty thirty forty fifty sixty seventy eighty ninety".split()  # noqa: SIM905 - a table
_SMALL: Final = {word: value for value, word in enumerate(_ONES)} | {
    word: 10 * (place + 2) for place, word in enumerate(_TENS)
}
_DENOMINATORS: Final = {
    "half": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
    "tenth": 10, "hundredth": 100, "thousandth": 1000,
}  # fmt: skip
_MOST_WORDS: Final = 12
_ORDINAL: Final = re.compile(r"(\d+)(?:st|nd|rd|th)")
_NEGATIVE: Final = re.compile(r"(?:negative|minus)\s+(?P<rest>\S.*)", re.IGNORECASE)
_PARTS: Final = re.compile(r"(?P<above>\d+)[\s-]+(?P<below>[a-z]+)(?P<rest>\b.*)", re.IGNORECASE)
_COINS: Final = re.compile("quarters?", re.IGNORECASE)
"""With a number in digits they are counted things."""
_WORD: Final = re.compile("[a-zA-Z]{3}")
_N: Final = r"(\d+(?:\.\d+)?)"
_SAID: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), formula)
    for pattern, formula in (
        (rf"{_N} squared", r"\1^2"),
        (rf"{_N} cubed", r"\1^3"),
        (r"(\d+) factorial", r"\1!"),
        (r"(\d+) choose (\d+)", r"\\binom{\1}{\2}"),
        (rf"(?:the )?square root of {_N}", r"\\sqrt{\1}"),
        (rf"(?:the )?cube root of {_N}", r"\\sqrt[3]{\1}"),
        (rf"{_N} (?:times|multiplied by) {_N}", r"\1*\2"),
        (rf"{_N} (?:divided by|over) {_N}", r"\1/\2"),
        (rf"{_N} plus {_N}", r"\1+\2"),
        (rf"{_N} minus {_N}", r"\1-\2"),
        (rf"{_N} to the power (?:of )?{_N}", r"\1^{\2}"),
    )
)


def digits(text: str) -> str:
    """ "Five dollars" → "5 dollars", "21st" → "21", "2 thirds" → "2/3", "negative 5" → "-5", "2 squared" → "2^2"."""
    ordinal = _ORDINAL.fullmatch(text)
    if ordinal:
        return ordinal[1]
    if not _WORD.search(text):
        return text
    for pattern, formula in _SAID:
        if pattern.fullmatch(text):
            return pattern.sub(formula, text)
    negative = _NEGATIVE.fullmatch(text)
    if negative:
        rest = digits(negative["rest"])
        return f"-{rest}" if rest[:1].isdigit() else text
    parts = _PARTS.fullmatch(text)
    if (
        parts
        and not _COINS.match(parts["below"])
        and (value := fraction_words(f"{parts['above']} {parts['below']}")) is not None
    ):
        return f"{value}{parts['rest']}"
    words = text.split() if text[:1].isalpha() else []
    if len(words) > 1 and words[0].casefold() == "a" and words[1] in MULTIPLIERS:
        words[0] = "one"
    for count in range(min(len(words), _MOST_WORDS), 0, -1):
        phrase = " ".join(words[:count])
        spoken = _decimal(phrase) or _with_fraction(phrase)
        if spoken is not None:
            left = words[count:]
            unread = bool(left) and (left[0].startswith("(") or left[0].casefold() == "point")
            return text if unread else " ".join([str(spoken), *left])
    return text


def _decimal(phrase: str) -> str | None:
    """ "Three point one four" → "3.14"."""
    whole, point, places = phrase.casefold().partition(" point ")
    value, words = number_words(whole), places.split()
    if not point or value is None or not all(word in _ONES[:10] for word in words):
        return None
    return f"{value}.{''.join(str(_SMALL[word]) for word in words)}"


def _with_fraction(phrase: str) -> Fraction | int | None:
    """ "Three and a half" → 7/2, "twelve" → 12, "two thirds" → 2/3."""
    whole, joined, part = phrase.casefold().rpartition(" and ")
    if joined and (below := fraction_words(part)) is not None and (above := number_words(whole)):
        return above + below
    value = number_words(phrase)
    return fraction_words(phrase) if value is None else value


def number_words(text: str) -> int | None:
    """ "Twenty-one" → 21, "a hundred" → 100, below a trillion; None for anything else."""
    words = re.split(r"[\s-]+", text.casefold().strip())
    if len(words) > 1 and words[0] == "a":
        words[0] = "one"
    total = part = 0
    previous, below = 1000, 10**12
    for word in words:
        if word in _SMALL:
            value = _SMALL[word]
            if previous < 100 and not (previous >= 20 and 0 < value < 10):
                return None
            part, previous = part + value, value
        elif word == "hundred" and 0 < part < 10:
            part, previous = part * 100, 100
        elif word in ("thousand", "million", "billion") and part > 0 and MULTIPLIERS[word] < below:
            below = MULTIPLIERS[word]
            total, part, previous = total + part * below, 0, 1000
        elif word != "and" or previous < 100 or words[-1] == "and":
            return None
    return total + part


def fraction_words(text: str) -> Fraction | None:
    """ "Three-fourths" and "3 fourths" → 3/4, "a half" → 1/2; None for anything else."""
    *above, below = re.split(r"[\s-]+", text.casefold().strip())
    denominator = _DENOMINATORS.get({"halves": "half"}.get(below, stem(below)))
    if denominator is None or (not above and below != "half"):
        return None
    if above and above[-1] in _TENS and denominator < 10:
        return None  # the twenty-fifth, or a part of twenty-fifths
    numerator = 1 if above in ([], ["a"]) else _counted(" ".join(above))
    return None if numerator is None else Fraction(numerator, denominator)


def _counted(text: str) -> int | None:
    return int(text) if text.isdecimal() else number_words(text)
