"""When to try again, how long to wait, and when to stop knocking: a policy, a gate and a circuit breaker."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from reasoning.errors import EndpointError, EndpointRefused, EndpointUnavailable

Sleep = Callable[[float], Awaitable[None]]
Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how patiently a call is repeated. Waits are seconds."""

    attempts: int = 6
    """In all, the first one counted."""
    malformed_replies: int = 2
    """A cut-off or garbled reply was paid for: with so many of them the call has failed."""
    first_wait: float = 0.5
    longest_wait: float = 30.0
    longest_retry_after: float = 120.0
    """Where an endpoint asks to wait longer, the call fails at once and says so."""

    def retries(self, error: EndpointError, attempt: int, malformed: int = 0) -> bool:
        """Whether to try again after `attempt` attempts, of which `malformed` brought garbled replies."""
        if isinstance(error, EndpointRefused | CircuitOpen):
            return False
        if error.retry_after is not None and error.retry_after > self.longest_retry_after:
            return False
        return attempt < self.attempts and malformed < self.malformed_replies

    def wait(self, error: EndpointError, attempt: int, rng: random.Random) -> float:
        """What the endpoint asked for and a little more, else exponential with full jitter.

        To be asked for no wait (0, or a date that the clocks' difference has put into the past) is not to be asked.
        """
        if error.retry_after:
            return error.retry_after + rng.uniform(0, 0.1 * error.retry_after + 0.05)
        return rng.uniform(0, min(self.longest_wait, self.first_wait * 2 ** float(attempt)))


class CircuitOpen(EndpointUnavailable):
    """Too many calls failed one after the other; nothing is sent until the pause is over."""


class CircuitBreaker:
    """Opens when `failures` calls in a row failed after all their retries; `pause` seconds later one call may try."""

    def __init__(self, *, failures: int = 3, pause: float = 30.0, clock: Clock = time.monotonic) -> None:
        self.failures, self.pause = failures, pause
        self._clock = clock
        self._in_a_row = 0
        self._open_until: float | None = None
        self._last_words = ""

    def check(self) -> None:
        """Raise `CircuitOpen` where nothing may be sent now."""
        if self._open_until is None:
            return
        left = self._open_until - self._clock()
        if left > 0:
            raise CircuitOpen(
                f"not asked, for the last {self._in_a_row} calls failed: {self._last_words}", retry_after=left
            )
        self._open_until = self._clock() + self.pause  # half open: this call may try, the others wait for what it finds

    def failed(self, error: EndpointError) -> None:
        self._in_a_row += 1
        self._last_words = error.detail
        if self._in_a_row >= self.failures:
            self._open_until = self._clock() + self.pause

    def succeeded(self) -> None:
        self._in_a_row, self._open_until = 0, None


class Gate:
    """When one call is told to wait (429 with Retry-After), all calls to the endpoint wait."""

    def __init__(self, sleep: Sleep, clock: Clock = time.monotonic) -> None:
        self._sleep, self._clock = sleep, clock
        self._opens = 0.0

    def close_for(self, seconds: float) -> None:
        self._opens = max(self._opens, self._clock() + seconds)

    async def passed(self) -> None:
        while (left := self._opens - self._clock()) > 0:  # it may have been closed for longer meanwhile
            await self._sleep(left)
