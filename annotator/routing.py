"""Where each solution goes: to its label by machines, or to people with a reason and the steps they are asked.

In this order:
1. withdrawn, superseded, settled by people or imported, disputed, or with people at work on it: left as it is;
2. an audit (drawn now, if it has never been routed): to people, blind and whole, with no reason told;
3. machines have looked and max P(first error) reaches the threshold: labelled by machines, provisional unless a
   certificate is in force, and even then where a majority answer stood in for the reference answer; +1 before the
   first error, −1 at it, nothing behind it;
4. everything else: to people, with the reason in words, the steps left open, and a priority.

Routing again what has not changed changes nothing. What was labelled by machines and no longer reaches the threshold
loses its labels and goes to people; what people have not begun and machines have since settled leaves the queue.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from django.db import transaction
from django.utils import timezone

from annotator import beliefs, certification, doubts, labels, slots
from annotator.models import (
    Certificate,
    Destination,
    Posterior,
    Project,
    Purpose,
    Routing,
    Settlement,
    SlotState,
    Solution,
    SolutionStatus,
    Source,
)
from reasoning.first_error.posterior import posteriors
from reasoning.types import Evidence
from reasoning.types import Posterior as PosteriorValue

_BATCH: Final = 200
"""Solutions locked at once: long enough to share queries, short enough that nobody who submits notices."""
KEPT: Final = "kept"


@dataclass(frozen=True, slots=True)
class _Decision:
    solution: Solution
    destination: str
    reason: str
    asked: list[int]
    priority: float
    posterior: Posterior | None


def route(solutions: Sequence[Solution]) -> Counter[str]:
    """Decide on each solution; returns how many went to "machine", "people", "audit", or were "kept" as they are."""
    counts: Counter[str] = Counter()
    pks = iter(sorted({solution.pk for solution in solutions}))
    while batch := list(islice(pks, _BATCH)):
        counts += _route_batch(batch)
    return counts


@transaction.atomic
def _route_batch(pks: Sequence[int]) -> Counter[str]:
    locked = slots.lock(pks)
    beliefs_now = beliefs.refresh([each for each in locked if _live(each)])
    open_to_us = _undecided(locked)
    counts = Counter({KEPT: len(locked) - len(open_to_us)})
    for project, members in _by_project(open_to_us).items():
        threshold, certificate = certification.threshold_of(project)
        decisions = _decide(members, beliefs_now, threshold)
        _store_routing(decisions, threshold, certificate)
        _settle_by_machine(decisions, certificate)
        _queue(project, decisions)
        counts.update(str(decision.destination) for decision in decisions)
    return +counts


def _live(solution: Solution) -> bool:
    return solution.withdrawn_at is None and solution.superseded_by_id is None


def _undecided(solutions: Sequence[Solution]) -> list[Solution]:
    """Those that machines may still decide on."""
    settled = set(
        Settlement.objects.filter(solution__in=solutions, superseded_at=None)
        .exclude(source=Source.MACHINE)
        .values_list("solution_id", flat=True)
    )
    work = slots.live_counts(solutions)
    return [
        each
        for each in solutions
        if _live(each)
        and each.pk not in settled
        and each.status != SolutionStatus.DISPUTED
        and not work[each.pk][SlotState.TAKEN] + work[each.pk][SlotState.DONE]
    ]


def _by_project(solutions: Iterable[Solution]) -> dict[Project, list[Solution]]:
    found: dict[Project, list[Solution]] = {}
    for solution in solutions:
        found.setdefault(solution.project, []).append(solution)
    return found


# --- deciding ----------------------------------------------------------------------------------------------------


def _decide(solutions: Sequence[Solution], rows: Mapping[int, Posterior], threshold: float) -> list[_Decision]:
    evidence = beliefs.evidence_of(solutions)
    audits = certification.draw_audit(solutions)
    decisions = []
    doubtful = []
    for solution in solutions:
        row = rows.get(solution.pk)
        if solution.pk in audits:
            chance = certification.chance("priority", solution.code)  # nothing in the order gives an audit away
            whole = list(range(solution.step_count))
            decisions.append(_Decision(solution, Destination.AUDIT, "", whole, chance, row))
        elif row is not None and row.certainty >= threshold and beliefs.looked_at(evidence[solution.pk]):
            decisions.append(_Decision(solution, Destination.MACHINE, "", [], 0.0, row))
        else:
            doubtful.append(solution)
    return decisions + _ask_people(doubtful, evidence, rows, threshold)


def _ask_people(
    solutions: Sequence[Solution],
    evidence: Mapping[int, Evidence],
    rows: Mapping[int, Posterior],
    threshold: float,
) -> list[_Decision]:
    without_judge = _without_judge(solutions, evidence)
    decisions = []
    for solution in solutions:
        row, seen = rows.get(solution.pk), evidence[solution.pk]
        belief = PosteriorValue(tuple(row.probabilities)) if row is not None else None
        open_to_doubt = belief if beliefs.looked_at(seen) else None
        decisions.append(
            _Decision(
                solution,
                Destination.PEOPLE,
                doubts.why(seen, belief, without_judge.get(solution.pk)),
                doubts.asked_steps(open_to_doubt, solution.step_count, threshold),
                doubts.priority(seen, belief),
                row,
            )
        )
    return decisions


def _without_judge(solutions: Sequence[Solution], evidence: Mapping[int, Evidence]) -> dict[int, PosteriorValue]:
    """What all but the judges say of the solutions that have both, to tell people where the two part."""
    both = [each for each in solutions if evidence[each.pk].judgements and evidence[each.pk].counts]
    if not both:
        return {}
    rest = [replace(evidence[each.pk], judgements=()) for each in both]
    found = posteriors(rest, beliefs.parameters_of(both[0].project))
    return {each.pk: value for each, value in zip(both, found, strict=True)}


# --- storing -----------------------------------------------------------------------------------------------------


def _store_routing(decisions: Sequence[_Decision], threshold: float, certificate: Certificate | None) -> None:
    solutions = [decision.solution for decision in decisions]
    current = {row.solution_id: row for row in Routing.objects.filter(solution__in=solutions, superseded_at=None)}
    new = [
        Routing(
            solution=decision.solution,
            posterior=decision.posterior,
            destination=decision.destination,
            reason=decision.reason,
            asked=decision.asked,
            threshold=threshold,
            certificate=certificate,
        )
        for decision in decisions
    ]
    changed = [row for row in new if row.solution_id not in current or _differs(row, current[row.solution_id])]
    stale = Routing.objects.filter(solution__in=[row.solution_id for row in changed], superseded_at=None)
    stale.update(superseded_at=timezone.now())
    Routing.objects.bulk_create(changed)


def _differs(one: Routing, other: Routing) -> bool:
    fields = ("posterior_id", "destination", "reason", "asked", "threshold", "certificate_id")
    return any(getattr(one, name) != getattr(other, name) for name in fields)


def _settle_by_machine(decisions: Sequence[_Decision], certificate: Certificate | None) -> None:
    """Label what machines are certain of; take the labels back of what they no longer are."""
    solutions = [decision.solution for decision in decisions]
    current = {row.solution_id: row for row in Settlement.objects.filter(solution__in=solutions, superseded_at=None)}
    new = []
    for decision in decisions:
        row, posterior = current.get(decision.solution.pk), decision.posterior
        if decision.destination != Destination.MACHINE or posterior is None:
            continue
        # A certificate promises nothing about what no known answer has measured.
        speaks = certificate if posterior.stand_in_id is None else None
        said_now = (posterior.pk, speaks.pk if speaks else None)
        if row is None or (row.posterior_id, row.certificate_id) != said_now:
            new.append(_conclusion(decision.solution, posterior, speaks))
    labels.conclude(new)
    lost = [each.solution for each in decisions if each.destination != Destination.MACHINE]
    labels.unsettle([each for each in lost if each.pk in current], SolutionStatus.QUEUED)


def _conclusion(solution: Solution, posterior: Posterior, certificate: Certificate | None) -> labels.Conclusion:
    values = labels.values_before(posterior.first_error, solution.step_count)
    return labels.Conclusion(
        solution,
        Source.MACHINE,
        posterior.first_error,
        values,
        p_correct={index: p for index, p in enumerate(labels.p_correct_of(posterior)) if index in values},
        provisional=certificate is None,
        posterior=posterior,
        certificate=certificate,
        simulated=posterior.simulated,
        stand_in=posterior.stand_in_id,
    )


def _queue(project: Project, decisions: Sequence[_Decision]) -> None:
    readers = {Destination.AUDIT: certification.audit_readers(project), Destination.PEOPLE: project.overlap}
    purposes = {Destination.AUDIT: Purpose.AUDIT, Destination.PEOPLE: Purpose.LABEL}
    queued = [decision for decision in decisions if decision.destination != Destination.MACHINE]
    slots.open_slots(
        [
            slots.Want(
                decision.solution,
                readers[Destination(decision.destination)],
                decision.priority,
                purposes[Destination(decision.destination)],
            )
            for decision in queued
        ]
    )
    labels.set_status([decision.solution for decision in queued], SolutionStatus.QUEUED)
