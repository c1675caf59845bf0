"""The project's own rows: everything that the reader of the same name takes, given back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from annotator.exports.choices import Choices
from annotator.exports.formats.writer import Labels, Writer
from annotator.exports.items import Item
from annotator.exports.resolve import labels_of
from reasoning import answers, steps


def labels(item: Item, choices: Choices) -> Labels:
    """All K of them: a dropped label is an empty one here, for no step is left out."""
    found = labels_of(item, choices)
    return None if found is None else [*found, *[None] * (item.step_count - len(found))]


def row(item: Item, labels: Labels) -> dict[str, Any]:
    kept = dict(item.kept)
    texts = item.steps
    fields: dict[str, Any] = {"id": kept.get("id", item.source_id or item.code)}
    if "solution_id" in kept:
        fields["solution_id"] = kept["solution_id"]
    fields |= {"problem": item.problem, "answer": _answer(item), "steps": texts}
    if steps.join(texts)[0] != item.text:
        fields["solution"] = item.text
    fields |= _settled(item, labels)
    given: dict[str, Any] = {"source": item.source, "generator": item.generator}
    given |= {"annotators": dict(item.annotators), "evidence": dict(item.evidence)}
    fields |= {name: value for name, value in given.items() if value}
    fields["meta"] = _meta(item)
    return dict(kept.get("fields", {})) | fields


def _settled(item: Item, labels: Labels) -> dict[str, Any]:
    if labels is None or item.settled is None:
        return {"first_error": None, "step_labels": None}
    wrong = next((index for index, label in enumerate(labels) if label == -1), -1)
    source = "provisional" if item.settled.provisional else item.settled.source
    return {"first_error": wrong, "step_labels": list(labels), "label_source": source}


def _answer(item: Item) -> Any:
    """As its file had it, unless that is no answer."""
    given = item.kept.get("answer_as_given", item.answer)
    return item.answer if _is_none(given) else given


def _is_none(given: Any) -> bool:
    """Was something given as the answer that is none ("Let's think step by step.")?"""
    return given is not None and answers.reference(given) is None


def _meta(item: Item) -> dict[str, Any]:
    """What was given as the answer and is none stays to be seen, and so does what stood in for it."""
    found = dict(item.meta)
    given = item.kept.get("answer_as_given")
    if _is_none(given):
        found["answer_as_given"] = given
    if item.evidence and item.own_answer not in (None, answers.find(item.text)):
        found.setdefault("model_answer", item.own_answer)  # its file told it apart from the text
    if item.settled is not None and item.settled.majority is not None:
        found["stand_in"] = asdict(item.settled.majority)
    return found


WRITER: Final = Writer(
    name="native",
    title="Stepwise's own rows",
    version=2,
    labels=labels,
    row=row,
    columns={
        "id": "string",
        "solution_id": "string",
        "problem": "string",
        "answer": "string",
        "steps": "list<string>",
        "solution": "string",
        "first_error": "int64",
        "step_labels": "list<int64>",
        "label_source": "string",
        "source": "string",
        "generator": "string",
        "annotators": "json",
        "evidence": "json",
        "meta": "json",
    },
    indices="first_error and step_labels count steps from 0; -1 says that none is wrong, null that it is unknown",
    defaults={"neutral": "keep", "after_error": "keep", "unrated": "keep"},
)
