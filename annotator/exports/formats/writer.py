"""What a writer of one format is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from annotator.exports.choices import Choices
from annotator.exports.items import Item, items
from annotator.models import Project

Labels = Sequence[int | None] | None


class Items(Protocol):
    def __call__(self, project: Project, cutoff: datetime, *, texts: bool, looks: bool = False) -> Iterator[Item]: ...


@dataclass(frozen=True, slots=True)
class Writer:
    """One format. Counting needs `labels` alone; `row` is asked only for what goes out."""

    name: str
    title: str
    version: int
    """Raised whenever the same labels and choices would give other bytes."""
    labels: Callable[[Item, Choices], Labels]
    """Labels of the steps that go out, in this format's sense. Raises LeftOut."""
    row: Callable[[Item, Labels], dict[str, Any]]
    """One row; it gets the item with its texts."""
    columns: Mapping[str, str]
    """Name and type of each column, as Parquet and the dataset card have them."""
    indices: str
    """How the format counts steps, in words for the manifest."""
    defaults: Mapping[str, str] = field(default_factory=dict)
    allowed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    strict: bool = False
    """Its readers refuse text that is no Unicode (lone surrogates), so such rows are left out."""
    items: Items = items
    """What its rows are made of."""
    unit: str = "solutions"
    """What those are, in words."""
