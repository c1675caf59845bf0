"""Whole solutions of the problems that have no reference answer, and what their answers elect in its place."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from django.db.models import Max

from annotator import grading, stand_ins
from annotator.grading import Reference
from annotator.models import Rollout, RunItemState
from annotator.preannotation.blame import FAILURES
from annotator.preannotation.crew import share_out
from annotator.preannotation.desk import Desk, Item
from annotator.preannotation.ledger import graded_rollout
from reasoning.evidence.majority import majority
from reasoning.evidence.rollouts import RolloutConfig, draw

Ending = tuple[str, str]
"""State and detail of an item that gets no rollouts."""


async def references_for(desk: Desk, items: Sequence[Item], config: RolloutConfig) -> dict[int, Reference]:
    """What the rollouts of each item are graded against, by the item's key.

    Where the project wants stand-ins, elections are held first. An item whose problem has nothing to grade against is
    ended, unless the desk was stopped before that was known.
    """
    rows = [item.row for item in items]
    endings: dict[int, Ending] = {}
    if desk.run.project.stand_ins:
        endings = await _hold_elections(desk, [item for item in items if item.row.problem.answer is None], config)
    found = await desk.ledger.ask(lambda: grading.references(rows))
    for item in items:
        if item.row.problem_id not in found and not desk.stopped.is_set():
            desk.end(item.pk, *endings.get(item.row.problem_id, (RunItemState.SKIPPED, stand_ins.NO_ANSWER)))
    return {item.pk: found[item.row.problem_id] for item in items if item.row.problem_id in found}


async def _hold_elections(desk: Desk, items: Sequence[Item], config: RolloutConfig) -> dict[int, Ending]:
    """By problem: how the items of those end where nothing was elected."""
    carriers: dict[int, Item] = {}
    for item in items:
        carriers.setdefault(item.row.problem_id, item)
    wanting = await desk.ledger.ask(lambda: list(stand_ins.wanting(desk.run.project, carriers)))
    endings: dict[int, Ending] = {}

    async def hold(problem: int) -> None:
        try:
            drawn = await _ballots(desk, problem, carriers[problem], config)
        except FAILURES as error:
            endings[problem] = (RunItemState.FAILED, await desk.blame.of(error))
            return
        # Comparing answers may call a computer algebra system: never on the event loop.
        result = await asyncio.to_thread(majority, stand_ins.answers_of(drawn))
        if await desk.ledger.ask(lambda: stand_ins.elect(problem, drawn, result, desk.run)) is None:
            endings[problem] = (RunItemState.SKIPPED, stand_ins.undecided(result))

    await share_out(desk, wanting, hold)
    return endings


async def _ballots(desk: Desk, problem: int, carrier: Item, config: RolloutConfig) -> Sequence[Rollout]:
    """As many whole solutions as the project wants. What is there is not paid for again; new ones go to the carrier."""
    run = desk.run
    assert run.endpoint is not None
    there = stand_ins.ballots([problem], run.endpoint, config.parameters).order_by("pk")
    drawn = await desk.ledger.ask(lambda: list(there.all()))
    lacking = run.project.stand_in_samples - len(drawn)
    if lacking <= 0:
        return drawn
    start = await desk.ledger.ask(lambda: _next_sample(carrier))
    samples = range(start, start + lacking)
    rollouts = await draw(desk.client, carrier.value, 0, None, samples=samples, config=config)
    await desk.ledger.store(
        graded_rollout(run, carrier.pk, carrier.steps, config.parameters, None, each) for each in rollouts
    )
    return await desk.ledger.ask(lambda: list(there.all()))


def _next_sample(carrier: Item) -> int:
    last = Rollout.objects.filter(solution=carrier.pk, prefix=0).aggregate(last=Max("sample"))["last"]
    return 0 if last is None else last + 1
