"""What a Test button asks: is there a model behind this address, and what does it say?"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from reasoning.errors import BudgetExceeded, EndpointError
from reasoning.llm.client import Client
from reasoning.llm.values import Message, Request
from reasoning.types import Usage

QUESTION = "Reply with one short sentence that names yourself."


@dataclass(frozen=True, slots=True)
class Probe:
    """How an endpoint answered one small question. `text` holds its answer, or its complaint in its own words."""

    ok: bool
    text: str
    model: str
    seconds: float
    usage: Usage = Usage()
    status: int | None = None
    error: str = ""
    """Name of the error where `ok` is False: EndpointUnavailable, RateLimited, EndpointRefused, MalformedReply, …"""


async def probe(client: Client, *, clock: Callable[[], float] = time.perf_counter) -> Probe:
    """Ask one small question. Never raises for what an endpoint did."""
    started = clock()
    request = Request((Message("user", QUESTION),), max_tokens=64, temperature=None, kind="probe")
    try:
        reply = await client.complete(request)
    except (EndpointError, BudgetExceeded) as error:
        status = error.status if isinstance(error, EndpointError) else None
        return Probe(False, str(error), client.model, clock() - started, status=status, error=type(error).__name__)
    return Probe(True, reply.text, reply.model, clock() - started, reply.usage)
