"""An OpenAI-compatible HTTP server over the simulated world."""

from __future__ import annotations

import asyncio
import hmac
import math
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from time import monotonic, time
from typing import Any, Final

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from reasoning.errors import InvalidInput
from reasoning.simulator import draws, replies
from reasoning.simulator.faults import HEADER, MODEL_PREFIX, Fault, Faults
from reasoning.simulator.forms import Form, form_of, formed
from reasoning.simulator.law import LAW, Law
from reasoning.simulator.models import MODELS, Models, Say
from reasoning.simulator.replies import Choice
from reasoning.simulator.truth import Truth

MOST_CHOICES: Final = 128


@dataclass(slots=True)
class Settings:
    """What one server knows and how it behaves. Times are seconds."""

    truth: Truth = field(default_factory=Truth)
    law: Law = LAW
    latency: float = 0.05
    faults: Faults = field(default_factory=Faults)
    retry_after: float = 1.0
    slow: float = 30.0
    api_key: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A chat completion request, checked."""

    model: str
    messages: list[dict[str, Any]]
    n: int
    seed: int | None
    stop: tuple[str, ...]
    max_tokens: int | None
    greedy: bool
    logprobs: bool
    stream: bool
    usage_in_stream: bool
    form: Form | None

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Asked:
        """Raises `InvalidInput` in the words of the protocol's servers."""
        messages = body.get("messages")
        if not isinstance(messages, list) or not messages or not all(isinstance(m, dict) for m in messages):
            raise InvalidInput("'messages' is a required property: a list that is not empty")
        n, seed, stop = body.get("n") or 1, body.get("seed"), body.get("stop") or ()
        if not isinstance(n, int) or not 1 <= n <= MOST_CHOICES:
            raise InvalidInput(f"'n' must be an integer from 1 to {MOST_CHOICES}")
        if seed is not None and not isinstance(seed, int):
            raise InvalidInput("'seed' must be an integer")
        limit = body.get("max_completion_tokens") or body.get("max_tokens")
        if limit is not None and (not isinstance(limit, int) or limit < 1):
            raise InvalidInput("'max_tokens' must be a positive integer")
        return cls(
            model=str(body.get("model", "")),
            messages=messages,
            n=n,
            seed=seed,
            stop=(stop,) if isinstance(stop, str) else tuple(map(str, stop)),
            max_tokens=limit,
            greedy=body.get("temperature") == 0,
            logprobs=bool(body.get("logprobs")),
            stream=bool(body.get("stream")),
            usage_in_stream=bool((body.get("stream_options") or {}).get("include_usage")),
            form=form_of(body),
        )

    def draw(self, index: int) -> tuple[draws.Part, ...]:
        """What tells this completion's draw apart: nothing where the request is greedy."""
        return () if self.greedy else (str(self.seed), index)


