"""Math-Shepherd: problem and steps in one text with a ки mark after each step; `label` has + or - in its place.

Texts are aligned by the marks alone, for "Step 1: " can occur twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from annotator.intake import fields
from annotator.intake.formats.reader import Reader
from annotator.intake.rows import Row, RowRefused

MARK: Final = "ки"
_FIRST: Final = "Step 1:"
_FIELDS: Final = frozenset(["input", "label", "task"])


def read(value: Any) -> Iterator[Row]:
    row = fields.obj(value)
    pieces = fields.text(row, "input").split(MARK)
    if pieces[-1].strip():
        raise RowRefused("input", "goes on after the last ки mark")
    labels = _labels(pieces, fields.text(row, "label"))
    problem, first = split_first(pieces[0], "input")
    task = fields.optional_text(row, "task") or ""
    yield Row(
        problem=problem,
        steps=[first, *(piece.strip() for piece in pieces[1:-1])],
        source=f"Math-Shepherd/{task}" if task else "",
        step_labels=labels,
        first_error=fields.implied_first_error(labels),
        meta={name: item for name, item in row.items() if name not in _FIELDS},
    )


def _labels(pieces: Sequence[str], label: str) -> list[int | None]:
    labels: list[int | None] = []
    position = 0
    for number, piece in enumerate(pieces[:-1]):
        position += len(piece)
        mark = label[position : position + 1]
        if label[position - len(piece) : position] != piece or mark not in ("+", "-") or not mark:
            raise RowRefused("label", f"does not follow the input up to mark {number + 1}")
        labels.append(1 if mark == "+" else -1)
        position += 1
    if label[position:].strip():
        raise RowRefused("label", "goes on after the last mark")
    return labels


def split_first(text: str, field: str) -> tuple[str, str]:
    """Problem and first step of a text that holds both. The last "Step 1:" counts."""
    place = text.rfind(_FIRST)
    while place > 0 and text[:place].rstrip().endswith(_FIRST):
        place = text.rfind(_FIRST, 0, place)
    if place < 0 or not text[:place].strip():
        raise RowRefused(field, 'has no "Step 1:" after a problem')
    return text[:place].strip(), text[place:].strip()


READER: Final = Reader(
    name="math_shepherd",
    title="Math-Shepherd",
    recognises=lambda row: isinstance(row.get("input"), str) and MARK in row["input"] and "label" in row,
    read=read,
    source="Math-Shepherd",
)
