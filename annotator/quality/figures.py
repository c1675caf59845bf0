"""The shape that every figure has: a question, its answer in a sentence, numbers, a table, and what to plot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NotRequired, TypedDict


class Series(TypedDict):
    label: str
    values: Sequence[float | None]
    kind: NotRequired[str]
    """line, bars or points."""
    tone: NotRequired[str]
    """A colour token's name."""
    low: NotRequired[Sequence[float | None]]
    high: NotRequired[Sequence[float | None]]


class Chart(TypedDict):
    """What static/js/chart.js draws."""

    x: Sequence[float]
    series: list[Series]
    x_label: NotRequired[str]
    y_label: NotRequired[str]
    time: NotRequired[bool]
    y_range: NotRequired[tuple[float, float]]
    diagonal: NotRequired[bool]


class Table(TypedDict):
    columns: list[str]
    rows: list[list[Any]]


class Figure(TypedDict):
    question: str
    answer: str
    values: dict[str, Any]
    """The numbers by name, for programs. Probabilities and shares are fractions, indices count from 0."""
    table: Table
    """For people: steps count from 1."""
    chart: Chart | None


def count(number: int, noun: str, plural: str = "") -> str:
    """ "1 solution", "1,600 solutions"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"


def ratio(part: float, whole: float) -> float | None:
    """None, not 0, where there is nothing to divide by."""
    return part / whole if whole else None