class CutOff(Response):
    """A reply that promises its whole body and sends half of it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})


def application(settings: Settings) -> Starlette:
    """The ASGI application."""
    service = _Service(settings)
    return Starlette(
        routes=[
            Route("/v1/chat/completions", service.chat, methods=["POST"]),
            Route("/v1/models", service.models, methods=["GET"]),
            Route("/pooling", service.pooling, methods=["POST"]),
            Route("/health", service.health, methods=["GET"]),
        ]
    )


class _Service:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.world = Models(settings.truth, settings.law)
        self.requests = self.completions = 0

    async def health(self, request: Request) -> Response:
        """Also what was asked so far: whoever pays by the call can check its books against it."""
        asked = {"requests": self.requests, "completions": self.completions}
        return _json({"status": "ok", "problems": len(self.settings.truth), **asked})

    async def models(self, request: Request) -> Response:
        if refusal := self._refused(request):
            return refusal
        data = [{"id": name, "object": "model", "created": 0, "owned_by": "simulated"} for name in MODELS]
        return _json({"object": "list", "data": data})

    async def chat(self, request: Request) -> Response:
        came = monotonic()
        if refusal := self._refused(request):
            return refusal
        raw = await request.body()
        try:
            body = _object(raw)
            asked = Asked.of(body)
            fault = self._fault(request, asked.model, raw)
        except InvalidInput as error:
            return _refuse(400, str(error))
        if asked.model not in MODELS and not asked.model.startswith(MODEL_PREFIX):
            return _refuse(404, f"The model `{asked.model}` does not exist.", "model_not_found")
        self.requests += 1
        self.completions += asked.n
        reply = self._failed(fault) or self._answer(asked, raw, fault)
        takes = self.settings.slow if fault is Fault.SLOW else self.settings.latency
        await asyncio.sleep(came + takes - monotonic())  # what it takes to write the reply is part of the latency
        return reply

    async def pooling(self, request: Request) -> Response:
        if refusal := self._refused(request):
            return refusal
        try:
            body = _object(await request.body())
        except InvalidInput as error:
            return _refuse(400, str(error))
        await asyncio.sleep(self.settings.latency)
        scores = self.world.score(str(body.get("input", "")))
        if scores is None:
            return _refuse(400, "I cannot tell: I do not know this solution.")
        data = [{"index": 0, "object": "pooling", "data": [[1 - score, score] for score in scores]}]
        used = {"prompt_tokens": replies.tokens(str(body["input"]))}
        return _json({"object": "list", "model": str(body.get("model", "")), "data": data, "usage": used})

    def _refused(self, request: Request) -> Response | None:
        key = self.settings.api_key
        if not key:
            return None
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if hmac.compare_digest(given.encode(), key.encode()):
            return None
        return _refuse(401, f"Incorrect API key provided: {given[:3]}***.", "invalid_api_key")

    def _fault(self, request: Request, model: str, raw: bytes) -> Fault | None:
        asked = request.headers.get(HEADER, "")
        if model.startswith(MODEL_PREFIX):
            asked = model.removeprefix(MODEL_PREFIX)
        return self.settings.faults.pick(asked, raw)

    def _failed(self, fault: Fault | None) -> Response | None:
        """The reply where the fault is one that keeps the models from being asked."""
        match fault:
            case Fault.RATE_LIMIT | Fault.RATE_LIMIT_DATE:
                return _rate_limited(self.settings.retry_after, dated=fault is Fault.RATE_LIMIT_DATE)
            case Fault.BAD_REQUEST:
                return _refuse(400, "This model's maximum context length is 10 tokens.", "context_length_exceeded")
            case Fault.WRONG_KEY:
                return _refuse(401, "Incorrect API key provided.", "invalid_api_key")
            case Fault.SERVER_ERROR:
                return _refuse(500, "The server had an error while processing your request.")
            case Fault.OVERLOADED:
                return _refuse(503, "The engine is currently overloaded, please try again later.")
            case Fault.PROXY_PAGE:
                return Response("<html><h1>502 Bad Gateway</h1></html>", 502, media_type="text/html")
            case Fault.EMPTY_CHOICES:
                return _json({"id": "empty", "object": "chat.completion", "model": MODELS[0], "choices": []})
        return None

    def _answer(self, asked: Asked, raw: bytes, fault: Fault | None) -> Response:
        count = 1 if fault is Fault.ONE_CHOICE else asked.n
        say = self.world.hear(asked.messages)
        choices = [_choice(asked, say, i, fault) for i in range(count)]
        name = f"chatcmpl-{draws.digest(raw):016x}"
        used = replies.usage(asked.messages, choices)
        body = replies.whole(name, asked.model, choices, used, with_logprobs=asked.logprobs)
        if asked.stream:
            parts = list(replies.chunks(body, with_usage=asked.usage_in_stream))
            kept = parts[: len(parts) // 2] if fault is Fault.CUTOFF else parts
            return StreamingResponse(_events(kept, done=kept is parts), media_type="text/event-stream")
        content = orjson.dumps(body)
        if fault is Fault.CUTOFF:
            return CutOff(content, media_type="application/json")
        if fault is Fault.BROKEN_JSON:
            return Response(content[:-20] + b", ...", media_type="application/json")
        return Response(content, media_type="application/json")


def _rate_limited(wait: float, *, dated: bool) -> Response:
    """429 with Retry-After in either of its forms (RFC 9110 §10.2.3); a date has whole seconds, so never too early."""
    reply = _refuse(429, f"Rate limit reached: try again in {wait:g} s.", "rate_limit_exceeded")
    reply.headers["retry-after"] = formatdate(math.ceil(time() + wait), usegmt=True) if dated else f"{wait:g}"
    return reply


def _choice(asked: Asked, say: Say, index: int, fault: Fault | None) -> Choice:
    if fault is Fault.WRONG_SCHEMA:
        return Choice('{"verdict": "looks fine to me"}')
    if fault is Fault.BLANK:
        return Choice("")
    limit = 1 if fault is Fault.LENGTH else asked.max_tokens
    return replies.limited(formed(say(*asked.draw(index)), asked.form), stop=asked.stop, max_tokens=limit)


async def _events(parts: list[dict[str, Any]], *, done: bool) -> AsyncIterator[bytes]:
    for part in parts:
        yield b"data: " + orjson.dumps(part) + b"\n\n"
    if done:
        yield b"data: [DONE]\n\n"


def _object(raw: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"We could not parse the JSON body of your request: {error}") from error
    if not isinstance(value, dict):
        raise InvalidInput("The body of your request is not a JSON object")
    return value


def _json(value: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json")


def _refuse(status: int, message: str, code: str | None = None) -> Response:
    kinds = {401: "authentication_error", 429: "rate_limit_error"}
    kind = kinds.get(status, "server_error" if status >= 500 else "invalid_request_error")
    return _json(replies.error(message, kind, code), status)
