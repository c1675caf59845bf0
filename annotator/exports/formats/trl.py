"""TRL's stepwise supervision rows. Labels are true or false: nothing soft, nothing masked."""

from __future__ import annotations

from typing import Any, Final

from annotator.exports.choices import Choices
from annotator.exports.formats.writer import Labels, Writer
from annotator.exports.items import Item
from annotator.exports.resolve import LeftOut, labels_of


def labels(item: Item, choices: Choices) -> Labels:
    found = labels_of(item, choices)
    if found is None or any(label is None for label in found):
        raise LeftOut("a step after the first error has no label")
    return found


def row(item: Item, labels: Labels) -> dict[str, Any]:
    assert labels is not None
    return {
        "prompt": item.problem,
        "completions": item.steps[: len(labels)],
        "labels": [label == 1 for label in labels],
    }


WRITER: Final = Writer(
    name="trl",
    title="TRL stepwise supervision",
    version=1,
    labels=labels,
    row=row,
    columns={"prompt": "string", "completions": "list<string>", "labels": "list<bool>"},
    indices="one label a completion, in order",
    allowed={
        "neutral": ("positive", "negative", "drop"),
        "after_error": ("drop", "negative", "keep"),
        "unrated": ("positive", "drop"),
        "unlabelled": ("drop",),
        "evidence": ("drop",),
    },
    strict=True,
)
