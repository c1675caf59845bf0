"""The `evidence` of a native row: what machines said of the solution before it came here.

    {"judgements": [{"model", "first_error", "verdicts"?, "reason"?, "prompt"?, "sample"?}],
     "rollouts":   [{"model", "prefix", "right"?, "wrong"?, "unknown"?}],
     "scores":     [{"model", "values"}],
     "final_answer": "right" | "wrong" | "unknown"}

`first_error` counts from 0, −1 says none; `prefix` is the number of steps kept, 0 … K; `right`, `wrong` and `unknown`
count graded rollouts; `values` are K probabilities. A part that is malformed refuses the row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from annotator.intake import fields
from annotator.intake.rows import RowRefused

VERDICTS: Final = ("right", "wrong", "unknown")
IMPORTED: Final = "imported"
"""Stands where a hash of prompt or parameters would, and as the grader of grades that came along."""
_MOST_ROLLOUTS: Final = 4096


@dataclass(frozen=True, slots=True)
class GivenJudgement:
    model: str
    prompt: str
    sample: int
    first_error: int
    verdicts: list[int | None]
    reason: str


@dataclass(frozen=True, slots=True)
class GivenRollouts:
    model: str
    prefix: int
    verdicts: Mapping[str, int]
    """Number of rollouts by verdict."""


@dataclass(frozen=True, slots=True)
class GivenScores:
    model: str
    values: list[float]


@dataclass(frozen=True, slots=True)
class GivenEvidence:
    judgements: Sequence[GivenJudgement] = ()
    rollouts: Sequence[GivenRollouts] = ()
    scores: Sequence[GivenScores] = ()
    final_answer: str | None = None


def parse(given: Mapping[str, Any], steps: int) -> GivenEvidence:
    """Raises RowRefused that names the part."""
    unknown = set(given) - {"judgements", "rollouts", "scores", "final_answer"}
    if unknown:
        raise RowRefused(f"evidence.{min(unknown)}"[:80], "is not known; see docs/formats.md")
    final_answer = given.get("final_answer")
    if final_answer is not None and final_answer not in VERDICTS:
        raise RowRefused("evidence.final_answer", f"must be one of {', '.join(VERDICTS)}")
    evidence = GivenEvidence(
        [_judgement(item, where, steps) for where, item in _items(given, "judgements")],
        [_rollouts(item, where, steps) for where, item in _items(given, "rollouts")],
        [_scores(item, where, steps) for where, item in _items(given, "scores")],
        final_answer,
    )
    _once("judgements", [(item.model, item.prompt, item.sample) for item in evidence.judgements])
    _once("rollouts", [(item.model, item.prefix) for item in evidence.rollouts])
    _once("scores", [item.model for item in evidence.scores])
    return evidence


def _items(given: Mapping[str, Any], part: str) -> list[tuple[str, Mapping[str, Any]]]:
    items = given.get(part)
    if items is None:
        return []
    if not isinstance(items, list):
        raise RowRefused(f"evidence.{part}", f"must be a list, is {fields.kind(items)}")
    return [(where, fields.obj(item, where)) for i, item in enumerate(items) if (where := f"evidence.{part}[{i}]")]


def _once(part: str, keys: Sequence[object]) -> None:
    for index, key in enumerate(keys):
        if key in keys[:index]:
            raise RowRefused(f"evidence.{part}[{index}]", "stands here twice: one reply would count as two")


def _model(item: Mapping[str, Any], where: str) -> str:
    model = item.get("model")
    if not isinstance(model, str) or not 0 < len(model) <= 200:
        raise RowRefused(f"{where}.model", "must be text of 1 to 200 characters")
    return model


def _judgement(item: Mapping[str, Any], where: str, steps: int) -> GivenJudgement:
    first_error = fields.first_error(item.get("first_error"), f"{where}.first_error", steps)
    if first_error is None:
        raise RowRefused(f"{where}.first_error", "is missing: a judge that said nothing leaves no judgement")
    prompt = item.get("prompt", IMPORTED)
    if not isinstance(prompt, str) or not 0 < len(prompt) <= 64:
        raise RowRefused(f"{where}.prompt", "must be a hash of at most 64 characters")
    sample = fields.whole(item.get("sample", 0), f"{where}.sample")
    if not 0 <= sample <= 32767:
        raise RowRefused(f"{where}.sample", f"is {sample}")
    verdicts = fields.step_labels(item.get("verdicts"), f"{where}.verdicts", steps) or []
    reason = item.get("reason") or ""
    if not isinstance(reason, str):
        raise RowRefused(f"{where}.reason", f"must be text, is {fields.kind(reason)}")
    return GivenJudgement(_model(item, where), prompt, sample, first_error, verdicts, reason)


def _rollouts(item: Mapping[str, Any], where: str, steps: int) -> GivenRollouts:
    prefix = fields.whole(item.get("prefix"), f"{where}.prefix")
    if not 0 <= prefix <= steps:
        raise RowRefused(f"{where}.prefix", f"is {prefix}, but must be 0 to {steps}")
    counts = {verdict: fields.whole(item.get(verdict, 0), f"{where}.{verdict}") for verdict in VERDICTS}
    if min(counts.values()) < 0 or not 0 < sum(counts.values()) <= _MOST_ROLLOUTS:
        raise RowRefused(where, f"must count 1 to {_MOST_ROLLOUTS} rollouts as right, wrong or unknown")
    return GivenRollouts(_model(item, where), prefix, counts)


def _scores(item: Mapping[str, Any], where: str, steps: int) -> GivenScores:
    values = item.get("values")
    if not isinstance(values, list) or len(values) != steps:
        raise RowRefused(f"{where}.values", f"must be a list of {steps} probabilities, one a step")
    for index, value in enumerate(values):
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise RowRefused(f"{where}.values[{index}]", "must be a probability from 0 to 1")
    return GivenScores(_model(item, where), [float(value) for value in values])
