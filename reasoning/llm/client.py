"""The seam: everything that talks to a model takes a `Client`."""

from __future__ import annotations

from typing import Protocol

from reasoning.llm.values import Reply, Request, ScoreReply, ScoreRequest


class Client(Protocol):
    """One model at one endpoint.

    Both calls raise `EndpointError` (or one of its kinds), `BudgetExceeded`, and let `asyncio.CancelledError` pass.
    """

    @property
    def model(self) -> str:
        """The model name that is asked for."""
        ...

    async def complete(self, request: Request) -> Reply:
        """`request.n` completions, no more and no less."""
        ...

    async def score(self, request: ScoreRequest) -> ScoreReply:
        """`request.steps` scores; `EndpointRefused` where the endpoint does not score."""
        ...
