"""The planner's rollouts over many solutions at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Any, cast

from django.db.models import Max

from annotator import beliefs, grading
from annotator.grading import Reference
from annotator.lineage import problem_key
from annotator.models import Rollout, Run, RunItemState, Solution
from annotator.preannotation.blame import FAILURES, SMALL
from annotator.preannotation.desk import Desk, Item
from annotator.preannotation.ledger import graded_rollout
from annotator.preannotation.spending import costs_of
from annotator.preannotation.voting import references_for
from annotator.votes import sampling_of
from reasoning import first_error, types
from reasoning.characters import unescape
from reasoning.evidence.rollouts import RolloutConfig, draw
from reasoning.first_error import Chain, Planner


def config_of(desk: Desk) -> RolloutConfig:
    run = desk.run
    assert run.endpoint is not None
    return sampling_of(run.endpoint, run.config, run.seed)


def small_look(desk: Desk) -> Callable[[], Awaitable[object]]:
    """One rollout of a solution that is no trouble."""
    config = config_of(desk)
    return lambda: draw(desk.client, SMALL, 1, SMALL.problem.answer, samples=[0], config=config)


async def roll_all(desk: Desk) -> None:
    """Roll out prefixes of every waiting solution until each is worth no more; raises as `judge_all` does."""
    desk.blame.look = small_look(desk)
    while not desk.stopped.is_set():
        items = await desk.waiting()
        if not items:
            return
        references = await references_for(desk, items, config_of(desk))
        items = [item for item in items if item.pk in references]
        planner = await desk.ledger.ask(lambda items=items: plan(desk.run, items))  # type: ignore[misc]
        await _Batch(desk, items, references, planner).work()
        await desk.close_ended()


def plan(run: Run, items: Sequence[Item]) -> Planner:
    """The planner starts from all that is known already, and from which samples were drawn."""
    rows: list[Solution] = [item.row for item in items]
    grading.grade_answers(rows)
    evidence = beliefs.evidence_of(rows)
    # Whole solutions, drawn for an election, are none of the planner's: it would take them for failures to grade.
    there = Rollout.objects.filter(solution__in=rows, prefix__gt=0)
    last = there.values_list("solution_id", "prefix").annotate(last=Max("sample"))
    drawn: dict[int, dict[int, int]] = {}
    for solution, prefix, sample in last:
        drawn.setdefault(solution, {})[prefix] = sample + 1
    chains = [
        Chain(row.pk, evidence[row.pk], problem_key(row), drawn.get(row.pk, {}), costs)
        for row, costs in zip(rows, costs_of(run, items), strict=True)
    ]
    price = float(run.config.get("price", run.project.rollout_price))
    return Planner(chains, beliefs.parameters_of(run.project), price=price)


class _Batch:
    """One planner over one batch of solutions."""

    def __init__(
        self, desk: Desk, items: Sequence[Item], references: Mapping[int, Reference], planner: Planner
    ) -> None:
        run = desk.run
        self.desk, self.config = desk, config_of(desk)
        self.items = {item.pk: item for item in items}
        self.references = references
        self.cap = int(run.config.get("cap", run.project.rollout_cap))
        self.planner = planner
        self.failed: dict[int, str] = {}
        self.open = set(self.items)

    async def work(self) -> None:
        closing = asyncio.create_task(self._close_done())
        try:
            await first_error.run(
                self.planner,
                roll=self.roll,
                record=self.record,
                # a quarter over the slots: while one is graded and the next planned, another's request is out
                in_flight=self.desk.slots + self.desk.slots // 4,
                stop=self.desk.stopped.is_set,
            )
        finally:
            closing.cancel()
            await asyncio.gather(closing, return_exceptions=True)
        if not self.desk.stopped.is_set():
            self._end(self.open)

    async def _close_done(self) -> None:
        """Let solutions go on to routing as they are finished with, not with the slowest of the batch."""
        while True:
            await asyncio.sleep(1.0)
            self._end([pk for pk in self.open if self.planner.done(pk)])

    def _end(self, solutions: Any) -> None:
        for pk in list(solutions):
            self.open.discard(pk)
            if pk in self.failed:
                self.desk.end(pk, RunItemState.FAILED, self.failed[pk])
            else:
                self.desk.end(pk)

    async def roll(self, chain: Hashable, prefix: int, samples: Sequence[int]) -> Sequence[types.Rollout]:
        """Draw; nothing for a chain at its cap, or one whose replies are broken: the planner then leaves it alone."""
        pk = cast(int, chain)
        if pk in self.failed or self.planner.spent(pk) > self.cap:
            return ()
        value, reference = self.items[pk].value, unescape(self.references[pk].answer)
        try:
            return await draw(self.desk.client, value, prefix, reference, samples=samples, config=self.config)
        except FAILURES as error:
            self.failed[pk] = await self.desk.blame.of(error)
            return ()

    async def record(self, chain: Hashable, rollouts: Sequence[types.Rollout]) -> None:
        pk = cast(int, chain)
        run, steps, parameters = self.desk.run, self.items[pk].steps, self.config.parameters
        reference = self.references[pk]
        answer = unescape(reference.answer)
        await self.desk.ledger.store(
            graded_rollout(run, pk, steps, parameters, answer, each, reference.stand_in) for each in rollouts
        )
        self.open.add(pk)
