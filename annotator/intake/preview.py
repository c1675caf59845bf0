"""Look at a file before it is taken: which format it is, and what its first rows would become."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from annotator.intake import containers
from annotator.intake.formats import FORMATS, reader_of
from annotator.intake.options import Options
from annotator.intake.prepared import prepare
from annotator.intake.reading import rows_of
from annotator.intake.rows import Broken, Found, PlacedScores, RowRefused, Unreadable
from reasoning.characters import unescape

HEAD: Final = 1 << 20
"""Bytes of a file that are enough to look at."""


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """What one row of a file would become."""

    line: int
    problem: str
    steps: tuple[str, ...]
    source: str
    source_id: str | None
    answer: str | None
    first_error: int | None
    """0-based; −1 none, None unknown."""


@dataclass(frozen=True, slots=True)
class IntakePreview:
    rows: tuple[PreviewRow, ...]
    refused: tuple[Broken, ...]
    problem: str = ""
    """Why the file as a whole cannot be read; empty where it can."""


def guess(start: bytes) -> str | None:
    """The format of a file by its first bytes, or None."""
    try:
        found = list(itertools.islice(_values(start), 20))
    except Unreadable:
        return None
    for item in found:
        if isinstance(item, Found) and isinstance(item.value, dict):
            for name, reader in FORMATS.items():
                if reader.recognises(item.value):
                    return name
    return None


def preview(
    file: Path | bytes, format: str, options: Mapping[str, Any] | None = None, *, count: int = 5
) -> IntakePreview:
    """The first rows of a file in one format. Raises Invalid for an unknown format or option, OSError."""
    reader, parsed = reader_of(format), Options.parse(options or {})
    shown: list[PreviewRow] = []
    refused: list[Broken] = []
    try:
        found = containers.values(file) if isinstance(file, Path) else _values(file)
        for item in itertools.islice(rows_of(found, reader), count):
            if isinstance(item, Broken):
                refused.append(item)
                continue
            if isinstance(item, PlacedScores):
                shown.append(_scores(item, parsed))
                continue
            try:
                row = prepare(item, parsed, reader.source)
            except RowRefused as refusal:
                refused.append(Broken(item.line, refusal.field, refusal.reason, item.excerpt))
                continue
            text = unescape(row.text)
            shown.append(
                PreviewRow(
                    line=item.line,
                    problem=item.row.problem,
                    steps=tuple(text[start:end] for start, end in row.spans),
                    source=unescape(row.source),
                    source_id=item.row.source_id,
                    answer=None if row.answer is None else unescape(row.answer),
                    first_error=row.first_error,
                )
            )
    except Unreadable as error:
        return IntakePreview(tuple(shown), tuple(refused), str(error))
    return IntakePreview(tuple(shown), tuple(refused))


def _scores(item: PlacedScores, options: Options) -> PreviewRow:
    """Scores in the place of steps: only a project knows whose they are."""
    row = item.row
    return PreviewRow(
        line=item.line,
        problem=f"scores by {unescape(row.model) or options.model or 'a model without a name'}",
        steps=tuple(f"{value:g}" for value in row.values),
        source=row.source or options.source,
        source_id=row.source_id or row.code,
        answer=None,
        first_error=None,
    )


def _values(start: bytes) -> Iterator[Found | Broken]:
    """Values of the first bytes. What was cut off at the end is not shown as broken."""
    items = list(containers.values_of(start))
    if len(start) >= HEAD and items and isinstance(items[-1], Broken):
        items.pop()
    return iter(items)
