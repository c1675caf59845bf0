"""A row made ready for the tables: checked, escaped, split into steps, and known by its hashes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from annotator.intake import evidence, fields
from annotator.intake.options import Options
from annotator.intake.rows import Placed, Row, RowRefused
from annotator.models.problems import KEPT, content_hash, problem_key
from reasoning import answers, steps
from reasoning.characters import escape
from reasoning.types import Step

LABELS_KEY: Final = "labels of the row"
"""Key of the annotation that a row's own labels become where they are taken as evidence."""
_DEEPEST: Final = 100
"""Levels of a row's own fields. Python's stack ends at some hundreds, wherever they are walked again."""
_LONGEST: Final = {"source": 120, "id": 300, "generator": 200}


@dataclass(frozen=True, slots=True)
class GivenAnnotation:
    key: str
    first_error: int | None
    step_labels: list[int | None] | None
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Prepared:
    """One solution as it will be stored: all text escaped."""

    placed: Placed
    statement: str
    answer: str | None
    problem_key: str
    content_hash: str
    open_key: str
    """`problem_key` as it would be without the reference answer."""
    open_hash: str
    """`content_hash` likewise."""
    source: str
    source_id: str | None
    generator: str
    text: str
    spans: Sequence[tuple[int, int]]
    own_answer: str | None
    own_verdict: str | None
    meta: dict[str, Any]
    first_error: int | None
    """What is settled; None where it is unknown, or labels are taken as evidence."""
    step_labels: Sequence[int | None] | None
    finish_reason: str
    annotations: Sequence[GivenAnnotation]
    evidence: evidence.GivenEvidence

    @property
    def identity(self) -> tuple[str, str]:
        """What the row is known by within its project: source and id, else its content."""
        return ("", self.content_hash) if self.source_id is None else (self.source, self.source_id)

    @property
    def open_identity(self) -> tuple[str, str]:
        """What it would be known by without its reference answer."""
        return ("", self.open_hash) if self.source_id is None else (self.source, self.source_id)


def prepare(placed: Placed, options: Options, default_source: str) -> Prepared:
    """Raises RowRefused."""
    row = placed.row
    text, placed_steps = _steps(row, options.splitter)
    source = row.source or options.source or default_source
    _check_lengths(row, source)
    answer = answers.reference(row.answer, row.reference_solution)
    first_error, step_labels = _labels(row, len(placed_steps))
    annotations = _annotations(row, len(placed_steps))
    if options.labels_as == "evidence" and (first_error is not None or _any(row.step_labels)):
        annotations.append(_own_labels(row, first_error))
        first_error, step_labels = None, None
    elif first_error is None and _any(row.step_labels):
        # Without a first error nothing is settled yet; what was said of single steps is kept as said.
        annotations.append(_own_labels(row, None))
    given = evidence.parse(row.evidence, len(placed_steps))
    return Prepared(
        placed=placed,
        statement=escape(row.problem),
        answer=None if answer is None else escape(answer),
        problem_key=problem_key(row.problem, answer),
        content_hash=content_hash(row.problem, answer, [step.text for step in placed_steps]),
        open_key=problem_key(row.problem, None),
        open_hash=content_hash(row.problem, None, [step.text for step in placed_steps]),
        source=escape(source),
        source_id=None if row.source_id is None else escape(row.source_id),
        generator=escape(row.generator),
        text=escape(text),
        spans=[(step.start, step.end) for step in placed_steps],
        own_answer=_own_answer(row, text),
        own_verdict=_own_verdict(row, given),
        meta=_meta(row, answer),
        first_error=first_error,
        step_labels=step_labels,
        finish_reason=row.finish_reason if first_error is not None else "",
        annotations=annotations,
        evidence=given,
    )


def _steps(row: Row, splitter: str) -> tuple[str, Sequence[Step]]:
    if row.steps is None:
        text = row.solution or ""
        found = steps.split(text, splitter)
        if not found:
            raise RowRefused("solution", "holds no step")
        return text, found
    if row.solution is None:
        return steps.join(row.steps)
    return row.solution, _located(row.steps, row.solution)


