"""Times of day and dates. Numeric dates (04/05/18) are read two ways and stay labels, as do addresses and versions."""

from __future__ import annotations

import re
from typing import Final

from reasoning.equivalence.outcome import Equivalence, Relation
from reasoning.equivalence.words import MONTHS

_OPAQUE: Final = re.compile(
    r"\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}|\d{1,2}:\d{2}(?:[:.]\d+)*\s*(?:[ap]\.?m\.?)?|\d+(?:\.\d+){2,}.*|https?://\S+",
    re.IGNORECASE,
)
_CLOCK: Final = re.compile(
    r"(?P<hour>\d{1,2})(?::(?P<minute>\d{2})(?::(?P<second>\d{2}))?)?\s*(?P<half>[ap]\.?\s?m\.?|o'clock)?",
    re.IGNORECASE,
)
_NAMED: Final = {
    "noon": (12 * 3600, True),
    "midnight": (0, True),
    "12 noon": (12 * 3600, True),
    "12 midnight": (0, True),
}
_MONTH: Final = "(?P<month>" + "|".join(f"{name[:3]}(?:{name[3:]}|t)?\\.?" for name in MONTHS) + ")"
_DAY: Final = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR: Final = r"(?:,?\s+(?P<year>\d{4}))?"
_DATES: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_MONTH}\s+{_DAY}{_YEAR}",
        rf"(?:the\s+)?{_DAY}\s+(?:of\s+)?{_MONTH}{_YEAR}",
        r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})",
    )
)
_HALF_DAY: Final = 12 * 3600


def by_date(answer: str, reference: str) -> Equivalence | None:
    """Two times of day, two dates; otherwise a label, of which only the same spelling is known to be the same."""
    times, days = (_time(answer), _time(reference)), (_date(answer), _date(reference))
    verdict = None
    if times[0] and times[1]:
        verdict = _times(times[0], times[1])
    elif days[0] and days[1]:
        verdict = _dates(days[0], days[1])
    if verdict is not None:
        return Equivalence(verdict, "date")
    if not (_OPAQUE.fullmatch(answer) or _OPAQUE.fullmatch(reference)):
        return None
    same = "".join(answer.split()).casefold() == "".join(reference.split()).casefold()
    return Equivalence(Relation.EQUAL if same else Relation.UNKNOWN, "label")


def _time(text: str) -> tuple[int, bool] | None:
    """Seconds since midnight, and whether it is known which half of the day is meant."""
    named = _NAMED.get(text.casefold())
    match = _CLOCK.fullmatch(text)
    if named or match is None or not (match["minute"] or match["half"]):
        return named
    hour, half = int(match["hour"]), (match["half"] or "")[:1].casefold()
    if hour > 23 or int(match["minute"] or 0) > 59 or (half in ("a", "p") and not 1 <= hour <= 12):
        return None
    if half in ("a", "p"):
        hour = hour % 12 + 12 * (half == "p")
    sure = half in ("a", "p") or hour > 12 or hour == 0
    return hour * 3600 + int(match["minute"] or 0) * 60 + int(match["second"] or 0), sure


def _times(left: tuple[int, bool], right: tuple[int, bool]) -> Relation | None:
    """None where neither says which half of the day it means: `2:15` may be no time at all."""
    if not left[1] and not right[1]:
        return Relation.EQUAL if left[0] == right[0] else None
    if left[1] and right[1]:
        return Relation.EQUAL if left[0] == right[0] else Relation.UNEQUAL
    return Relation.UNKNOWN if (left[0] - right[0]) % _HALF_DAY == 0 else Relation.UNEQUAL


def _date(text: str) -> tuple[int, int, int | None] | None:
    """Month, day and, where it is written, the year."""
    match = next(filter(None, (pattern.fullmatch(text) for pattern in _DATES)), None)
    if match is None:
        return None
    month = match["month"].casefold()
    number = int(month) if month.isdigit() else [name[:3] for name in MONTHS].index(month[:3]) + 1
    return number, int(match["day"]), int(match["year"]) if match["year"] else None


def _dates(left: tuple[int, int, int | None], right: tuple[int, int, int | None]) -> Relation:
    if left[:2] != right[:2] or (left[2] and right[2] and left[2] != right[2]):
        return Relation.UNEQUAL
    return Relation.EQUAL if left[2] == right[2] else Relation.UNKNOWN
