"""The project's own rows; docs/formats.md describes every field."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from annotator.intake import fields
from annotator.intake.formats.reader import Reader
from annotator.intake.rows import Row, RowRefused
from annotator.models.problems import KEPT

_FIELDS: Final = frozenset(
    [
        "id",
        "problem",
        "answer",
        "steps",
        "solution",
        "solution_id",
        "generator",
        "first_error",
        "step_labels",
        "annotators",
        "evidence",
        "source",
        "label_source",
        "meta",
    ]
)

PROVISIONAL: Final = "provisional"
"""Labels by machines that nothing certified where they were exported: imported, they would outrank what they are."""
LABELLED_BY_MACHINES: Final = ("machine", PROVISIONAL)
"""Sources that native exports name: nothing is fitted to such labels."""


def read(value: Any) -> Iterator[Row]:
    row = fields.obj(value)
    problem = fields.text(row, "problem")
    steps = fields.texts(row, "steps") if row.get("steps") is not None else None
    solution = fields.text(row, "solution") if row.get("solution") is not None else None
    if steps is None and solution is None:
        raise RowRefused("steps", 'is missing, and so is "solution"')
    count = len(steps) if steps is not None else None
    first_error = fields.first_error(row.get("first_error"), "first_error", count)
    labels = fields.step_labels(row.get("step_labels"), "step_labels", count)
    if row.get("label_source") == PROVISIONAL:
        first_error, labels = None, None
    meta = _object(row, "meta")
    if KEPT in meta:
        raise RowRefused(f"meta.{KEPT}", "this key is the project's own")
    solution_id = fields.optional_id(row, "solution_id")
    yield Row(
        problem=problem,
        steps=steps,
        solution=solution,
        answer=row.get("answer"),
        reference_solution=_text_in(meta, "reference_solution"),
        own_answer=_text_in(meta, "model_answer"),
        own_verdict=_flag_in(meta, "final_answer_correct"),
        source=fields.optional_text(row, "source") or "",
        source_id=identity(fields.optional_id(row, "id"), solution_id),
        generator=fields.optional_text(row, "generator") or "",
        first_error=first_error,
        step_labels=labels,
        annotators=_annotators(row, count),
        evidence=_object(row, "evidence"),
        meta=meta,
        kept=_kept(row, solution_id),
    )


def identity(row_id: str | None, solution_id: str | None) -> str | None:
    """Rows of one problem may share `id` and differ in `solution_id`."""
    if row_id is None or solution_id is None or row_id == solution_id:
        return row_id or solution_id
    return f"{row_id}#{solution_id}"


def _kept(row: Mapping[str, Any], solution_id: str | None) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    if solution_id is not None:
        kept |= {"id": row.get("id"), "solution_id": row["solution_id"]}
    if row.get("label_source") in LABELLED_BY_MACHINES:
        kept["label_source"] = row["label_source"]
    extra = {name: value for name, value in row.items() if name not in _FIELDS}
    return kept | ({"fields": extra} if extra else {})


def _object(row: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    """An object; in Parquet, which has no such type, its JSON."""
    value = row.get(field)
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise RowRefused(field, "must be an object, is text") from None
    return {} if value is None else fields.obj(value, field)


def _text_in(meta: Mapping[str, Any], field: str) -> str | None:
    """`meta` is free: what is not text there is nobody's mistake."""
    value = meta.get(field)
    return value if isinstance(value, str) else None


def _flag_in(meta: Mapping[str, Any], field: str) -> bool | None:
    value = meta.get(field)
    return value if isinstance(value, bool) else None


def _annotators(row: Mapping[str, Any], steps: int | None) -> dict[str, Mapping[str, Any]]:
    annotators = {}
    for key, value in _object(row, "annotators").items():
        path = f"annotators.{key}"
        if not key.strip() or len(key) > 120:
            raise RowRefused(path[:80], "a key must have 1 to 120 characters")
        said = fields.obj(value, path)
        fields.first_error(said.get("first_error"), f"{path}.first_error", steps)
        fields.step_labels(said.get("step_labels"), f"{path}.step_labels", steps)
        annotators[key] = said
    return annotators


READER: Final = Reader(
    name="native",
    title="Stepwise's own JSON Lines",
    recognises=lambda row: "problem" in row and ("steps" in row or "solution" in row),
    read=read,
)
