"""What machines and people said of solutions, as the reader of native rows takes it (intake/evidence.py).

Read in again, it is the same evidence. So it holds only what is evidence: ratings that people made blind, and no
audit's, under the code of their rater; one verdict a rollout, the one that counts. Two things do not travel. Verdicts
by a majority answer are left out, for a row has no room for the mark that they bear for ever. And what is known of a
fork through the solutions it comes from stays with those.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db.models import Q, QuerySet

from annotator.models import Grade, Judgement, OwnGrade, Purpose, Score, Solution
from annotator.opinions import Opinion, opinions_of
from reasoning.characters import unescape
from reasoning.types import NO_ERROR

_IMPORTED: Final = "imported"
"""What the reader puts where a row names no prompt or parameters."""


@dataclass(slots=True)
class Looks:
    """Of one solution. `evidence` and `annotators` are a native row's fields of these names, the latter people's."""

    evidence: dict[str, Any] = field(default_factory=dict)
    annotators: dict[str, dict[str, Any]] = field(default_factory=dict)


def looks_of(solutions: Sequence[Solution], cutoff: datetime) -> Mapping[int, Looks]:
    """By the solution's key, as it stood at the cutoff; five queries however many solutions."""
    found: dict[int, Looks] = defaultdict(Looks)
    pks = [solution.pk for solution in solutions]
    for pk, judgement in _judgements(pks, cutoff):
        found[pk].evidence.setdefault("judgements", []).append(judgement)
    for pk, rollouts in _rollouts(pks, cutoff):
        found[pk].evidence.setdefault("rollouts", []).append(rollouts)
    for score in scores_at(cutoff).filter(solution__in=pks).order_by("pk"):
        told = {"model": unescape(score.model), **_way(parameters=score.parameters), "values": score.values}
        found[score.solution_id].evidence.setdefault("scores", []).append(told)
    # None by a majority answer.
    own = OwnGrade.objects.by_answer().filter(solution__in=pks, created_at__lte=cutoff)
    for pk, verdict in own.best().values_list("solution_id", "verdict"):
        found[pk].evidence["final_answer"] = verdict
    steps = {solution.pk: solution.step_count for solution in solutions}
    for pk, opinions in opinions_of(solutions, purposes=(Purpose.LABEL,)).items():
        blind = [each for each in opinions if each.annotation.blind and each.annotation.created_at <= cutoff]
        told_by = {each.annotation.rater.code: _said(each, steps[pk]) for each in blind}
        found[pk].annotators = {code: said for code, said in told_by.items() if said}
    return found


def scores_at(cutoff: datetime) -> QuerySet[Score]:
    """Scores that stood at the cutoff."""
    withdrawn = Q(intake__withdrawn_at__isnull=False) & Q(intake__withdrawn_at__lte=cutoff)
    return Score.objects.filter(~withdrawn, created_at__lte=cutoff)


def _way(**hashes: str) -> dict[str, str]:
    return {name: unescape(value) for name, value in hashes.items() if value and value != _IMPORTED}


def _judgements(pks: Sequence[int], cutoff: datetime) -> Iterator[tuple[int, dict[str, Any]]]:
    rows = Judgement.objects.filter(solution__in=pks, created_at__lte=cutoff)
    for row in rows.order_by("solution_id", "model", "prompt", "parameters", "sample"):
        said: dict[str, Any] = {"model": unescape(row.model), **_way(prompt=row.prompt, parameters=row.parameters)}
        said |= {"sample": row.sample, "first_error": row.first_error}
        said |= {"verdicts": row.verdicts} if row.verdicts else {}
        said |= {"reason": unescape(row.reason)} if row.reason else {}
        yield row.solution_id, said


def _rollouts(pks: Sequence[int], cutoff: datetime) -> Iterator[tuple[int, dict[str, Any]]]:
    """Counted by prefix, model and parameters; those that nobody graded tell nothing."""
    grades = Grade.objects.by_answer().filter(rollout__solution__in=pks, created_at__lte=cutoff)
    of_rollout = ("rollout__solution_id", "rollout__prefix", "rollout__model", "rollout__parameters")
    counts: dict[tuple[int, int, str, str], Counter[str]] = defaultdict(Counter)
    for *key, verdict in grades.best().values_list(*of_rollout, "verdict"):
        counts[tuple(key)][verdict] += 1
    for (pk, prefix, model, parameters), verdicts in sorted(counts.items()):
        yield pk, {"model": unescape(model), **_way(parameters=parameters), "prefix": prefix, **verdicts}


def _said(opinion: Opinion, steps: int) -> dict[str, Any]:
    """As an annotator of a native row; empty where it tells nothing of the first error."""
    rating = opinion.as_evidence()
    if rating is None:
        return {}
    values = opinion.values
    labels = [values.get(index) if index < rating.through else None for index in range(steps)]
    partly = {"through": rating.through} if rating.first_error == NO_ERROR and rating.through < steps else {}
    return {"first_error": rating.first_error, **partly, "step_labels": labels}
