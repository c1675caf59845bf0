"""Runs a search against a model, by `first_error.run`."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from typing import Protocol

from reasoning import first_error
from reasoning.first_error.session import Record, Roll
from reasoning.search.search import Search
from reasoning.search.values import Selected
from reasoning.types import Rollout


class Keep(Protocol):
    async def __call__(self, selected: Selected) -> None:
        """Store a selection and the solution that came of it."""


async def run(
    search: Search,
    *,
    roll: Roll,
    record: Record,
    keep: Keep,
    in_flight: int = 64,
    stop: Callable[[], bool] = lambda: False,
) -> int:
    """As `first_error.run`; returns how many rollouts were recorded.

    `keep` is called once for each selection, one at a time and in order, before `roll` or `record` sees its solution.
    The search learns of a rollout only after `record` has stored it. After an exception build the search anew.
    """
    waiting: deque[Selected] = deque()
    storing = asyncio.Lock()

    async def keep_all() -> None:
        async with storing:
            waiting.extend(search.selected())
            while waiting:
                await keep(waiting[0])
                waiting.popleft()

    async def keep_and_roll(chain: Hashable, prefix: int, samples: Sequence[int]) -> Sequence[Rollout]:
        await keep_all()
        return await roll(chain, prefix, samples)

    async def record_and_take(chain: Hashable, rollouts: Sequence[Rollout]) -> None:
        await record(chain, rollouts)
        search.take(chain, rollouts)

    recorded = await first_error.run(search, roll=keep_and_roll, record=record_and_take, in_flight=in_flight, stop=stop)
    await keep_all()
    return recorded
