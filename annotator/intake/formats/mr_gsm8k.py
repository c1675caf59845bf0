"""MR-GSM8K and Mr-Ben: the first error's step counted from 1, or "N/A"; the two differ in how names are written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from annotator.intake import fields
from annotator.intake.formats.reader import Reader
from annotator.intake.rows import Row, RowRefused
from reasoning.types import NO_ERROR

_USED: Final = frozenset(
    ["question", "steps", "first_error_step", "answer_correctness", "ground_truth_answer", "ground_truth_solution"]
)
_NONE: Final = ("n/a", "na", "none", "")


def read(value: Any) -> Iterator[Row]:
    row = {_plain(name): item for name, item in fields.obj(value).items()}
    steps = fields.texts(row, "steps")
    solution = row.get("ground_truth_solution")
    meta = {name: item for name, item in row.items() if name not in _USED and name != "uuid"}
    if isinstance(solution, str):
        meta["reference_solution"] = solution
    yield Row(
        problem=fields.text(row, "question"),
        steps=steps,
        answer=row.get("ground_truth_answer"),
        reference_solution=solution if isinstance(solution, str) else None,
        own_verdict=_right(row.get("answer_correctness")),
        source_id=fields.optional_id(row, "uuid"),
        first_error=_first_error(row, steps),
        meta=meta,
    )


def _plain(name: str) -> str:
    """`model_output_solution_first_error_step` and `Model_Solution_First_Error_Step` alike: `first_error_step`."""
    name = name.lower()
    for prefix in ("model_output_", "model_", "solution_"):
        name = name.removeprefix(prefix)
    return name


def _right(said: Any) -> bool | None:
    return {"correct": True, "right": True, "wrong": False, "incorrect": False}.get(str(said).lower())


def _first_error(row: Mapping[str, Any], steps: Sequence[str]) -> int | None:
    """The step's number, from 1, or its text. No step is none, unless the solution is called wrong: then unknown."""
    field, said = "first_error_step", row.get("first_error_step")
    if said is None or (isinstance(said, str) and said.strip().lower() in _NONE):
        return NO_ERROR if _right(row.get("correctness")) else None
    if isinstance(said, str) and not said.strip().lstrip("-").isdigit():
        places = [index for index, step in enumerate(steps) if step.strip() == said.strip()]
        if len(places) != 1:
            raise RowRefused(field, f"is the text of {len(places)} steps: {said[:40]!r}")
        return places[0]
    return fields.first_error(said, field, len(steps), base=1)


READER: Final = Reader(
    name="mr_gsm8k",
    title="MR-GSM8K and Mr-Ben",
    recognises=lambda row: {"steps", "first_error_step"} <= {_plain(name) for name in row},
    read=read,
    source="MR-GSM8K",
)
