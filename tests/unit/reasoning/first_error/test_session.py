"""The runner: slots stay busy, what was paid for is recorded, errors come out last."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Sequence

import pytest

from reasoning.first_error import Chain, Planner, run
from reasoning.types import Evidence, Rollout, Verdict


def rollout(prefix: int, sample: int, verdict: Verdict = Verdict.RIGHT) -> Rollout:
    return Rollout(prefix, sample, "", None, verdict, "exact", "m", None, "stop")


class World:
    """A model that answers after a moment, and a store; both remember what they saw."""

    def __init__(self, seconds: float = 0.0, fail_at: int = -1) -> None:
        self.seconds, self.fail_at = seconds, fail_at
        self.now = self.most = self.calls = 0
        self.stored: list[tuple[Hashable, int, int]] = []

    async def roll(self, chain: Hashable, prefix: int, samples: Sequence[int]) -> Sequence[Rollout]:
        self.calls += 1
        call = self.calls
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(self.seconds)
            if call == self.fail_at:
                raise RuntimeError("no model")
        finally:
            self.now -= 1
        return [rollout(prefix, sample, Verdict.RIGHT if prefix < 3 else Verdict.WRONG) for sample in samples]

    async def record(self, chain: Hashable, rollouts: Sequence[Rollout]) -> None:
        await asyncio.sleep(0)
        self.stored.extend((chain, each.prefix, each.sample) for each in rollouts)


def planner(chains: int, budget: int | None = 200) -> Planner:
    evidence = Evidence(8, Verdict.WRONG)
    return Planner([Chain(n, evidence) for n in range(chains)], price=1e-3, budget=budget)


async def test_it_spends_the_budget_and_stores_every_rollout_once() -> None:
    world = World()
    assert await run(planner(20), roll=world.roll, record=world.record, in_flight=7) == 200
    assert len(world.stored) == len(set(world.stored)) == 200
    assert world.most == 7


async def test_it_ends_by_itself_when_no_chain_is_worth_the_price() -> None:
    world, plan = World(), planner(5, budget=None)
    await run(plan, roll=world.roll, record=world.record)
    assert plan.open == 0
    assert all(plan.done(n) for n in range(5))
    assert all(plan.posterior(n).first_error == 2 for n in range(5))


async def test_a_failing_roll_comes_out_after_the_others_are_stored() -> None:
    world = World(fail_at=10)
    with pytest.raises(RuntimeError, match="no model"):
        await run(planner(20), roll=world.roll, record=world.record, in_flight=16)
    assert len(world.stored) == world.calls - 1
    assert world.now == 0


async def test_a_failing_store_comes_out_too() -> None:
    world = World()

    async def full(chain: Hashable, rollouts: Sequence[Rollout]) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        await run(planner(3), roll=world.roll, record=full)


async def test_stop_draws_nothing_new_and_stores_what_is_in_flight() -> None:
    world, plan = World(), planner(20)
    recorded = await run(plan, roll=world.roll, record=world.record, in_flight=4, stop=lambda: len(world.stored) >= 30)
    assert 30 <= recorded == len(world.stored) < 40


async def test_cancelling_ends_the_rolls_and_keeps_what_had_arrived() -> None:
    world, plan = World(seconds=0.005), planner(40, budget=None)
    enough = asyncio.Event()

    async def record(chain: Hashable, rollouts: Sequence[Rollout]) -> None:
        await world.record(chain, rollouts)
        if len(world.stored) >= 20:
            enough.set()

    task = asyncio.create_task(run(plan, roll=world.roll, record=record, in_flight=8))
    await enough.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert world.now == 0
    assert sum(plan.spent(n) for n in range(40)) == len(world.stored)


async def test_a_rollout_that_was_not_drawn_gives_its_budget_back() -> None:
    plan = planner(2, budget=3)
    stored = []

    async def only_chain_1(chain: Hashable, prefix: int, samples: Sequence[int]) -> Sequence[Rollout]:
        return [rollout(prefix, sample) for sample in samples] if chain == 1 else []

    async def record(chain: Hashable, rollouts: Sequence[Rollout]) -> None:
        stored.extend(rollouts)

    assert await run(plan, roll=only_chain_1, record=record) == len(stored) == 3
    assert plan.spent(0) == 0
