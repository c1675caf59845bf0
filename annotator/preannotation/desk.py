"""What judging, rolling and scoring share: the run's waiting items in batches, and how an item ends."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import F, Q
from django.utils import timezone

from annotator import beliefs, grading, routing, stand_ins
from annotator.models import Run, RunItem, RunItemState, RunKind, Solution
from annotator.preannotation.ledger import Ledger
from reasoning import types
from reasoning.llm import Client

BATCH = 500
"""Solutions in memory, and in flight, at once."""
BROKEN_IN_A_ROW = 20
"""An endpoint that breaks half of its replies does so by chance once in a million looks."""
UNTRIED_FIRST = F("ended_at").asc(nulls_first=True)
"""Among waiting items: what broke before a run was resumed comes after what nobody has looked at yet."""
GONE = "it was withdrawn"
CLOSE_EVERY = 0.5
"""Seconds between two groups of ended items that are graded, routed and marked."""
CLOSE_AT_ONCE = 50
"""Items of such a group at most: between two groups the run's hold is renewed."""


@dataclass(frozen=True, slots=True)
class Item:
    """One solution of the run that still wants a look."""

    row: Solution
    value: types.Solution

    @property
    def pk(self) -> int:
        return self.row.pk

    @property
    def steps(self) -> int:
        return len(self.value.steps)


class Desk:
    """One worker's turn at one run. `stopped` is set when the run was paused, cancelled or taken over."""

    def __init__(self, run: Run, client: Client, ledger: Ledger) -> None:
        self.run, self.client, self.ledger = run, client, ledger
        self.stopped = asyncio.Event()
        self.trouble = ""
        """Why the desk stopped by itself, in words."""
        self._broken, self._stored = 0, 0
        self._ended: dict[int, tuple[str, str]] = {}

    @property
    def slots(self) -> int:
        assert self.run.endpoint is not None
        return self.run.endpoint.slots

    async def waiting(self) -> list[Item]:
        """The next batch; empty when the run is through."""
        return await self.ledger.ask(lambda: waiting_items(self.run))

    def end(self, item: int, state: str = RunItemState.DONE, detail: str = "") -> None:
        """Note that the look at a solution is over, whatever came of it; it is routed soon.

        Stops the desk after so many broken looks in a row that the endpoint is at fault, not the solutions.
        """
        self._ended[item] = (state, detail)
        whole = state != RunItemState.FAILED or self.ledger.stored > self._stored
        self._broken, self._stored = 0 if whole else self._broken + 1, self.ledger.stored
        if self._broken >= BROKEN_IN_A_ROW:
            self.trouble = f"{self._broken} looks in a row were broken; the last: {detail}"
            self.stopped.set()

    async def close_ended(self) -> None:
        """Grade, route and mark what has ended. Routing comes first: a kill between the two costs a second routing."""
        ended, self._ended = list(self._ended.items()), {}
        for first in range(0, len(ended), CLOSE_AT_ONCE):
            group = dict(ended[first : first + CLOSE_AT_ONCE])
            await self.ledger.ask(lambda group=group: close_items(self.run, group))  # type: ignore[misc]

    async def keep_closing(self) -> None:
        while True:
            await asyncio.sleep(CLOSE_EVERY)
            await self.close_ended()


def waiting_items(run: Run) -> list[Item]:
    """The next batch. What was withdrawn since the run began is skipped: nobody pays for a look at it any more."""
    items = RunItem.objects.filter(run=run, state=RunItemState.WAITING)
    gone = Q(solution__withdrawn_at__isnull=False) | Q(solution__superseded_by__isnull=False)
    items.filter(gone).update(state=RunItemState.SKIPPED, detail=GONE, ended_at=timezone.now())
    ids = list(items.order_by(UNTRIED_FIRST, "pk").values_list("solution_id", flat=True)[:BATCH])
    rows = {row.pk: row for row in Solution.objects.filter(pk__in=ids).select_related("problem")}
    return [Item(rows[pk], beliefs.solution_value(rows[pk])) for pk in ids if pk in rows]


def close_items(run: Run, ended: dict[int, tuple[str, str]]) -> None:
    """Route the ended solutions, failed looks included, and mark their items."""
    route(run, list(ended))
    by_outcome: dict[tuple[str, str], list[int]] = {}
    for solution, outcome in ended.items():
        by_outcome.setdefault(outcome, []).append(solution)
    for (state, detail), solutions in by_outcome.items():
        items = RunItem.objects.filter(run=run, solution__in=solutions)
        items.update(state=state, detail=detail[:500], ended_at=timezone.now())


def route(run: Run, solutions: Sequence[int]) -> None:
    """Grade and route these solutions; of a search, whose items are problems, all solutions of the same problems."""
    live = Solution.objects.live()
    of_items = Q(pk__in=solutions)
    if run.kind == RunKind.SEARCH:
        of_items = Q(problem__in=Solution.objects.filter(of_items).values("problem"))
    _decide(list(live.filter(of_items).select_related("problem", "project")))


def decide_problem(problem: int) -> None:
    """Decide again on all solutions of a problem whose reference answer was given or corrected."""
    _decide(list(Solution.objects.live().filter(problem=problem).select_related("problem", "project").order_by("pk")))


def decide_outdated() -> None:
    """Decide again on what rests on a stand-in that is no more: a reference answer has come, or another election."""
    before: list[int] = []
    while (ids := stand_ins.outdated(CLOSE_AT_ONCE)) and ids != before:
        _decide(list(Solution.objects.live().filter(pk__in=ids).select_related("problem", "project")))
        before = ids


def _decide(solutions: Sequence[Solution]) -> None:
    grading.grade_answers(solutions)
    routing.route(solutions)
