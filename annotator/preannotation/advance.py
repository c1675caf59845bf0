"""One worker's turn at a run: hold it, work through what is waiting, end or pause it with the endpoint's own words."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Final

import structlog
from django.db import connections
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from annotator import settlement
from annotator.enqueue import enqueue
from annotator.models import (
    LIVE_STATES,
    Run,
    RunItem,
    RunItemState,
    RunKind,
    SlotState,
    Solution,
    SolutionStatus,
    WorkState,
    record,
)
from annotator.preannotation.clients import budget_of, client_for, spent_in
from annotator.preannotation.desk import BATCH, Desk, close_items, route
from annotator.preannotation.judging import judge_all
from annotator.preannotation.leaving import leave
from annotator.preannotation.ledger import Ledger
from annotator.preannotation.rolling import roll_all
from annotator.preannotation.scoring import score_all
from annotator.preannotation.searching import search_all
from reasoning.errors import BudgetExceeded, EndpointError, InvalidInput
from reasoning.llm import Budget

log = structlog.get_logger(__name__)

HOLD_SECONDS: Final = 20.0
"""A killed worker's run is handed on after this long."""
RENEW_EVERY: Final = 2.0
"""Seconds between two looks at whether the run was paused, and at what other runs have spent."""
TURN_SECONDS: Final = 300.0
"""After so long a run makes room for the other work of its process, and goes on after it."""

LOOKS: Final[dict[str, Callable[[Desk], Awaitable[None]]]] = {
    RunKind.JUDGE: judge_all,
    RunKind.ROLLOUTS: roll_all,
    RunKind.SCORE: score_all,
    RunKind.SEARCH: search_all,
}


def advance(run_id: int) -> None:
    """Work on a run until it is through, paused or taken away, or the turn is over and another begins.

    Does nothing where somebody else is at it, or where an earlier run still uses the endpoint: the end of that one, or
    the sweep, calls again. A run that was stopped, and that nobody is at, is left as it should be.
    """
    run = Run.objects.select_related("project", "endpoint").filter(pk=run_id).first()
    if run is None:
        return
    if run.state not in LIVE_STATES:
        if run.free:
            leave(run)
            _hand_on(run)
        return
    if _must_wait(run) or not run.hold(HOLD_SECONDS):
        return
    try:
        # Whoever paused or cancelled it since it was held is not overruled.
        began = Coalesce("started_at", timezone.now())
        if run.held_rows.update(state=WorkState.RUNNING, detail="", started_at=began):
            _route_skipped(run)
            _conclude(run, _route_all(run) if run.kind == RunKind.ROUTE else asyncio.run(_look(run)))
    finally:
        run.let_go()
    run.refresh_from_db(fields=["state", "held_until"])
    if run.free:
        leave(run)
    _hand_on(run)


def _hand_on(run: Run) -> None:
    """This run's next turn where it wants one, else the turn of the run that waits for its endpoint."""
    live = Run.objects.filter(state__in=LIVE_STATES, held_until=None).order_by("pk")
    following = live.filter(pk=run.pk).first()
    if following is None and run.endpoint_id is not None:
        following = live.filter(endpoint=run.endpoint_id).first()
    if following is not None:
        enqueue("advance_run", following.pk)


def _must_wait(run: Run) -> bool:
    """An endpoint's slots are one run's at a time; the others wait their turn, and say for whom.

    The older run goes first, but not before a younger one that is at it already has ended its turn.
    """
    if run.endpoint_id is None:
        return False
    others = Run.objects.filter(endpoint=run.endpoint_id, state__in=LIVE_STATES).exclude(pk=run.pk)
    ahead = others.filter(Q(pk__lt=run.pk) | Q(held_until__gt=timezone.now())).first()
    if ahead is not None:
        Run.objects.filter(pk=run.pk, state=WorkState.QUEUED).update(
            detail=f"waits for {ahead}, which uses the same endpoint"
        )
    return ahead is not None


