"""What a reader of one format is: a name, what its rows look like, and how one JSON value becomes rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from annotator.intake.rows import Row, ScoresRow


@dataclass(frozen=True, slots=True)
class Reader:
    """One format. `read` raises RowRefused; `recognises` never raises."""

    name: str
    title: str
    """What people call it."""
    recognises: Callable[[Mapping[str, Any]], bool]
    """Does a row look like this format's? Readers are asked in the order of the registry."""
    read: Callable[[Any], Iterator[Row] | Iterator[ScoresRow]]
    """The rows of one value of the file: one, or several where a format packs them."""
    source: str = ""
    """Source of rows that name none, where the intake was not told one."""
