"""How a solution is settled, whoever settles it: one current settlement, its labels, the status, no free slots left.

A label is superseded, never edited. Source and provisional of a label are its settlement's (composite key).

Labels of people and machines end with the first error. A step that people were not asked about and did not rate, yet
which lies before the first error that they name (or anywhere, where they say that none is wrong), is labelled +1 with
`p_correct` set: the machines let it pass, and whoever read the whole chain found no error there. So among human labels
an empty `p_correct` says "rated by a person", a number says "let pass".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone

from annotator import slots
from annotator.models import (
    Annotation,
    Certificate,
    Intake,
    Label,
    Posterior,
    Settlement,
    Solution,
    SolutionStatus,
    Source,
)
from reasoning.types import NO_ERROR
from reasoning.types import Posterior as PosteriorValue


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What a settlement will say of one solution."""

    solution: Solution
    source: str
    first_error: int | None
    values: Mapping[int, int]
    """Label of each labelled step."""
    p_correct: Mapping[int, float] = field(default_factory=dict)
    provisional: bool = False
    posterior: Posterior | None = None
    certificate: Certificate | None = None
    intake: Intake | None = None
    annotations: Sequence[Annotation] = ()
    finish_reason: str = ""
    simulated: bool = False
    stand_in: int | None = None
    """Key of the majority answer that the labels rest on."""


def p_correct_of(posterior: Posterior) -> tuple[float, ...]:
    """Per step: P(first error lies beyond it, or none), within 0 … 1."""
    value = PosteriorValue(tuple(posterior.probabilities))
    return tuple(min(max(p, 0.0), 1.0) for p in value.p_correct)


def values_before(first_error: int, steps: int) -> dict[int, int]:
    """+1 up to the first error, −1 at it, nothing after; +1 everywhere where there is none."""
    if first_error == NO_ERROR:
        return dict.fromkeys(range(steps), 1)
    return {**dict.fromkeys(range(first_error), 1), first_error: -1}


@transaction.atomic(savepoint=False)
def conclude(conclusions: Sequence[Conclusion]) -> list[Settlement]:
    """Settle these solutions (whose rows are locked); whatever stood before is superseded in the same transaction."""
    solutions = [each.solution for each in conclusions]
    _supersede(solutions)
    settlements = Settlement.objects.bulk_create(_settlement(each) for each in conclusions)
    Label.objects.bulk_create(
        Label(
            settlement=settlement,
            solution=each.solution,
            index=index,
            value=value,
            p_correct=each.p_correct.get(index),
            source=each.source,
            provisional=each.provisional,
        )
        for settlement, each in zip(settlements, conclusions, strict=True)
        for index, value in sorted(each.values.items())
    )
    through = Settlement.annotations.through
    through.objects.bulk_create(
        through(settlement_id=settlement.pk, annotation_id=annotation.pk)
        for settlement, each in zip(settlements, conclusions, strict=True)
        for annotation in each.annotations
    )
    machine = [each.solution for each in conclusions if each.source == Source.MACHINE]
    people = [each.solution for each in conclusions if each.source != Source.MACHINE]
    set_status(machine, SolutionStatus.MACHINE)
    set_status(people, SolutionStatus.SETTLED)
    slots.close_free(solutions)
    return settlements


def _settlement(each: Conclusion) -> Settlement:
    return Settlement(
        solution=each.solution,
        source=each.source,
        provisional=each.provisional,
        step_count=each.solution.step_count,
        first_error=each.first_error,
        posterior=each.posterior,
        certificate=each.certificate,
        intake=each.intake,
        finish_reason=each.finish_reason,
        simulated=each.simulated,
        stand_in_id=each.stand_in,
    )


@transaction.atomic(savepoint=False)
def unsettle(solutions: Sequence[Solution], status: str) -> None:
    """Take back what these solutions were labelled with; they go on as `status`."""
    _supersede(solutions)
    set_status(solutions, status)


def set_status(solutions: Iterable[Solution], status: str) -> None:
    """One update for all whose status differs; the values in memory follow."""
    changed = [each for each in solutions if each.status != status]
    if changed:
        Solution.objects.filter(pk__in=[each.pk for each in changed]).update(status=status)
    for each in changed:
        each.status = status


def _supersede(solutions: Sequence[Solution]) -> None:
    now = timezone.now()
    if Settlement.objects.filter(solution__in=solutions, superseded_at=None).update(superseded_at=now):
        Label.objects.filter(solution__in=solutions, superseded_at=None).update(superseded_at=now)
