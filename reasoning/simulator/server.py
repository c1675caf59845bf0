"""An OpenAI-compatible HTTP server over the simulated world."""

from __future__ import annotations

import asyncio
import hmac
import math
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email.utils import formatdate
from time import monotonic, time
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from reasoning.errors import InvalidInput
from reasoning.simulator import draws, replies
from reasoning.simulator.asked import Asked
from reasoning.simulator.faults import HEADER, MODEL_PREFIX, Fault, Faults
from reasoning.simulator.forms import formed
from reasoning.simulator.law import LAW, Law
from reasoning.simulator.models import MODELS, Models, Say
from reasoning.simulator.replies import Choice
from reasoning.simulator.truth import Truth


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
            Route("/v1/models/{name:path}", service.model, methods=["GET"]),
            Route("/pooling", service.pooling, methods=["POST"]),
            Route("/health", service.health, methods=["GET"]),
        ],
        exception_handlers={404: _no_such_place, 405: _no_such_place},
    )


def _no_such_place(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    return _refuse(status, f"Invalid URL ({request.method} {request.url.path})")


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
        return _json({"object": "list", "data": [_card(name) for name in MODELS]})

    async def model(self, request: Request) -> Response:
        if refusal := self._refused(request):
            return refusal
        name = request.path_params["name"]
        return _json(_card(name)) if name in MODELS else _no_such_model(name)

    async def chat(self, request: Request) -> Response:
        came = monotonic()
        if refusal := self._refused(request):
            return refusal
        raw = await request.body()
        try:
            asked = Asked.of(_object(raw))
            fault = self._fault(request, asked.model, raw)
        except InvalidInput as error:
            return _refuse(400, str(error))
        if asked.model not in MODELS and not asked.model.startswith(MODEL_PREFIX):
            return _no_such_model(asked.model)
        self.requests += 1
        self.completions += asked.n
        reply = self._failed(fault) or self._answer(asked, raw, fault)
        await self._take_time(came, fault)
        return reply

    async def pooling(self, request: Request) -> Response:
        came = monotonic()
        if refusal := self._refused(request):
            return refusal
        raw = await request.body()
        try:
            body = _object(raw)
            model, text = body.get("model"), body.get("input")
            if not isinstance(model, str) or not isinstance(text, str):
                raise InvalidInput("'model' and 'input' must be strings")
            fault = self._fault(request, model, raw)
        except InvalidInput as error:
            return _refuse(400, str(error))
        if model not in MODELS and not model.startswith(MODEL_PREFIX):
            return _no_such_model(model)
        self.requests += 1
        reply = self._failed(fault) or self._scores(model, text, fault)
        await self._take_time(came, fault)
        return reply

    async def _take_time(self, came: float, fault: Fault | None) -> None:
        """What it took to write the reply is part of the latency."""
        takes = self.settings.slow if fault is Fault.SLOW else self.settings.latency
        await asyncio.sleep(came + takes - monotonic())

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
                empty = {"id": "empty", "object": "chat.completion", "model": MODELS[0], "choices": [], "data": []}
                return _json(empty)
        return None

    def _answer(self, asked: Asked, raw: bytes, fault: Fault | None) -> Response:
        count = 1 if fault is Fault.ONE_CHOICE else asked.n
        say = self.world.hear(asked.messages)
        choices = [_choice(asked, say, i, self.requests, fault) for i in range(count)]
        name = f"chatcmpl-{draws.digest(raw, self.requests):016x}"
        used = replies.usage(asked.messages, choices)
        body = replies.whole(name, asked.model, choices, used, top_logprobs=asked.top_logprobs)
        if asked.stream:
            return _streamed(list(replies.chunks(body, with_usage=asked.usage_in_stream)), fault)
        return _spoilt(orjson.dumps(body), fault)

    def _scores(self, model: str, text: str, fault: Fault | None) -> Response:
        scores = self.world.score(text)
        if scores is None:
            return _refuse(400, "I cannot tell: I do not know this solution.")
        rows: Any = [[1 - score, score] for score in scores]
        if fault is Fault.WRONG_SCHEMA:
            rows = "looks fine to me"
        elif fault in (Fault.BLANK, Fault.LENGTH, Fault.ONE_CHOICE):
            rows = rows[: 0 if fault is Fault.BLANK else 1]
        used = {"prompt_tokens": replies.tokens(text), "total_tokens": replies.tokens(text)}
        data = [{"index": 0, "object": "pooling", "data": rows}]
        return _spoilt(orjson.dumps({"object": "list", "model": model, "data": data, "usage": used}), fault)


def _spoilt(content: bytes, fault: Fault | None) -> Response:
    """A whole reply, unless the fault is one of how it is sent."""
    if fault is Fault.CUTOFF:
        return CutOff(content, media_type="application/json")
    if fault is Fault.BROKEN_JSON:
        content = content[:-20] + b", ..."
    return Response(content, media_type="application/json")


def _streamed(parts: list[dict[str, Any]], fault: Fault | None) -> Response:
    events = [b"data: " + orjson.dumps(part) + b"\n\n" for part in parts]
    if fault is Fault.CUTOFF:
        events = events[: len(events) // 2]
    else:
        events.append(b"data: [DONE]\n\n")
    if fault is Fault.BROKEN_JSON:
        events[0] = events[0].removesuffix(b"}\n\n") + b", ...\n\n"
    return StreamingResponse(_one_by_one(events), media_type="text/event-stream")


async def _one_by_one(events: list[bytes]) -> AsyncIterator[bytes]:
    for event in events:
        yield event


def _rate_limited(wait: float, *, dated: bool) -> Response:
    """429 with Retry-After in either of its forms (RFC 9110 §10.2.3); a date has whole seconds, so never too early."""
    reply = _refuse(429, f"Rate limit reached: try again in {wait:g} s.", "rate_limit_exceeded")
    reply.headers["retry-after"] = formatdate(math.ceil(time() + wait), usegmt=True) if dated else f"{wait:g}"
    return reply


def _choice(asked: Asked, say: Say, index: int, request: int, fault: Fault | None) -> Choice:
    if fault is Fault.WRONG_SCHEMA:
        return Choice('{"verdict": "looks fine to me"}')
    if fault is Fault.BLANK:
        return Choice("")
    limit = 1 if fault is Fault.LENGTH else asked.max_tokens
    return replies.limited(formed(say(*asked.draw(index, request)), asked.form), stop=asked.stop, max_tokens=limit)


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


def _card(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "simulated"}


def _no_such_model(name: str) -> Response:
    return _refuse(404, f"The model `{name}` does not exist.", "model_not_found")


def _refuse(status: int, message: str, code: str | None = None) -> Response:
    kinds = {401: "authentication_error", 429: "rate_limit_error"}
    kind = kinds.get(status, "server_error" if status >= 500 else "invalid_request_error")
    return _json(replies.error(message, kind, code), status)
