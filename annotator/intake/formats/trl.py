"""TRL's stepwise supervision rows: a prompt, its completions, and true or false a completion."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from annotator.intake import fields
from annotator.intake.formats.reader import Reader
from annotator.intake.rows import Row, RowRefused

_FIELDS: Final = frozenset(["prompt", "completions", "labels"])


def read(value: Any) -> Iterator[Row]:
    row = fields.obj(value)
    prompt = fields.text(row, "prompt")
    steps = fields.texts(row, "completions")
    labels = _labels(row, len(steps))
    yield Row(
        problem=prompt,
        steps=steps,
        step_labels=labels,
        first_error=fields.implied_first_error(labels),
        meta={name: value for name, value in row.items() if name not in _FIELDS},
    )


def _labels(row: Any, steps: int) -> list[int | None] | None:
    given = row.get("labels")
    if given is None:
        return None
    if not isinstance(given, list):
        raise RowRefused("labels", f"must be a list, is {fields.kind(given)}")
    if len(given) != steps:
        raise RowRefused("labels", f"has {len(given)} entries for {steps} completions")
    return [_label(item, f"labels[{index}]") for index, item in enumerate(given)]


def _label(item: Any, field: str) -> int | None:
    """A soft label is no label here: rounding 0.75 would invent certainty, and int() makes it 0."""
    if item is None:
        return None
    if not isinstance(item, bool) and item not in (0, 1):
        raise RowRefused(field, f"must be true or false, is {item!r:.40}")
    return 1 if item else -1


READER: Final = Reader(
    name="trl",
    title="TRL stepwise supervision",
    recognises=lambda row: "prompt" in row and "completions" in row and "labels" in row,
    read=read,
    source="TRL",
)
