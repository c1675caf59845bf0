"""Several looks at once over the waiting items of a run: what a judge and a scorer have in common."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from annotator.preannotation.desk import Desk, Item
from reasoning.errors import BudgetExceeded, EndpointError

Known = TypeVar("Known")
Thing = TypeVar("Thing")


async def look_at_all(
    desk: Desk, known: Callable[[Sequence[Item]], Known], look: Callable[[Item, Known], Awaitable[None]]
) -> None:
    """Hand every waiting item to `look`, with what `known` read of its batch; until none is left or the desk stops.

    The first exception of a look stops the desk; it is raised once the other looks of that moment have ended and stored
    what they had asked for, because that was paid for.
    """
    while not desk.stopped.is_set():
        items = await desk.waiting()
        if not items:
            return
        facts = await desk.ledger.ask(lambda items=items: known(items))  # type: ignore[misc]
        await share_out(desk, items, lambda item, facts=facts: look(item, facts))  # type: ignore[misc]
        await desk.close_ended()


async def share_out(desk: Desk, things: Sequence[Thing], look: Callable[[Thing], Awaitable[None]]) -> None:
    """Hand each of them to `look`, as many at once as keep the slots busy; ends and raises as `look_at_all` does."""
    queue = deque(things)

    async def work() -> None:
        while queue and not desk.stopped.is_set():
            try:
                await look(queue.popleft())
            except (EndpointError, BudgetExceeded):
                desk.stopped.set()
                raise

    # More workers than slots: while one waits for the database, another's request is out.
    workers = [work() for _ in range(min(2 * desk.slots, len(things)))]
    for outcome in await asyncio.gather(*workers, return_exceptions=True):
        if outcome is not None:
            raise outcome
