"""The `evidence` of a native row: what machines said of the solution before it came here.

    {"judgements": [{"model", "first_error", "verdicts"?, "reason"?, "prompt"?, "parameters"?, "sample"?}],
     "rollouts":   [{"model", "prefix", "right"?, "wrong"?, "unknown"?, "parameters"?}],
     "scores":     [{"model", "values", "parameters"?}],
     "final_answer": "right" | "wrong" | "unknown"}

`first_error` counts from 0, −1 says none; `prefix` is the number of steps kept, 0 … K; `right`, `wrong` and `unknown`
count graded rollouts; `values` are K probabilities; `prompt` and `parameters` are hashes that tell one way of asking a
model from another. A part that is malformed refuses the row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from annotator.intake import fields
from annotator.intake.rows import RowRefused
from reasoning.characters import escape

VERDICTS: Final = ("right", "wrong", "unknown")
IMPORTED: Final = "imported"
"""Stands where a hash of prompt or parameters would, and as the grader of grades that came along."""
_MOST_ROLLOUTS: Final = 4096


@dataclass(frozen=True, slots=True)
class GivenJudgement:
    model: str
    prompt: str
    parameters: str
    sample: int
    first_error: int
    verdicts: list[int | None]
    reason: str


@dataclass(frozen=True, slots=True)
class GivenRollouts:
    model: str
    parameters: str
    prefix: int
    verdicts: Mapping[str, int]
    """Number of rollouts by verdict."""


@dataclass(frozen=True, slots=True)
class GivenScores:
    model: str
    parameters: str
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
    _once("judgements", [(each.model, each.prompt, each.parameters, each.sample) for each in evidence.judgements])
    _once("rollouts", [(each.model, each.parameters, each.prefix) for each in evidence.rollouts])
    _once("scores", [(each.model, each.parameters) for each in evidence.scores])
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


def name_of_model(item: Mapping[str, Any], where: str) -> str:
    """The item's `model`, escaped."""
    model = item.get("model")
    if not isinstance(model, str) or not 0 < len(escape(model)) <= 200:
        raise RowRefused(f"{where}.model".lstrip("."), "must be text of 1 to 200 characters")
    return escape(model)


def hash_of(item: Mapping[str, Any], field: str, where: str) -> str:
    """What stands for a prompt or for parameters, escaped; `IMPORTED` where nothing does."""
    given = item.get(field)
    if given is None:
        return IMPORTED
    if not isinstance(given, str) or not 0 < len(escape(given)) <= 64:
        raise RowRefused(f"{where}.{field}".lstrip("."), "must be a hash of at most 64 characters")
    return escape(given)


def probabilities(given: object, where: str) -> list[float]:
    """One a step, of as many steps as there are."""
    if not isinstance(given, list) or not given:
        raise RowRefused(where, f"must be a list of probabilities, one a step, is {fields.kind(given)}")
    for index, value in enumerate(given):
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            shown = f"{value:g}" if isinstance(value, float) else fields.kind(value)
            raise RowRefused(f"{where}[{index}]", f"must be a probability from 0 to 1, is {shown}")
    return [float(value) for value in given]


def _judgement(item: Mapping[str, Any], where: str, steps: int) -> GivenJudgement:
    first_error = fields.first_error(item.get("first_error"), f"{where}.first_error", steps)
    if first_error is None:
        raise RowRefused(f"{where}.first_error", "is missing: a judge that said nothing leaves no judgement")
    sample = fields.whole(item.get("sample", 0), f"{where}.sample")
    if not 0 <= sample <= 32767:
        raise RowRefused(f"{where}.sample", f"is {sample}")
    verdicts = fields.step_labels(item.get("verdicts"), f"{where}.verdicts", steps) or []
    reason = item.get("reason") or ""
    if not isinstance(reason, str):
        raise RowRefused(f"{where}.reason", f"must be text, is {fields.kind(reason)}")
    return GivenJudgement(
        model=name_of_model(item, where),
        prompt=hash_of(item, "prompt", where),
        parameters=hash_of(item, "parameters", where),
        sample=sample,
        first_error=first_error,
        verdicts=verdicts,
        reason=escape(reason),
    )


def _rollouts(item: Mapping[str, Any], where: str, steps: int) -> GivenRollouts:
    prefix = fields.whole(item.get("prefix"), f"{where}.prefix")
    if not 0 <= prefix <= steps:
        raise RowRefused(f"{where}.prefix", f"is {prefix}, but must be 0 to {steps}")
    counts = {verdict: fields.whole(item.get(verdict, 0), f"{where}.{verdict}") for verdict in VERDICTS}
    if min(counts.values()) < 0 or not 0 < sum(counts.values()) <= _MOST_ROLLOUTS:
        raise RowRefused(where, f"must count 1 to {_MOST_ROLLOUTS} rollouts as right, wrong or unknown")
    return GivenRollouts(name_of_model(item, where), hash_of(item, "parameters", where), prefix, counts)


def _scores(item: Mapping[str, Any], where: str, steps: int) -> GivenScores:
    values = probabilities(item.get("values"), f"{where}.values")
    if len(values) != steps:
        raise RowRefused(f"{where}.values", f"has {len(values)} entries for {steps} steps")
    return GivenScores(name_of_model(item, where), hash_of(item, "parameters", where), values)