def _route_all(run: Run) -> str:
    """Decide again: no endpoint is asked."""
    while run.hold(HOLD_SECONDS):
        waiting = RunItem.objects.filter(run=run, state=RunItemState.WAITING).order_by("pk")[:BATCH]
        ids = list(waiting.values_list("solution_id", flat=True))
        if not ids:
            break
        close_items(run, dict.fromkeys(ids, (RunItemState.DONE, "")))
        _settle_read(ids)
    return ""


def _settle_read(solutions: Sequence[int]) -> None:
    """What people have begun is theirs to settle: by the overlap that now holds, more or fewer of them are wanted."""
    read = Q(slots__state=SlotState.DONE)
    for solution in Solution.objects.filter(read, pk__in=solutions, status=SolutionStatus.QUEUED).distinct():
        settlement.settle(solution)


def _route_skipped(run: Run) -> None:
    """No look can be had of these, and that is known at once: people read them, unless something else was decided."""
    skipped = RunItem.objects.filter(run=run, state=RunItemState.SKIPPED, solution__status=SolutionStatus.NEW)
    while ids := list(skipped.order_by("pk").values_list("solution_id", flat=True)[:BATCH]):
        route(run, ids)
        if not run.hold(HOLD_SECONDS) or skipped.filter(solution__in=ids).exists():
            break  # taken away; or routing leaves them as they are


async def _look(run: Run) -> str:
    """Ask the endpoint about every waiting solution. Returns what went wrong with the run as a whole, or ''."""
    assert run.endpoint is not None
    # One thread, so one connection: rows are written in the order in which they came.
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="database") as database:
        ledger = Ledger(run, database)
        try:
            budget = budget_of(run.project)
            budget.spent = await ledger.ask(lambda: spent_in(run.project))
            async with client_for(run.endpoint, budget, ledger.note) as client:
                desk = Desk(run, client, ledger)
                return await _attended(desk, budget)
        except InvalidInput as error:
            return str(error)
        finally:
            await ledger.close()
            database.submit(connections.close_all)


async def _attended(desk: Desk, budget: Budget) -> str:
    """The look itself, with the hold renewed and ended items routed beside it."""
    beside = [asyncio.create_task(_keep_hold(desk, budget)), asyncio.create_task(desk.keep_closing())]
    try:
        await LOOKS[desk.run.kind](desk)
        return await desk.find_trouble()
    except (EndpointError, BudgetExceeded) as error:
        return str(error)
    finally:
        await desk.end_doubt()
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await desk.close_ended()


async def _keep_hold(desk: Desk, budget: Budget) -> None:
    """Renew the hold until this is cancelled, and count what other runs of the project spend meanwhile.

    Stops the desk when the turn is over, and when the run was paused, cancelled or taken over. After a turn the hold is
    kept as long as something is out: who took the run over meanwhile would ask, and pay for, the same again.
    """
    run, ends = desk.run, monotonic() + TURN_SECONDS
    try:
        seen = await desk.ledger.ask(lambda: spent_in(run.project, besides=run))
        while await desk.ledger.ask(lambda: run.hold(HOLD_SECONDS)):
            others = await desk.ledger.ask(lambda: spent_in(run.project, besides=run))
            budget.spent += others - seen
            seen = others
            if monotonic() >= ends:
                desk.stopped.set()
            await asyncio.sleep(RENEW_EVERY)
    finally:
        desk.stopped.set()


def _conclude(run: Run, trouble: str) -> None:
    """The run's next state, unless somebody has paused or cancelled it meanwhile."""
    items = RunItem.objects.filter(run=run)
    waiting = items.filter(state=RunItemState.WAITING).exists()
    failed = items.filter(state=RunItemState.FAILED)
    if trouble:
        state, detail = WorkState.PAUSED, trouble
    elif waiting:
        return  # the turn is over; or it was paused, cancelled or taken over, and whoever did it has set the state
    else:
        count, unit = failed.count(), "problems" if run.kind == RunKind.SEARCH else "solutions"
        state, detail = WorkState.DONE, f"{count} {unit} could not be looked at" if count else ""
    ended = timezone.now() if state == WorkState.DONE else None
    if run.held_rows.update(state=state, detail=detail[:2000], ended_at=ended):
        log.info("run_ended", run=run.code, state=state, detail=detail)
        record(f"run.{state}", project=run.project, subject=run.code, detail=detail)
