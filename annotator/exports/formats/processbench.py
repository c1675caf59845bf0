"""ProcessBench rows: all steps, and the first error alone."""

from __future__ import annotations

from typing import Any, Final

from annotator.exports.choices import Choices
from annotator.exports.formats.writer import Labels, Writer
from annotator.exports.items import Item
from annotator.exports.resolve import labels_of


def labels(item: Item, choices: Choices) -> Labels:
    return labels_of(item, choices)


def row(item: Item, labels: Labels) -> dict[str, Any]:
    assert labels is not None
    return {
        "id": item.source_id or item.code,
        "generator": item.generator,
        "problem": item.problem,
        "steps": item.steps,
        "final_answer_correct": item.own_verdict,
        "label": next((index for index, label in enumerate(labels) if label == -1), -1),
    }


WRITER: Final = Writer(
    name="processbench",
    title="ProcessBench",
    version=1,
    labels=labels,
    row=row,
    columns={
        "id": "string",
        "generator": "string",
        "problem": "string",
        "steps": "list<string>",
        "final_answer_correct": "bool",
        "label": "int64",
    },
    indices="label counts steps from 0; -1 says that none is wrong",
    allowed={
        "neutral": ("positive", "negative", "drop"),
        "unrated": ("positive", "drop"),
        "unlabelled": ("drop",),
        "evidence": ("drop",),
    },
    strict=True,
)
