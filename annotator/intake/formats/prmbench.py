"""PRMBench: a right process, the same with errors put in, and the numbers of the wrong steps, counted from 1."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from annotator.intake import fields
from annotator.intake.formats.reader import Reader
from annotator.intake.rows import Row, RowRefused

_FIELDS: Final = frozenset(["idx", "question", "modified_question", "modified_process", "error_steps"])


def read(value: Any) -> Iterator[Row]:
    row = fields.obj(value)
    steps = fields.texts(row, "modified_process")
    given = row.get("error_steps")
    if not isinstance(given, list):
        raise RowRefused("error_steps", f"must be a list, is {fields.kind(given)}")
    numbers = [fields.whole(number, f"error_steps[{place}]") for place, number in enumerate(given)]
    # Some rows name steps that are not there; what they say of the others holds.
    beyond = [number for number in numbers if not 1 <= number <= len(steps)]
    if numbers and len(beyond) == len(numbers):
        raise RowRefused("error_steps", f"names none of the {len(steps)} steps: {numbers}")
    labels: list[int | None] = [-1 if index + 1 in numbers else 1 for index in range(len(steps))]
    meta = {name: item for name, item in row.items() if name not in _FIELDS}
    question = next((name for name in ("modified_question", "original_question") if name in row), "question")
    classification = fields.optional_text(row, "classification")
    yield Row(
        problem=fields.text(row, question),
        steps=steps,
        source=f"PRMBench/{classification}" if classification else "",
        source_id=fields.optional_id(row, "idx"),
        step_labels=labels,
        first_error=fields.implied_first_error(labels),
        meta=meta | ({"out_of_range_error_steps": beyond} if beyond else {}),
    )


READER: Final = Reader(
    name="prmbench",
    title="PRMBench",
    recognises=lambda row: "modified_process" in row and "error_steps" in row,
    read=read,
    source="PRMBench",
)
