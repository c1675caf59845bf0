"""RLHFlow: a conversation in which every step is a user's turn and every label, + or -, the assistant's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from annotator.intake import fields
from annotator.intake.formats.math_shepherd import split_first
from annotator.intake.formats.reader import Reader
from annotator.intake.rows import Row, RowRefused

_LABELS: Final = {"+": 1, "-": -1}


def read(value: Any) -> Iterator[Row]:
    row = fields.obj(value)
    turns = row.get("conversations")
    if not isinstance(turns, list) or len(turns) < 2 or len(turns) % 2:
        raise RowRefused("conversations", "must be a list of turns, two a step")
    contents = [_content(turn, index) for index, turn in enumerate(turns)]
    problem, first = split_first(contents[0], "conversations[0].content")
    labels = _labels(contents)
    yield Row(
        problem=problem,
        steps=[first, *contents[2::2]],
        step_labels=labels,
        first_error=fields.implied_first_error(labels),
        meta={name: item for name, item in row.items() if name != "conversations"},
    )


def _content(turn: Any, index: int) -> str:
    where = f"conversations[{index}]"
    said: Mapping[str, Any] = fields.obj(turn, where)
    role = ("user", "assistant")[index % 2]
    if said.get("role") != role:
        raise RowRefused(f"{where}.role", f"must be {role}, is {said.get('role')!r:.40}")
    content = said.get("content")
    if not isinstance(content, str):
        raise RowRefused(f"{where}.content", f"must be text, is {fields.kind(content)}")
    return content


def _labels(contents: Sequence[str]) -> list[int | None]:
    labels: list[int | None] = []
    for index in range(1, len(contents), 2):
        label = contents[index].strip()
        if label not in _LABELS:
            raise RowRefused(f"conversations[{index}].content", f"must be + or -, is {label[:40]!r}")
        labels.append(_LABELS[label])
    return labels


READER: Final = Reader(
    name="rlhflow",
    title="RLHFlow",
    recognises=lambda row: isinstance(row.get("conversations"), list),
    read=read,
    source="RLHFlow",
)