def _located(given: Sequence[str], text: str) -> list[Step]:
    """Given steps where they lie in the given text."""
    located: list[Step] = []
    position = 0
    for index, step in enumerate(given):
        start = text.find(step, position)
        if start < 0 or text[position:start].strip():
            raise RowRefused(f"steps[{index}]", 'does not follow in "solution" with white space between')
        position = start + len(step)
        located.append(Step(index=index, text=step, start=start, end=position))
    if text[position:].strip():
        raise RowRefused("solution", "goes on after the last step")
    return located


def _check_lengths(row: Row, source: str) -> None:
    for field, value in (("source", source), ("id", row.source_id), ("generator", row.generator)):
        if value is not None and len(escape(value)) > _LONGEST[field]:
            raise RowRefused(field, f"is longer than {_LONGEST[field]} characters")


def _any(labels: Sequence[int | None] | None) -> bool:
    return labels is not None and any(label is not None for label in labels)


def _labels(row: Row, count: int) -> tuple[int | None, list[int | None] | None]:
    """The first error, told or implied, and the steps' labels; they must not contradict each other."""
    given = fields.step_labels(None if row.step_labels is None else [*row.step_labels], "step_labels", count)
    first_error = fields.first_error(row.first_error, "first_error", count)
    if given is None or not _any(given):
        return first_error, None
    if first_error is None:
        return fields.implied_first_error(given), given
    named = next((index for index, label in enumerate(given) if label == -1), None)
    if named is not None and (first_error == -1 or named < first_error):
        raise RowRefused("step_labels", f"call step {named} wrong, but first_error is {first_error}")
    if first_error >= 0 and given[first_error] not in (-1, None):
        raise RowRefused("step_labels", f"call step {first_error} not wrong, but first_error is {first_error}")
    return first_error, given


def _annotations(row: Row, count: int) -> list[GivenAnnotation]:
    annotations = []
    for key, said in row.annotators.items():
        where = f"annotators.{key}"[:60]
        labels = fields.step_labels(said.get("step_labels"), f"{where}.step_labels", count)
        first_error = fields.first_error(said.get("first_error"), f"{where}.first_error", count)
        if first_error is None:
            first_error = fields.implied_first_error(labels)
        annotations.append(GivenAnnotation(escape(key), first_error, labels, escape_json(said)))
    return annotations


def _own_labels(row: Row, first_error: int | None) -> GivenAnnotation:
    labels = None if row.step_labels is None else [*row.step_labels]
    said: dict[str, Any] = {} if first_error is None else {"first_error": first_error}
    key = next(
        key for number in itertools.count(1) if (key := LABELS_KEY + f" {number}" * (number > 1)) not in row.annotators
    )
    return GivenAnnotation(key, first_error, labels, said if labels is None else said | {"step_labels": labels})


def _own_answer(row: Row, text: str) -> str | None:
    answer = row.own_answer if row.own_answer is not None else answers.find(text)
    return None if answer is None else escape(answer)


def _own_verdict(row: Row, given: evidence.GivenEvidence) -> str | None:
    if given.final_answer is not None:
        return given.final_answer
    return None if row.own_verdict is None else "right" if row.own_verdict else "wrong"


def _meta(row: Row, answer: str | None) -> dict[str, Any]:
    """The row's own, and beside it what a native export gives back exactly."""
    kept = dict(row.kept)
    if row.answer != answer:
        kept["answer_as_given"] = row.answer
    meta = dict(row.meta) | ({KEPT: kept} if kept else {})
    escaped: dict[str, Any] = escape_json(meta)
    return escaped


def escape_json(value: Any, depth: int = 0) -> Any:
    """A JSON value with every text in it escaped, keys too: PostgreSQL's JSON holds no NUL either."""
    if depth > _DEEPEST:
        raise RowRefused("", f"is nested more than {_DEEPEST} deep")
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, Mapping):
        return {escape(str(key)): escape_json(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [escape_json(item, depth + 1) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise RowRefused("", f"holds {value}, which is no number in JSON")
    return value if isinstance(value, int | float | None) else str(value)
