"""Tree search over many problems at once. An item stands for its problem: it is the oldest solution of it.

Nothing of a tree is kept but solutions, rollouts and selections, so a run that was killed builds its trees anew from
those and goes on. A new solution is stored with its selection, before anything is drawn of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Sequence
from dataclasses import fields
from typing import cast

from django.db import transaction
from django.utils import timezone

from annotator import changes
from annotator.grading import Reference
from annotator.models import Preference, Run, RunItemState
from annotator.preannotation.blame import FAILURES
from annotator.preannotation.clients import SIMULATED
from annotator.preannotation.desk import Desk, Item
from annotator.preannotation.forest import Forest, Place, plant
from annotator.preannotation.ledger import graded_rollout
from annotator.preannotation.rolling import config_of, small_look
from annotator.preannotation.voting import references_for
from reasoning import search, types
from reasoning.characters import escape, unescape
from reasoning.evidence.rollouts import draw
from reasoning.search import SearchConfig, Selected


def search_config(run: Run) -> SearchConfig:
    """The run's own choices, else the project's price and the library's defaults."""
    known = {field.name for field in fields(SearchConfig)}
    chosen = {name: value for name, value in run.config.items() if name in known}
    return SearchConfig(**{"price": run.project.rollout_price, **chosen})


async def search_all(desk: Desk) -> None:
    """Grow the tree of every waiting problem until its search is done; raises as `judge_all` does."""
    desk.blame.look = small_look(desk)
    while not desk.stopped.is_set():
        items = await desk.waiting()
        if not items:
            return
        references = await references_for(desk, items, config_of(desk))
        items = [item for item in items if item.pk in references]
        forest = await desk.ledger.ask(lambda items=items, found=references: Forest.load(desk.run, items, found))  # type: ignore[misc]
        await _Batch(desk, items, forest).work()
        await desk.close_ended()


class _Batch:
    """One search over one batch of problems, each known by its item."""

    def __init__(self, desk: Desk, items: Sequence[Item], forest: Forest) -> None:
        self.desk, self.config, self.forest = desk, config_of(desk), forest
        self.items = {item.pk: item for item in items}
        self.search = search.Search(forest.known, search_config(desk.run), forest.parameters)
        self.failed: dict[int, str] = {}
        self.asked: set[int] = set()
        """Problems of which something is out, or was when an exception came: not done, whatever the search says."""
        self.open = set(self.items)

    async def work(self) -> None:
        closing = asyncio.create_task(self._keep_closing())
        try:
            await search.run(
                self.search,
                roll=self.roll,
                record=self.record,
                keep=self.keep,
                in_flight=2 * self.desk.slots,  # while one stores a selection, another's request is out
                stop=self.desk.stopped.is_set,
            )
        finally:
            closing.cancel()
            await asyncio.gather(closing, return_exceptions=True)
        await self._close_done()

    async def _keep_closing(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            await self._close_done()

    async def _close_done(self) -> None:
        """Store what the finished problems teach, and let their solutions go on to routing."""
        done = [item for item in self.open - self.asked if self.search.done(item) and self._is_kept(item)]
        for item in done:
            pairs = self._preferences(item)
            if pairs:
                await self.desk.ledger.ask(lambda pairs=pairs: _store(self.desk.run, pairs))  # type: ignore[misc]
            self.open.discard(item)
            if item in self.failed:
                self.desk.end(item, RunItemState.FAILED, self.failed[item])
            else:
                self.desk.end(item)

    def _is_kept(self, item: int) -> bool:
        """Is every selection stored? The last of all may need no rollout, and is stored when the search ends."""
        return all(selection.solution in self.forest.places for selection in self.search.selections(item))

    def _preferences(self, item: int) -> list[Preference]:
        rows = []
        for pair in self.search.preferences(item):
            place = self.forest.places[pair.solution]
            rows.append(
                Preference(
                    problem_id=self.items[item].row.problem_id,
                    solution_id=place.pk,
                    step_count=len(place.value.steps),
                    prefix=pair.prefix,
                    chosen=escape(pair.chosen),
                    rejected=escape(pair.rejected),
                    chosen_value=min(pair.chosen_value, 1.0),
                    rejected_value=max(pair.rejected_value, 0.0),
                    run=self.desk.run,
                    simulated=item in self.forest.simulated,
                    stand_in_id=self._reference(item).stand_in,
                )
            )
        return rows

    async def roll(self, chain: Hashable, prefix: int, samples: Sequence[int]) -> Sequence[types.Rollout]:
        """Draw; nothing for a problem whose replies are broken: the search then leaves it alone."""
        item = self._item_of(chain)
        if item in self.failed:
            return ()
        self.asked.add(item)
        found: Sequence[types.Rollout] = ()
        try:
            value, answer = self.forest.places[chain].value, unescape(self._reference(item).answer)
            found = await draw(self.desk.client, value, prefix, answer, samples=samples, config=self.config)
        except FAILURES as error:
            self.failed[item] = await self.desk.blame.of(error)
        self.asked.discard(item)
        return found

    async def record(self, chain: Hashable, rollouts: Sequence[types.Rollout]) -> None:
        place, item = self.forest.places[chain], self._item_of(chain)
        reference, run, steps = self._reference(item), self.desk.run, len(place.value.steps)
        answer: str | None = unescape(reference.answer)
        if reference.stand_in is not None and rollouts[0].prefix == 0:
            answer = None  # one more who could vote: see `Known.elected`
        await self.desk.ledger.store(
            graded_rollout(run, place.pk, steps, self.config.parameters, answer, each, reference.stand_in)
            for each in rollouts
        )
        if any(each.model.startswith(SIMULATED) for each in rollouts):
            self.forest.simulated.add(item)

    async def keep(self, selected: Selected) -> None:
        made: Place = await self.desk.ledger.ask(lambda: plant(self.desk.run, selected, self.forest))
        self.forest.places[selected.branch.id] = made

    def _reference(self, item: int) -> Reference:
        return self.forest.references[self.items[item].row.problem_id]

    def _item_of(self, chain: Hashable) -> int:
        return cast(int, self.search.problem_of(chain))


@transaction.atomic
def _store(run: Run, pairs: Sequence[Preference]) -> None:
    """A pair that an earlier run, or this one before it was killed, has found is left as it is."""
    changes.announce_in(run.project_id)
    now = timezone.now()
    for pair in pairs:
        pair.created_at = now
    Preference.objects.bulk_create(pairs, ignore_conflicts=True)
