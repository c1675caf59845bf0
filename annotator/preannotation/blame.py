"""Whose fault is a look that failed: the solution's or the endpoint's?

A text can be too long for the model, or against its rules, or just too much for it; an endpoint can have another key,
another model, or be broken. Codes and words for these are as many as there are servers. So the endpoint is asked for a
small look of the same kind, in the same way, at a solution that nobody has a reason to refuse: where that comes back
whole, the other solution was at fault, and fails alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from reasoning.errors import (
    BudgetExceeded,
    EndpointError,
    EndpointRefused,
    EndpointUnavailable,
    InvalidInput,
    MalformedReply,
)
from reasoning.llm.retries import CircuitOpen
from reasoning.steps import split
from reasoning.types import Problem, Solution

IN_A_ROW = 20
"""Failed looks before the endpoint is asked: one that breaks half of its replies does so once in a million."""
FAILURES: Final = (InvalidInput, MalformedReply, EndpointRefused, EndpointUnavailable)
"""What may be a solution's own fault; whatever else a look raises is not."""
Failure = InvalidInput | EndpointError
_TEXT: Final = "2 + 3 is 5.\n\nThe answer is 5."
SMALL: Final = Solution(Problem("What is 2 + 3?", "5"), _TEXT, split(_TEXT))


class Blame:
    """Tells the two apart, for one turn of a run. `look` asks the endpoint for its small look at `SMALL`."""

    def __init__(self) -> None:
        self.look: Callable[[], Awaitable[object]] | None = None
        self._in_a_row = 0
        self._trusted = 0
        """So many further failures are taken for the solutions' own before the endpoint is asked again."""
        self._asking: asyncio.Task[bool] | None = None

    async def of(self, error: Failure) -> str:
        """The words of a solution's own fault. Raises the error again where it is the endpoint's.

        A garbled reply is the solution's until there are many: see `ended`.
        """
        if isinstance(error, EndpointRefused | EndpointUnavailable):
            lasting = isinstance(error, EndpointRefused) and self._trusted > 0
            if isinstance(error, CircuitOpen) or not (lasting or await self.sound()):
                raise error
        return str(error)

    def ended(self, *, whole: bool) -> bool:
        """Note how a look ended; True where so many in a row have failed that the endpoint is to be asked."""
        self._in_a_row = 0 if whole else self._in_a_row + 1
        self._trusted -= not whole
        return self._in_a_row >= IN_A_ROW

    @property
    def in_a_row(self) -> int:
        return self._in_a_row

    async def sound(self) -> bool:
        """Does the endpoint give the small look? Whoever asks while it is being asked waits for the same answer."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(self._asking)

    async def _ask(self) -> bool:
        if self.look is None:
            return False
        try:
            await self.look()
        except (EndpointError, BudgetExceeded, InvalidInput):
            return False
        self._in_a_row, self._trusted = 0, IN_A_ROW
        return True
