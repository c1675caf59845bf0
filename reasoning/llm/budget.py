"""What may still be spent. A call reserves its upper estimate before it is sent and settles for what it took."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from reasoning.errors import BudgetExceeded


@dataclass(slots=True)
class Spending:
    """An amount of everything that is limited."""

    tokens: int = 0
    money: float = 0.0
    rollouts: int = 0

    def __add__(self, other: Spending) -> Spending:
        return Spending(self.tokens + other.tokens, self.money + other.money, self.rollouts + other.rollouts)

    def __sub__(self, other: Spending) -> Spending:
        return Spending(self.tokens - other.tokens, self.money - other.money, self.rollouts - other.rollouts)


class Budget:
    """Limits on tokens, money and rollouts; None is no limit. Many clients of one event loop may share a budget.

    The estimate of a call is its prompt and the most that it may write. Where that fits beside what was spent, but not
    beside what is in flight too, the call waits until something settles: so a budget is neither overdrawn by many calls
    at once nor called empty while it is only reserved.
    """

    def __init__(
        self,
        *,
        tokens: int | None = None,
        money: float | None = None,
        rollouts: int | None = None,
        spent: Spending | None = None,
    ) -> None:
        self.tokens, self.money, self.rollouts = tokens, money, rollouts
        self.spent = spent if spent is not None else Spending()
        self.reserved = Spending()
        self._waiting: list[asyncio.Future[None]] = []

    def _lacks(self, total: Spending) -> str:
        """Which limit `total` would break, in words; empty where none."""
        if self.tokens is not None and total.tokens > self.tokens:
            return (
                f"{self.spent.tokens:,} of {self.tokens:,} tokens are spent, the next call may make it {total.tokens:,}"
            )
        if self.money is not None and total.money > self.money + 1e-12:
            return (
                f"{self.spent.money:.4f} of {self.money:.4f} are spent, the next call may take it to {total.money:.4f}"
            )
        if self.rollouts is not None and total.rollouts > self.rollouts:
            return f"{self.spent.rollouts:,} of {self.rollouts:,} rollouts are made, the next call asks for more"
        return ""

    @asynccontextmanager
    async def reserve(self, estimate: Spending) -> AsyncIterator[Spending]:
        """Hold `estimate` while the call is out; the caller writes what it took into the value yielded.

        Raises `BudgetExceeded` where it does not fit into what is left.
        """
        while True:
            if lack := self._lacks(self.spent + estimate):
                raise BudgetExceeded(f"out of budget: {lack}")
            if not self._lacks(self.spent + self.reserved + estimate):
                break
            await self._settled()
        self.reserved += estimate
        took = Spending()
        try:
            yield took
        finally:
            # nothing is awaited here: a cancelled call must not leave its reservation behind
            self.reserved -= estimate
            self.spent += took
            self._wake()

    async def _settled(self) -> None:
        """Wait until some call in flight has settled."""
        settled = asyncio.get_running_loop().create_future()
        self._waiting.append(settled)
        await settled

    def _wake(self) -> None:
        """All of them: what is left may suit any; each looks again."""
        waiting, self._waiting = self._waiting, []
        for settled in waiting:
            if not settled.done():  # whoever waited was cancelled
                settled.set_result(None)
