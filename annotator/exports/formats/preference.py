"""Pairs of steps: TRL's preference rows, and Step-DPO's. Both continue the same steps of the same problem.

A pair is what a search believes. It goes out as provisional, or with the source of its solution's labels where those
have the rejected step as the first error too; where they have another, it stays here.
"""

from __future__ import annotations

from typing import Any, Final

from annotator.exports.choices import MIN_SOURCES, Choices
from annotator.exports.formats.writer import Labels, Writer
from annotator.exports.items import Item
from annotator.exports.pairs import pairs
from annotator.exports.resolve import LeftOut, too_weak
from reasoning.steps import SEPARATOR

_ALLOWED: Final = {
    "neutral": ("positive",),
    "after_error": ("drop",),
    "unrated": ("positive",),
    "unlabelled": ("drop",),
    "evidence": ("drop",),
}
"""A pair has one good step and one bad one: there is nothing to choose but its source."""


def labels(item: Item, choices: Choices) -> Labels:
    assert item.pair is not None
    assert item.settled is not None
    if item.settled.first_error != item.pair.prefix:
        raise LeftOut("its solution is labelled with another first error")
    if item.settled.rank < MIN_SOURCES.index(choices.min_source):
        raise LeftOut(too_weak(item.settled))
    return [1, -1]


def preference_row(item: Item, labels: Labels) -> dict[str, Any]:
    assert item.pair is not None
    prompt = "".join(text + SEPARATOR for text in (item.problem, *item.steps[: item.pair.prefix]))
    return {"prompt": prompt, "chosen": item.pair.chosen, "rejected": item.pair.rejected}


def step_dpo_row(item: Item, labels: Labels) -> dict[str, Any]:
    pair = item.pair
    assert pair is not None
    return {
        "dataset": item.source or "stepwise",
        "prompt": item.problem,
        "initial_reason_steps": "".join(text + SEPARATOR for text in item.steps[: pair.prefix]),
        "chosen": pair.chosen,
        "rejected": pair.rejected,
        "full_chosen": pair.rest or pair.chosen,
        "full_rejected": item.text[item.spans[pair.prefix][0] :],
        "answer": item.answer,
    }


PREFERENCE: Final = Writer(
    name="preference",
    title="TRL preference pairs",
    version=1,
    labels=labels,
    row=preference_row,
    columns={"prompt": "string", "chosen": "string", "rejected": "string"},
    indices="prompt holds the problem and the steps that both follow, a blank line after each",
    allowed=_ALLOWED,
    strict=True,
    items=pairs,
    unit="pairs",
)
STEP_DPO: Final = Writer(
    name="step_dpo",
    title="Step-DPO",
    version=1,
    labels=labels,
    row=step_dpo_row,
    columns=dict.fromkeys(
        (
            "dataset",
            "prompt",
            "initial_reason_steps",
            "chosen",
            "rejected",
            "full_chosen",
            "full_rejected",
            "answer",
        ),
        "string",
    ),
    indices="initial_reason_steps holds the steps that both follow, a blank line after each",
    allowed=_ALLOWED,
    strict=True,
    items=pairs,
    unit="pairs",
)
