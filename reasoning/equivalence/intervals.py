"""Sets of real numbers with rational ends: intervals, their unions, the line, the line without some points."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import Final

from reasoning.equivalence import collections
from reasoning.equivalence.collections import Collection
from reasoning.equivalence.values import value_of

Cut = tuple[Fraction | float, int]
"""A place between numbers: (v, 0) is just before v, (v, 1) just after it."""
Piece = tuple[Cut, Cut]

_LINE: Final = re.compile(r"\\mathbb\s*\{?\s*R\s*\}?|(?:the )?(?:set of )?all real(?: number)?s", re.IGNORECASE)
_WITHOUT: Final = re.compile(r"\\setminus(?![a-zA-Z])|\\backslash(?![a-zA-Z])")
_WHOLE: Final[Piece] = ((-math.inf, 1), (math.inf, 0))


def read(text: str) -> tuple[Piece, ...] | None:
    """The pieces in order, none touching the next; None where the text is no such set or an end is not rational."""
    base, *removed = _WITHOUT.split(text)
    if len(removed) > 1:
        return None
    pieces = _union(base)
    if pieces is None or not removed:
        return pieces
    points = _single(removed[0].strip())
    if points is None or any(low[0] != high[0] for low, high in points):
        return None
    for low, high in points:
        pieces = tuple(part for piece in pieces for part in _cut_out(piece, low, high))
    return pieces


def _union(text: str) -> tuple[Piece, ...] | None:
    found: list[Piece] = []
    for part in re.split(r"\\cup(?![a-zA-Z])", text):
        pieces = _single(part.strip())
        if pieces is None:
            return None
        found += pieces
    return merged(found)


def _single(text: str) -> tuple[Piece, ...] | None:
    """One interval, the line, or a set of points."""
    if _LINE.fullmatch(text):
        return (_WHOLE,)
    collection = collections.read(text)
    if collection is None:
        return None
    values = [_end(item) for item in collection.items]
    numbers = [value for value in values if value is not None]
    if len(numbers) != len(values):
        return None
    if collection.kind == "set":
        return tuple(((value, 0), (value, 1)) for value in sorted(numbers))
    return _interval(collection, numbers)


def _interval(collection: Collection, ends: list[Fraction | float]) -> tuple[Piece, ...] | None:
    if len(ends) != 2 or not collection.brackets or ends[0] > ends[1]:
        return None
    low: Cut = (ends[0], int(collection.brackets[0] == "(" or ends[0] == -math.inf))
    high: Cut = (ends[1], int(collection.brackets[1] == "]" and ends[1] != math.inf))
    return ((low, high),) if low < high else ()


def _end(text: str) -> Fraction | float | None:
    sign = {"\\infty": math.inf, "+\\infty": math.inf, "-\\infty": -math.inf}.get(text.replace(" ", ""))
    return value_of(text) if sign is None else sign


def merged(pieces: list[Piece]) -> tuple[Piece, ...]:
    """The union: in order, none touching the next."""
    merged: list[Piece] = []
    for low, high in sorted(pieces):
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)


def _cut_out(piece: Piece, low: Cut, high: Cut) -> tuple[Piece, ...]:
    """What is left of a piece without the numbers between two cuts."""
    parts = ((piece[0], min(piece[1], low)), (max(piece[0], high), piece[1]))
    return tuple(part for part in parts if part[0] < part[1])


def intersection(first: tuple[Piece, ...], second: tuple[Piece, ...]) -> tuple[Piece, ...]:
    both = [(max(a[0], b[0]), min(a[1], b[1])) for a in first for b in second]
    return merged([piece for piece in both if piece[0] < piece[1]])
