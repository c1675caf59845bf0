"""BIG-Bench-Mistake: a chain, and the index of its first mistake, counted from 0, null where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from annotator.intake import fields
from annotator.intake.formats.reader import Reader
from annotator.intake.rows import Row
from reasoning.types import NO_ERROR

_FIELDS: Final = frozenset(["input", "steps", "answer", "target", "mistake_index"])


def read(value: Any) -> Iterator[Row]:
    row = fields.obj(value)
    steps = fields.texts(row, "steps")
    answer, target = fields.optional_text(row, "answer"), fields.optional_text(row, "target")
    wrong = row.get("mistake_index")
    if wrong is None:
        # Null is "none" only where the field is there; a row without it says nothing.
        wrong = NO_ERROR if "mistake_index" in row else None
    yield Row(
        problem=fields.text(row, "input"),
        steps=steps,
        answer=target,
        own_answer=answer,
        own_verdict=None if answer is None or target is None else answer.strip() == target.strip(),
        first_error=fields.first_error(wrong, "mistake_index", len(steps)),
        meta={name: value for name, value in row.items() if name not in _FIELDS},
    )


READER: Final = Reader(
    name="bigbench_mistake",
    title="BIG-Bench-Mistake",
    recognises=lambda row: "input" in row and "steps" in row and "mistake_index" in row,
    read=read,
    source="BIG-Bench-Mistake",
)
