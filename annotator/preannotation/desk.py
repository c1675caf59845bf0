"""What judging, rolling and scoring share: the run's waiting items in batches, and how an item ends."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from django.db.models import F, Q
from django.utils import timezone

from annotator import beliefs, grading, lineage, routing, stand_ins
from annotator.models import Run, RunItem, RunItemState, RunKind, Solution
from annotator.preannotation.blame import Blame
from annotator.preannotation.ledger import Ledger
from reasoning import types
from reasoning.llm import Client

BATCH = 500
"""Solutions in memory, and in flight, at once."""
MANY = 10
"""So many failures, and not one whole look: the endpoint is asked whether it is at fault."""
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
        self.blame = Blame()
        self._stored = 0
        self._doubt: asyncio.Task[None] | None = None
        self._ended: dict[int, tuple[str, str]] = {}
        self._closing = asyncio.Lock()

    @property
    def slots(self) -> int:
        assert self.run.endpoint is not None
        return self.run.endpoint.slots

    async def waiting(self) -> list[Item]:
        """The next batch; empty when the run is through."""
        return await self.ledger.ask(lambda: waiting_items(self.run))

    def end(self, item: int, state: str = RunItemState.DONE, detail: str = "") -> None:
        """Note that the look at a solution is over, whatever came of it; it is routed soon.

        Stops the desk after many failed looks in a row where it is the endpoint that is at fault, not the solutions.
        """
        self._ended[item] = (state, detail)
        whole = state != RunItemState.FAILED or self.ledger.stored > self._stored
        self._stored = self.ledger.stored
        if self.blame.ended(whole=whole) and (self._doubt is None or self._doubt.done()):
            self._doubt = asyncio.create_task(self._find_fault(self.blame.in_a_row, detail))

    async def _find_fault(self, failed: int, detail: str) -> None:
        if not await self.blame.sound():
            self.trouble = f"{failed} looks in a row were broken; the last: {detail}"
            self.stopped.set()

    async def find_trouble(self) -> str:
        """Why the run cannot go on, though no look said so, in words; '' where it can."""
        if self._doubt is not None:
            await self._doubt
        if self.trouble:
            return self.trouble
        last = await self.ledger.ask(lambda: _nothing_whole(self.run))
        return f"every reply was broken; the last: {last}" if last and not await self.blame.sound() else ""

    async def end_doubt(self) -> None:
        """Wait for the small look where one is out: a call that is not waited for is paid for and not counted."""
        if self._doubt is not None:
            await asyncio.wait([self._doubt])

    async def close_ended(self) -> None:
        """Grade, route and mark what has ended. Routing comes first: a kill between the two costs a second routing.

        Each stays noted until it is marked: whoever is cancelled at this leaves it to the next.
        """
        async with self._closing:
            while group := dict(islice(self._ended.items(), CLOSE_AT_ONCE)):
                await self.ledger.ask(lambda group=group: close_items(self.run, group))  # type: ignore[misc]
                for item in group:
                    del self._ended[item]

    async def keep_closing(self) -> None:
        while True:
            await asyncio.sleep(CLOSE_EVERY)
            await self.close_ended()


def _nothing_whole(run: Run) -> str:
    """The last failure of a run that is through, with many of them and not one whole look; else ''."""
    items = RunItem.objects.filter(run=run)
    failed = items.filter(state=RunItemState.FAILED).order_by("-pk").values_list("detail", flat=True)
    hopeful = items.filter(state__in=(RunItemState.DONE, RunItemState.WAITING))
    if hopeful.exists() or failed.count() < MANY:
        return ""
    return failed[0]


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
    """Grade and route these solutions, and those that the run has told something of beside them.

    A search's items are problems: all solutions of theirs. Rollouts count for the forks of what they were drawn of.
    """
    concerned = set(solutions)
    if run.kind == RunKind.SEARCH:
        problems = Solution.objects.filter(pk__in=solutions).values("problem")
        concerned = set(Solution.objects.filter(problem__in=problems).values_list("pk", flat=True))
    elif run.kind == RunKind.ROLLOUTS:
        concerned |= lineage.forks_of(solutions)
    decide(sorted(concerned))


def decide_problem(problem: int) -> None:
    """Decide again on all solutions of a problem whose reference answer was given or corrected."""
    decide(list(Solution.objects.filter(problem=problem).order_by("pk").values_list("pk", flat=True)))


def decide_outdated() -> None:
    """Decide again on what rests on a stand-in that is no more: a reference answer has come, or another election."""
    before: list[int] = []
    while (ids := stand_ins.outdated(CLOSE_AT_ONCE)) and ids != before:
        decide(ids)
        before = ids


def decide(solutions: Sequence[int]) -> None:
    """Grade what is not graded yet of the live ones among these, and route them."""
    rows = list(Solution.objects.live().filter(pk__in=solutions).select_related("problem", "project").order_by("pk"))
    grading.grade_answers(rows)
    routing.route(rows)
