"""Runs a planner against a model: keeps every slot busy while any chain is worth a rollout.

`roll` and `record` are handed in. A slot is taken from the call of `roll` to its return; `record` (a database, say)
runs outside it. The planner learns of a rollout only after `record` has stored it, so what it knows is never ahead of
what is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Sequence
from itertools import groupby
from typing import Protocol

from reasoning.first_error.planner import Request
from reasoning.types import Rollout, Verdict


class Plan(Protocol):
    """What `run` needs of a planner: `Planner` and `Lossless` are such."""

    def next(self, limit: int) -> list[Request]: ...

    def record(self, chain: Hashable, prefix: int, sample: int, verdict: Verdict) -> None: ...

    def release(self, chain: Hashable, prefix: int, sample: int) -> None: ...


class Roll(Protocol):
    async def __call__(self, chain: Hashable, prefix: int, samples: Sequence[int]) -> Sequence[Rollout]:
        """Draw these samples of a prefix. Those that it cannot draw it leaves out, or it raises."""


class Record(Protocol):
    async def __call__(self, chain: Hashable, rollouts: Sequence[Rollout]) -> None:
        """Store the rollouts of one call."""


async def run(
    planner: Plan,
    *,
    roll: Roll,
    record: Record,
    in_flight: int = 64,
    stop: Callable[[], bool] = lambda: False,
) -> int:
    """Draw rollouts until the planner asks for none, or `stop()` is true; returns how many were recorded.

    At most `in_flight` calls of `roll` run at once. When `stop()` turns true or a call raises, nothing new is drawn and
    what is in flight is still recorded; then the first exception is raised. When it is cancelled, calls of `roll` are
    cancelled too, and what they had already returned is recorded.
    """
    session = _Session(planner, roll, record, in_flight)
    try:
        while not (session.error or stop()):
            session.start()
            if not session.tasks:
                break
            await session.changed()
        await session.drain()
    except asyncio.CancelledError:
        await session.cancel()
        raise
    if session.error:
        raise session.error
    return session.recorded


class _Session:
    def __init__(self, planner: Plan, roll: Roll, record: Record, in_flight: int) -> None:
        self.planner, self.roll, self.record, self.in_flight = planner, roll, record, in_flight
        self.tasks: set[asyncio.Task[None]] = set()
        self.rolling: set[asyncio.Task[None]] = set()
        self.recorded = 0
        self.error: BaseException | None = None
        self._wake = asyncio.Event()

    def start(self) -> None:
        """Fill the free slots. What waits to be stored counts once it is four times the slots."""
        free = min(self.in_flight - len(self.rolling), 5 * self.in_flight - len(self.tasks))
        for (chain, prefix), group in groupby(self.planner.next(free), key=lambda request: request[:2]):
            task = asyncio.create_task(self._one(chain, prefix, list(group)))
            self.tasks.add(task)
            self.rolling.add(task)
            task.add_done_callback(self._finished)

    async def changed(self) -> None:
        await self._wake.wait()
        self._wake.clear()

    async def drain(self) -> None:
        while self.tasks:
            await asyncio.wait(self.tasks)

    async def cancel(self) -> None:
        for task in self.rolling:
            task.cancel()
        await self.drain()

    async def _one(self, chain: Hashable, prefix: int, requests: list[Request]) -> None:
        task = asyncio.current_task()
        rollouts: Sequence[Rollout] = ()
        try:
            rollouts = await self.roll(chain, prefix, [request.sample for request in requests])
        finally:
            self.rolling -= {task}
            self._wake.set()
            drawn = {rollout.sample for rollout in rollouts}
            for request in requests:
                if request.sample not in drawn:
                    self.planner.release(*request)
        if rollouts:
            await self.record(chain, rollouts)
        for rollout in rollouts:
            self.planner.record(chain, prefix, rollout.sample, rollout.verdict)
        self.recorded += len(rollouts)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        self.error = self.error or error
        self._wake.set()
