"""The client for endpoints that speak OpenAI's protocol: OpenAI itself, vLLM, llama.cpp, our own simulator."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx2
import openai

from reasoning.errors import EndpointError, EndpointRefused, EndpointUnavailable
from reasoning.llm import protocol
from reasoning.llm.budget import Budget, Spending
from reasoning.llm.dialect import Dialect
from reasoning.llm.faults import from_openai
from reasoning.llm.retries import CircuitBreaker, CircuitOpen, Clock, Gate, RetryPolicy, Sleep
from reasoning.llm.values import CallRecord, Endpoint, Reply, Request, ScoreReply, ScoreRequest
from reasoning.types import Usage

OnCall = Callable[[CallRecord], None]
Answer = TypeVar("Answer", Reply, ScoreReply)


@dataclass(slots=True)
class _Attempt:
    """What is being found out about one request that is out."""

    kind: str
    n: int
    number: int
    started: float = 0.0
    status: str = "ok"
    detail: str = ""
    http_status: int | None = None
    request_id: str = ""
    usage: Usage = Usage()
    estimated: bool = False
    replied_model: str = ""


Send = Callable[[_Attempt], Awaitable[Answer]]


class OpenAIChat:
    """`Client` over one `Endpoint`: slots, retries, breaker, budget and a record of every attempt.

    Use it as an async context manager, within one event loop. `transport` replaces the network (httpx2.MockTransport),
    `sleep` and `clock` replace time.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        budget: Budget | None = None,
        on_call: OnCall | None = None,
        policy: RetryPolicy = RetryPolicy(),
        breaker: CircuitBreaker | None = None,
        dialect: Dialect = Dialect(),
        transport: httpx2.AsyncBaseTransport | None = None,
        sleep: Sleep = asyncio.sleep,
        clock: Clock = time.monotonic,
        rng: random.Random | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.budget = budget
        self.dialect = dialect
        self._on_call = on_call
        self._policy, self._sleep, self._clock = policy, sleep, clock
        self._rng = rng or random.Random()
        self._breaker = breaker or CircuitBreaker(clock=clock)
        self._gate = Gate(sleep, clock)
        self._slots = asyncio.Semaphore(endpoint.slots)
        self._openai = _connect(endpoint, transport)

    @property
    def model(self) -> str:
        return self.endpoint.model

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections; calls in flight fail."""
        await self._openai.close()

    async def complete(self, request: Request) -> Reply:
        if request.n > 1 and not self.dialect.several:
            return await self._one_by_one(request)
        reply = await self._said_right(request)
        got = len(reply.completions)
        if got >= request.n:
            return replace(reply, completions=reply.completions[: request.n])
        # the endpoint took `n` without a word and ignored it
        self.dialect = replace(self.dialect, several=False)
        return _joined([reply, await self._one_by_one(request, begin=got)])

    async def _one_by_one(self, request: Request, begin: int = 0) -> Reply:
        """Requests of one completion each, with seeds of their own. One that fails does not cancel the others."""
        singles = [
            replace(request, n=1, sample=request.sample + i, seed=None if request.seed is None else request.seed + i)
            for i in range(begin, request.n)
        ]
        outcomes = await asyncio.gather(*(self._said_right(single) for single in singles), return_exceptions=True)
        replies = []
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
            replies.append(outcome)
        return _joined(replies)

    async def _said_right(self, request: Request) -> Reply:
        """Ask; where the endpoint refuses a way of saying it, say it more simply and remember."""
        while True:
            dialect = self.dialect
            try:
                return await self._call(request, dialect)
            except EndpointRefused as refusal:
                simpler = dialect.after_refusal(refusal)
                if simpler is None:
                    raise
            if self.dialect == dialect:
                self.dialect = simpler
            if request.n > 1 and not self.dialect.several:
                return await self._one_by_one(request)

    async def _call(self, request: Request, dialect: Dialect) -> Reply:
        body = dialect.body(request, self.model)
        if self.endpoint.stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}

        async def send(attempt: _Attempt) -> Reply:
            content = await self._post("/chat/completions", body, attempt)
            value = protocol.decode_stream(content) if self.endpoint.stream else protocol.decode(content)
            reply, attempt.estimated = protocol.read_reply(value, request, self.endpoint.prices)
            return reply

        prompt, most = protocol.guess_tokens(request.prompt_characters), request.n * request.max_tokens
        rollouts = request.n if request.kind == "rollout" else 0
        estimate = Spending(prompt + most, self.endpoint.prices.cost(prompt, most), rollouts)
        return await self._within_budget(send, estimate, request.kind, request.n)

    async def score(self, request: ScoreRequest) -> ScoreReply:
        url = self.endpoint.score_url or self.endpoint.base_url.rstrip("/").removesuffix("/v1") + "/pooling"

        async def send(attempt: _Attempt) -> ScoreReply:
            content = await self._post(url, {"model": self.model, "input": request.text}, attempt)
            return protocol.read_scores(protocol.decode(content), request, self.endpoint.prices)

        tokens = protocol.guess_tokens(len(request.text))
        return await self._within_budget(send, Spending(tokens, self.endpoint.prices.cost(tokens, 0)), request.kind, 1)

    async def _within_budget(self, send: Send[Answer], estimate: Spending, kind: str, n: int) -> Answer:
        if self.budget is None:
            return await self._with_retries(send, kind, n)
        async with self.budget.reserve(estimate) as took:
            answer = await self._with_retries(send, kind, n)
            took.tokens, took.money, took.rollouts = answer.usage.tokens, answer.usage.cost, estimate.rollouts
            return answer

    async def _with_retries(self, send: Send[Answer], kind: str, n: int) -> Answer:
        number = 0

        async def once() -> Answer:
            nonlocal number
            number += 1
            return await self._attempt(send, _Attempt(kind, n, number))

        try:
            answer: Answer = await self._policy.loop(self._sleep, self._rng)(once)
        except CircuitOpen:
            raise
        except EndpointUnavailable as error:
            self._breaker.failed(error)
            raise
        except EndpointError:
            self._breaker.succeeded()  # it answers, if not as we like it
            raise
        self._breaker.succeeded()
        return answer

    async def _attempt(self, send: Send[Answer], attempt: _Attempt) -> Answer:
        """One request in one slot, recorded whatever becomes of it."""
        async with self._slots:
            await self._gate.passed()
            self._breaker.check()
            attempt.started = self._clock()
            try:
                answer = await send(attempt)
            except EndpointError as error:
                attempt.status, attempt.detail = type(error).__name__, error.detail
                if error.retry_after is not None and error.retry_after <= self._policy.longest_retry_after:
                    self._gate.close_for(error.retry_after)
                raise
            except asyncio.CancelledError:
                attempt.status = "Cancelled"
                raise
            else:
                attempt.usage, attempt.replied_model = answer.usage, answer.model
                return answer
            finally:
                self._record(attempt)

    async def _post(self, url: str, body: dict[str, Any], attempt: _Attempt) -> bytes:
        """The bytes of a reply with a good status; every fault of the network is mapped here, once."""
        try:
            async with asyncio.timeout(self.endpoint.timeout):
                response = await self._openai.post(url, cast_to=httpx2.Response, body=body)
        except TimeoutError as error:
            raise EndpointUnavailable(f"timed out: no whole reply within {self.endpoint.timeout:g} s") from error
        except openai.APIError as error:
            mapped = from_openai(error)
            attempt.http_status = mapped.status
            raise mapped from error
        attempt.http_status = response.status_code
        attempt.request_id = response.headers.get("x-request-id", "")
        return response.content

    def _record(self, attempt: _Attempt) -> None:
        if self._on_call is None:
            return
        self._on_call(
            CallRecord(
                endpoint=self.endpoint.base_url,
                model=self.endpoint.model,
                kind=attempt.kind,
                n=attempt.n,
                attempt=attempt.number,
                status=attempt.status,
                http_status=attempt.http_status,
                detail=attempt.detail,
                usage=attempt.usage,
                estimated=attempt.estimated,
                seconds=self._clock() - attempt.started,
                replied_model=attempt.replied_model,
                request_id=attempt.request_id,
            )
        )


def _connect(endpoint: Endpoint, transport: httpx2.AsyncBaseTransport | None) -> openai.AsyncOpenAI:
    """The openai client with a pool as wide as the slots, and none of its own retries."""
    limits = httpx2.Limits(max_connections=endpoint.slots, max_keepalive_connections=endpoint.slots)
    return openai.AsyncOpenAI(
        base_url=endpoint.base_url,
        api_key=endpoint.api_key or "none",
        max_retries=0,
        timeout=endpoint.timeout,
        default_headers=dict(endpoint.headers),
        http_client=openai.DefaultAsyncHttpxClient(limits=limits, transport=transport, trust_env=transport is None),
    )


def _joined(replies: list[Reply]) -> Reply:
    usage = sum((reply.usage for reply in replies), Usage())
    return Reply(tuple(c for reply in replies for c in reply.completions), replies[0].model, usage)
