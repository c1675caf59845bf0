"""What goes out and what does not, counted in one place for previews and manifests."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from annotator.exports.choices import Choices
from annotator.exports.formats import Labels, Writer, writer_of
from annotator.exports.items import Item
from annotator.exports.resolve import LeftOut
from annotator.models import Project

_NAMES = {1: "positive", 0: "neutral", -1: "negative", None: "unlabelled"}


@dataclass(slots=True)
class Counts:
    """Solutions looked at, and rows that go out."""

    solutions: int = 0
    rows: int = 0
    simulated: int = 0
    stand_ins: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    first_errors: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    label_sources: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)

    def add(self, item: Item, labels: Labels) -> None:
        """Count one row that goes out."""
        source = _source(item) if labels is not None else "unlabelled"
        self.rows += 1
        self.sources[source] += 1
        self.simulated += bool(item.settled and item.settled.simulated and labels is not None)
        self.stand_ins += bool(item.settled and item.settled.majority and labels is not None)
        self.first_errors["unknown" if labels is None else "some" if -1 in labels else "none"] += 1
        for label in labels or ():
            self.labels[_NAMES[label]] += 1
            self.label_sources[source] += label is not None


def _source(item: Item) -> str:
    assert item.settled is not None
    if item.settled.source != "machine":
        return item.settled.source
    return "machine (provisional)" if item.settled.provisional else "machine (certified)"


@dataclass(frozen=True, slots=True)
class Preview:
    """What an export would hold if it were asked for now."""

    rows: int
    solutions: int
    by_label: dict[str, int]
    by_source: dict[str, int]
    left_out: dict[str, int]
    """Solutions by the reason why they do not go out."""
    simulated: int
    """Rows whose labels rest on the simulator."""
    stand_ins: int
    """Rows whose labels rest on majority answers."""
    choices: dict[str, Any]
    unit: str = "solutions"
    """What is counted under `solutions` and `left_out`."""


def preview(project: Project, format: str, given: dict[str, Any], cutoff: datetime) -> Preview:
    """Count without writing; no text is read. Raises Invalid."""
    writer = writer_of(format)
    choices = Choices.parse(given, writer.defaults, writer.allowed)
    counts = Counts()
    for item in writer.items(project, cutoff, texts=False):
        consider(item, writer, choices, counts)
    return Preview(
        rows=counts.rows,
        solutions=counts.solutions,
        by_label=dict(counts.labels),
        by_source=dict(counts.sources),
        left_out=dict(counts.left_out),
        simulated=counts.simulated,
        stand_ins=counts.stand_ins,
        choices=choices.as_json(),
        unit=writer.unit,
    )


def consider(item: Item, writer: Writer, choices: Choices, counts: Counts) -> tuple[bool, Labels]:
    """Does it go out, and with which labels? Counted either way."""
    counts.solutions += 1
    try:
        labels = writer.labels(item, choices)
    except LeftOut as reason:
        counts.left_out[str(reason)] += 1
        return False, None
    counts.add(item, labels)
    return True, labels
