"""Scores that a PRM gave to solutions that are here already: one row a solution, one probability a step.

    {"id": "gsm8k-3", "model": "prm-7b", "scores": [0.98, 0.91, 0.12]}

Whose scores they are is told by `id` (with `source` and `solution_id`, as the row had them; or a solution's code), else
by problem and steps as the row had them, else by `solution`, a code. Besides `scores` the list may be called `values`
(this project's own), `step_scores`, `rewards` or `step_rewards`; may lie in a list of one, as Qwen2.5-Math-PRM's
`make_step_rewards` returns it for one solution; or be the `step_level_validity_scores` of PRMBench's `mr_eval`, whose
rows are known by `idx`. What is no probability (logits, rewards from −1 to 1) is refused, never squeezed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from annotator.intake import evidence, fields
from annotator.intake.formats.native import identity
from annotator.intake.formats.reader import Reader
from annotator.intake.rows import RowRefused, ScoresRow

_LISTS: Final = ("scores", "values", "step_scores", "rewards", "step_rewards")
_VALIDITY: Final = "step_level_validity_scores"


def read(value: Any) -> Iterator[ScoresRow]:
    row = fields.obj(value)
    source_id = identity(fields.optional_id(row, "id"), fields.optional_id(row, "solution_id"))
    source_id = source_id or fields.optional_id(row, "idx")
    content = source_id is None and row.get("steps", row.get("completions")) is not None
    code = None if source_id is not None or content else fields.optional_text(row, "solution")
    if source_id is None and not content and not code:
        raise RowRefused("id", "is missing, and so are problem and steps, and a solution's code in solution")
    name, given = _list(row)
    yield ScoresRow(
        source_id=source_id,
        source=fields.optional_text(row, "source") or "",
        code=code,
        problem=fields.text(row, "problem" if "problem" in row else "prompt") if content else "",
        steps=fields.texts(row, "steps" if row.get("steps") is not None else "completions") if content else (),
        answer=row.get("answer"),
        model=evidence.name_of_model(row, "") if row.get("model") is not None else "",
        parameters=evidence.hash_of(row, "parameters", ""),
        field=name,
        values=evidence.probabilities(given, name),
    )


def _list(row: Mapping[str, Any]) -> tuple[str, Any]:
    """The scores, and what their field is called."""
    name = next((name for name in _LISTS if row.get(name) is not None), None)
    if name is None:
        raise RowRefused("scores", "is missing")
    given = row[name]
    if isinstance(given, dict):
        return f"{name}.{_VALIDITY}", given.get(_VALIDITY)
    if isinstance(given, list) and len(given) == 1 and isinstance(given[0], list):
        return f"{name}[0]", given[0]
    return name, given


def _recognises(row: Mapping[str, Any]) -> bool:
    name = next((name for name in _LISTS if name in row), None)
    if name is None or not {"id", "idx", "solution", "steps", "completions"} & set(row):
        return False
    found = _list({name: row[name]})[1] if row[name] is not None else None
    return isinstance(found, list) and all(isinstance(each, int | float) for each in found)


READER: Final = Reader(name="scores", title="Scores of a PRM", recognises=_recognises, read=read)
