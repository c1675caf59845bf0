"""From what is settled of a solution to the labels that go out, by the named choices: one rule for every format."""

from __future__ import annotations

from annotator.exports.choices import MIN_SOURCES, Choices
from annotator.exports.items import Item, Settled
from reasoning.types import NO_ERROR


class LeftOut(Exception):
    """A solution does not go out; the message is the reason, the same words for the same reason."""


def settled_of(item: Item, choices: Choices) -> Settled | None:
    """What is settled, where it is strong enough; None for a solution that goes out unlabelled. Raises LeftOut."""
    settled = item.settled
    if settled is None:
        reason = "not labelled"
    elif settled.first_error is None:
        reason = "settled without a first error"
    elif settled.rank < MIN_SOURCES.index(choices.min_source):
        reason = too_weak(settled)
    else:
        return settled
    if choices.unlabelled == "drop":
        raise LeftOut(reason)
    return None


def too_weak(settled: Settled) -> str:
    """Why labels of this source stay here, in words."""
    if settled.provisional and settled.majority is not None:
        return "provisional machine labels that rest on a majority answer, left out unless asked for"
    if settled.provisional:
        return "provisional machine labels, left out unless asked for"
    return f"{settled.source} labels, weaker than asked for"


def labels_of(item: Item, choices: Choices) -> list[int | None] | None:
    """Labels of the steps that go out: all K, or fewer where those after the first error are dropped.

    −1, 0, 1, or None where a step has no label; None altogether for an unlabelled solution. Raises LeftOut.
    """
    settled = settled_of(item, choices)
    if settled is None or settled.first_error is None:
        return None
    wrong = settled.first_error != NO_ERROR
    until = settled.first_error if wrong else item.step_count
    labels = [_before(settled.labels.get(index), choices) for index in range(until)]
    if wrong:
        labels += [-1, *_after(settled, item.step_count, choices)]
    return labels


def _before(label: int | None, choices: Choices) -> int | None:
    """A step before the first error. That nobody rated it does not make it wrong: the first error lies later."""
    if label is None:
        if choices.unrated == "drop":
            raise LeftOut("a step before the first error was not rated")
        return 1 if choices.unrated == "positive" else None
    return _neutral(label, choices)


def _neutral(label: int, choices: Choices) -> int:
    if label != 0 or choices.neutral == "keep":
        return label
    if choices.neutral == "drop":
        raise LeftOut("a step is neutral")
    return 1 if choices.neutral == "positive" else -1


def _after(settled: Settled, steps: int, choices: Choices) -> list[int | None]:
    assert settled.first_error is not None
    after = range(settled.first_error + 1, steps)
    if choices.after_error == "drop":
        return []
    if choices.after_error == "negative":
        return [-1 for _ in after]
    if choices.after_error == "mask":
        return [None for _ in after]
    labels = (settled.labels.get(index) for index in after)
    return [None if label is None else _neutral(label, choices) for label in labels]
