"""The runner: a solution is stored before anything is drawn at it, and many problems keep every slot busy."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Sequence

import pytest

from reasoning.search import Search, SearchConfig, Selected, run
from reasoning.types import Rollout
from tests.unit.reasoning.search.world import Store, World, problems


class Desk:
    """A model that answers after a moment and a store that takes its time; both note what they see."""

    def __init__(self, count: int = 6) -> None:
        self.store = Store(World(problems(count)))
        self.search = Search(self.store.world.known(), SearchConfig(selections=3, rollouts=60))
        self.here = {branch.id for known in self.store.world.known() for branch in known.branches}
        self.keeping = self.now = self.most = 0

    async def roll(self, chain: Hashable, prefix: int, samples: Sequence[int]) -> Sequence[Rollout]:
        assert chain in self.here
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0)
        self.now -= 1
        return [self.store.world.draw(chain, prefix, sample) for sample in samples]

    async def record(self, chain: Hashable, rollouts: Sequence[Rollout]) -> None:
        assert chain in self.here
        await asyncio.sleep(0)
        self.store.rollouts[chain] += rollouts

    async def keep(self, selected: Selected) -> None:
        self.keeping += 1
        assert self.keeping == 1
        await asyncio.sleep(0)
        assert selected.branch.forked_from is None or selected.branch.forked_from in self.here
        self.store.keep([selected])
        self.here.add(selected.branch.id)
        self.keeping -= 1


async def test_selections_are_stored_in_order_before_anything_of_them_is_drawn() -> None:
    desk = Desk()
    recorded = await run(desk.search, roll=desk.roll, record=desk.record, keep=desk.keep, in_flight=5)
    assert recorded == sum(map(len, desk.store.rollouts.values()))
    assert recorded == sum(desk.search.spent(problem) for problem in desk.store.problems)
    for known in desk.store.known():
        assert list(known.selections) == desk.search.selections(known.problem)
        assert desk.search.done(known.problem)
    assert desk.most == 5


async def test_what_is_stored_when_it_stops_is_enough_to_go_on() -> None:
    desk, count = Desk(), 0

    def stop() -> bool:
        nonlocal count
        count += 1
        return count > 12

    await run(desk.search, roll=desk.roll, record=desk.record, keep=desk.keep, in_flight=5, stop=stop)
    before = sum(map(len, desk.store.rollouts.values()))
    desk.search = Search(desk.store.known(), desk.search.config)
    await run(desk.search, roll=desk.roll, record=desk.record, keep=desk.keep, in_flight=5)
    drawn = [(chain, each.prefix, each.sample) for chain, kept in desk.store.rollouts.items() for each in kept]
    assert len(drawn) == len(set(drawn)) > before > 0
    assert all(desk.search.done(problem) for problem in desk.store.problems)


async def test_a_store_that_fails_ends_the_run() -> None:
    desk = Desk()

    async def full(selected: Selected) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        await run(desk.search, roll=desk.roll, record=desk.record, keep=full)
    assert desk.now == 0
