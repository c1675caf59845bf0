"""ProcessBench: one first error a solution, counted from 0, −1 none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from annotator.intake import fields
from annotator.intake.formats.reader import Reader
from annotator.intake.rows import Row

_FIELDS: Final = frozenset(["id", "generator", "problem", "steps", "final_answer_correct", "label"])


def read(value: Any) -> Iterator[Row]:
    row = fields.obj(value)
    problem = fields.text(row, "problem")
    steps = fields.texts(row, "steps")
    extra = {name: value for name, value in row.items() if name not in _FIELDS}
    yield Row(
        problem=problem,
        steps=steps,
        source_id=fields.optional_id(row, "id"),
        generator=fields.optional_text(row, "generator") or "",
        own_verdict=fields.optional_flag(row, "final_answer_correct"),
        first_error=fields.first_error(row.get("label"), "label", len(steps)),
        meta=extra,
    )


READER: Final = Reader(
    name="processbench",
    title="ProcessBench",
    recognises=lambda row: "problem" in row and "steps" in row and "label" in row,
    read=read,
    source="ProcessBench",
)
