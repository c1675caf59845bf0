"""Slots: how many people may work on a solution, and the rows that a claim takes.

Whoever changes the slots of a solution holds its row (`lock`); locks are taken in this order: that of changes.py,
solution, assignment, slot. Claims lock free slots alone, skipping locked ones, so they wait for nobody.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils import timezone

from annotator import changes
from annotator.models import Assignment, AssignmentState, Purpose, Slot, SlotState, Solution

LIVE = (SlotState.FREE, SlotState.TAKEN, SlotState.DONE)


@dataclass(frozen=True, slots=True)
class Want:
    """So many people should read this solution, and how soon."""

    solution: Solution
    count: int
    priority: float = 0.0
    purpose: str = Purpose.LABEL


def lock(solutions: Iterable[Solution | int]) -> list[Solution]:
    """These solutions, live or not, with their rows held until the transaction ends; in order of pk."""
    pks = [each if isinstance(each, int) else each.pk for each in solutions]
    changes.announce(pks)
    rows = Solution.objects.filter(pk__in=pks).select_related("project", "problem").order_by("pk")
    # NO KEY: claims insert rows that refer to these, and must not wait for us.
    return list(rows.select_for_update(of=("self",), no_key=True))


def open_slots(wants: Sequence[Want]) -> None:
    """Bring each solution to the wanted number of slots: free ones are added, closed where too many, and re-ranked.

    Slots that are taken or done stay, and count. Numbers are never used twice.
    """
    existing: dict[int, list[Slot]] = defaultdict(list)
    for slot in Slot.objects.filter(solution__in=[want.solution for want in wants]).order_by("number"):
        existing[slot.solution_id].append(slot)
    new: list[Slot] = []
    changed: list[Slot] = []
    surplus: list[int] = []
    for want in wants:
        slots = existing[want.solution.pk]
        live = [slot for slot in slots if slot.state in LIVE]
        free = [slot for slot in live if slot.state == SlotState.FREE]
        number = max((slot.number for slot in slots), default=0)
        new.extend(
            Slot(
                project_id=want.solution.project_id,
                solution=want.solution,
                number=number + extra,
                purpose=want.purpose,
                priority=want.priority,
            )
            for extra in range(1, want.count - len(live) + 1)
        )
        too_many = max(len(live) - want.count, 0)
        kept, dropped = (free[:-too_many], free[-too_many:]) if too_many else (free, [])
        surplus.extend(slot.pk for slot in dropped)
        for slot in kept:
            if (slot.priority, slot.purpose) != (want.priority, want.purpose):
                slot.priority, slot.purpose = want.priority, want.purpose
                changed.append(slot)
    Slot.objects.filter(pk__in=surplus, state=SlotState.FREE).update(state=SlotState.CLOSED)
    Slot.objects.bulk_update(changed, ["priority", "purpose"])
    Slot.objects.bulk_create(new)


def add_slot(solution: Solution) -> Slot:
    """One more person than so far, ahead of everybody else: the others' work waits for them."""
    last = Slot.objects.filter(solution=solution).order_by("-number")[0]
    return Slot.objects.create(
        project_id=solution.project_id,
        solution=solution,
        number=last.number + 1,
        purpose=last.purpose,
        priority=last.priority + 1.0,
    )


def close_free(solutions: Iterable[Solution | int]) -> int:
    """Nobody else is wanted on these solutions; who is at work on one may still hand it in."""
    free = Slot.objects.filter(solution__in=list(solutions), state=SlotState.FREE)
    return free.update(state=SlotState.CLOSED)


def close_all(solutions: Iterable[Solution | int]) -> int:
    """Take these solutions from people altogether, those at work too: theirs are withdrawn or superseded."""
    pks = [each if isinstance(each, int) else each.pk for each in solutions]
    _end_work(pks)
    wanted = Slot.objects.filter(solution__in=pks, state__in=(SlotState.FREE, SlotState.TAKEN))
    closed = wanted.update(state=SlotState.CLOSED)
    _end_work(pks)  # claims lock slots alone: one may have been made between the two
    return closed


def _end_work(pks: Sequence[int]) -> None:
    open_work = Assignment.objects.filter(solution__in=pks, state=AssignmentState.OPEN)
    open_work.update(state=AssignmentState.RELEASED, ended_at=timezone.now())


def live_counts(solutions: Sequence[Solution]) -> dict[int, Counter[str]]:
    """Number of slots by state, closed ones left out, by solution pk."""
    found: dict[int, Counter[str]] = defaultdict(Counter)
    rows = Slot.objects.filter(solution__in=solutions, state__in=LIVE)
    for pk, state in rows.values_list("solution_id", "state"):
        found[pk][state] += 1
    return found
