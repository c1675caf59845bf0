"""The client for endpoints that speak OpenAI's protocol: OpenAI itself, vLLM, llama.cpp, our own simulator."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from itertools import count
from types import TracebackType
from typing import Any, Self, TypeVar

import aiohttp
import httpx2
import openai

from reasoning.characters import shorten
from reasoning.errors import EndpointError, EndpointRefused, EndpointUnavailable, MalformedReply
from reasoning.llm import pooling, protocol, streams
from reasoning.llm.budget import Budget, Spending
from reasoning.llm.dialect import Dialect
from reasoning.llm.faults import from_openai
from reasoning.llm.retries import CircuitBreaker, CircuitOpen, Clock, Gate, RetryPolicy, Sleep
from reasoning.llm.values import CallRecord, Endpoint, Reply, Request, ScoreReply, ScoreRequest
from reasoning.types import Usage

OnCall = Callable[[CallRecord], None]
Answer = TypeVar("Answer", Reply, ScoreReply)


@dataclass(frozen=True, slots=True)
class _Call:
    """What is known of a call before it is sent."""

    kind: str
    n: int
    prompt: Usage
    """Our guess at the prompt."""
    most: Spending
    """What one attempt may take."""


@dataclass(slots=True)
class _Attempt:
    """What is being found out about one request that is out."""

    call: _Call
    number: int
    started: float = 0.0
    status: str = "Cancelled"
    """Until a reply or an error has come."""
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
        self._budget = budget or Budget()
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
                simpler = dialect.after_refusal(refusal, request)
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
            value = streams.decode_stream(content) if self.endpoint.stream else protocol.decode(content)
            attempt.usage = protocol.told_usage(value, prices) or Usage()
            reply, attempt.estimated = protocol.read_reply(value, request, prices)
            return reply

        prices = self.endpoint.prices
        prompt = protocol.guess_tokens(*(message.content for message in request.messages))
        most = request.n * request.max_tokens
        rollouts = request.n if request.kind == "rollout" else 0
        estimate = Spending(prompt + most, prices.cost(prompt, most), rollouts)
        call = _Call(request.kind, request.n, Usage(prompt, 0, prices.cost(prompt, 0)), estimate)
        return await self._with_retries(send, call)

    async def score(self, request: ScoreRequest) -> ScoreReply:
        url = self.endpoint.score_url or self.endpoint.base_url.rstrip("/").removesuffix("/v1") + "/pooling"

        async def send(attempt: _Attempt) -> ScoreReply:
            content = await self._post(url, {"model": self.model, "input": request.text}, attempt)
            return pooling.read_scores(protocol.decode(content), request, self.endpoint.prices)

        tokens = protocol.guess_tokens(request.text)
        cost = self.endpoint.prices.cost(tokens, 0)
        return await self._with_retries(send, _Call(request.kind, 1, Usage(tokens, 0, cost), Spending(tokens, cost)))

    async def _with_retries(self, send: Send[Answer], call: _Call) -> Answer:
        try:
            answer = await self._repeated(send, call)
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

    async def _repeated(self, send: Send[Answer], call: _Call) -> Answer:
        malformed = 0
        for number in count(1):
            try:
                return await self._attempt(send, _Attempt(call, number))
            except EndpointError as error:
                malformed += isinstance(error, MalformedReply)
                if not self._policy.retries(error, number, malformed):
                    raise
                wait = self._policy.wait(error, number, self._rng)
            await self._sleep(wait)
        raise AssertionError("counting does not end")

    async def _attempt(self, send: Send[Answer], attempt: _Attempt) -> Answer:
        """One request in one slot and within the budget, recorded whatever becomes of it."""
        async with self._slots, self._budget.reserve(attempt.call.most) as took:
            await self._gate.passed()
            self._breaker.check()
            attempt.started = self._clock()
            try:
                answer = await send(attempt)
            except EndpointError as error:
                self._note_failure(attempt, error)
                raise
            else:
                attempt.status, attempt.usage, attempt.replied_model = "ok", answer.usage, answer.model
                came = len(answer.completions) if isinstance(answer, Reply) else 0
                took.rollouts = min(came, attempt.call.most.rollouts)
                return answer
            finally:
                took.tokens, took.money = attempt.usage.tokens, attempt.usage.cost
                self._record(attempt)

    def _note_failure(self, attempt: _Attempt, error: EndpointError) -> None:
        attempt.status, attempt.detail = type(error).__name__, error.detail
        if isinstance(error, MalformedReply) and not attempt.usage.tokens:
            attempt.usage, attempt.estimated = attempt.call.prompt, True  # the model was at work: that is paid for
        if error.retry_after is not None and error.retry_after <= self._policy.longest_retry_after:
            self._gate.close_for(error.retry_after)

    async def _post(self, url: str, body: dict[str, Any], attempt: _Attempt) -> bytes:
        """The bytes of a reply with a good status; every fault of the network is mapped here, once."""
        try:
            async with asyncio.timeout(self.endpoint.timeout):
                response = await self._openai.post(url, cast_to=httpx2.Response, body=body)
        except TimeoutError as error:
            raise EndpointUnavailable(f"timed out: no whole reply within {self.endpoint.timeout:g} s") from error
        except openai.APIError as error:
            mapped = from_openai(error, self.endpoint.api_key)
            attempt.http_status = mapped.status
            raise mapped from error
        except aiohttp.ClientError as error:  # what openai's transport over aiohttp lets through: no HTTP at all
            raise MalformedReply(shorten(f"the reply is not HTTP: {error}")) from error
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
                kind=attempt.call.kind,
                n=attempt.call.n,
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
    """The openai client with a pool as wide as the slots, and none of its own retries.

    Its transport over aiohttp takes two thirds of the processor time of the one over httpcore, which asks every idle
    connection of the pool for its state at every request.
    """
    limits = httpx2.Limits(max_connections=endpoint.slots, max_keepalive_connections=endpoint.slots)
    return openai.AsyncOpenAI(
        base_url=endpoint.base_url,
        api_key=endpoint.api_key or "none",
        max_retries=0,
        timeout=endpoint.timeout,
        default_headers=dict(endpoint.headers),
        http_client=openai.DefaultAioHttpClient(
            limits=limits,
            transport=transport,
            trust_env=transport is None,
            follow_redirects=False,  # it would lead to a login page, or the prompts to another host
        ),
    )


def _joined(replies: list[Reply]) -> Reply:
    usage = sum((reply.usage for reply in replies), Usage())
    return Reply(tuple(c for reply in replies for c in reply.completions), replies[0].model, usage)
