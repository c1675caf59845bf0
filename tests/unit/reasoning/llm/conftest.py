"""A clock that only moves when somebody sleeps, and an endpoint made of a list of answers."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest

from reasoning.llm import CallRecord, Endpoint
from reasoning.llm.openai_chat import OpenAIChat

ENDPOINT = Endpoint("http://model.test/v1", "m")


@dataclass
class Time:
    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def clock(self) -> float:
        return self.now


def ok(*texts: str, **extra: Any) -> httpx2.Response:
    choices = [
        {"index": i, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        for i, text in enumerate(texts)
    ]
    usage = {"prompt_tokens": 7, "completion_tokens": 3 * len(texts)}
    return httpx2.Response(200, json={"model": "m-replied", "choices": choices, "usage": usage} | extra)


def refusal(status: int, message: str, **headers: str) -> httpx2.Response:
    return httpx2.Response(status, json={"error": {"message": message}}, headers=headers)


Step = httpx2.Response | Exception | Callable[[dict[str, Any]], httpx2.Response]


@dataclass
class Played:
    client: OpenAIChat
    time: Time
    records: list[CallRecord]
    bodies: list[dict[str, Any]]
    requests: list[httpx2.Request]


@pytest.fixture
def play() -> Callable[..., Played]:
    """`play(step, step, …)`: a client whose endpoint answers by the steps; the last one repeats for ever."""

    def start(*steps: Step, endpoint: Endpoint = ENDPOINT, **options: Any) -> Played:
        time, bodies, requests = Time(), [], []

        def answer(request: httpx2.Request) -> httpx2.Response:
            body = json.loads(request.content)
            step = steps[min(len(bodies), len(steps) - 1)]
            bodies.append(body)
            requests.append(request)
            if isinstance(step, Exception):
                raise step
            if isinstance(step, httpx2.Response):
                return httpx2.Response(step.status_code, content=step.content, headers=step.headers)
            return step(body)

        records: list[CallRecord] = []
        options = {"sleep": time.sleep, "clock": time.clock, "rng": random.Random(1), **options}
        client = OpenAIChat(endpoint, transport=httpx2.MockTransport(answer), on_call=records.append, **options)
        return Played(client, time, records, bodies, requests)

    return start
