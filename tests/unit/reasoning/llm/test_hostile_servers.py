"""Real servers that do everything wrong that servers have been seen to do, and some that they have not.

Whatever comes, a call ends in a reply or in one error of `reasoning.errors` with the endpoint's own words, after as
many attempts as that deserves; each attempt is recorded and counted, and every slot is free again.
"""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import web

from reasoning.errors import (
    BudgetExceeded,
    EndpointError,
    EndpointRefused,
    EndpointUnavailable,
    MalformedReply,
    RateLimited,
)
from reasoning.llm import Budget, CallRecord, Endpoint, Message, Prices, Request, Schema
from reasoning.llm.openai_chat import OpenAIChat
from reasoning.llm.retries import RetryPolicy

ASK = Request((Message("user", "What is 6 × 7?"),), kind="rollout", max_tokens=20)
USAGE = {"prompt_tokens": 5, "completion_tokens": 2}

Answer = Callable[[dict[str, Any]], web.Response]


def choice(text: Any = "42", index: Any = 0, finish: Any = "stop", **message: Any) -> dict[str, Any]:
    return {"index": index, "message": {"role": "assistant", "content": text} | message, "finish_reason": finish}


def reply(*choices: Any, **extra: Any) -> bytes:
    return json.dumps({"model": "m", "choices": choices or [choice()], "usage": USAGE} | extra).encode()


def says(body: bytes | str, status: int = 200, kind: str = "application/json", **headers: str) -> Answer:
    raw = body if isinstance(body, bytes) else body.encode()
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: web.Response(body=raw, status=status, content_type=kind, headers=sent)


def refuses(status: int, message: str, **headers: str) -> Answer:
    return says(json.dumps({"error": {"message": message}}), status, **headers)


def streams(*chunks: Any) -> Answer:
    return says("".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n")


@dataclass
class Hostile:
    """A client before a server that answers by the list, its last for ever."""

    client: OpenAIChat
    bodies: list[dict[str, Any]]
    records: list[CallRecord]
    budget: Budget
    slept: list[float]

    def is_at_rest(self) -> bool:
        """No slot and no money is held, and every request that came is on record."""
        free = self.client._slots._value == self.client.endpoint.slots
        nothing = self.budget.reserved.tokens == self.budget.reserved.rollouts == 0
        return free and nothing and len(self.records) == len(self.bodies)


@pytest.fixture
async def before():
    """`await before(answer, …)`; connections are closed afterwards."""
    runners, clients = [], []

    async def start(*answers: Answer, **options: Any) -> Hostile:
        bodies: list[dict[str, Any]] = []
        records: list[CallRecord] = []
        slept: list[float] = []

        async def chat(request: web.Request) -> web.Response:
            bodies.append(await request.json())
            return answers[min(len(bodies), len(answers)) - 1](bodies[-1])

        async def never(request: web.Request) -> web.Response:
            raise AssertionError("a redirection was followed")

        async def sleep(seconds: float) -> None:
            slept.append(seconds)

        application = web.Application()
        application.router.add_post("/v1/chat/completions", chat)
        application.router.add_route("*", "/{any:.*}", never)
        runner = web.AppRunner(application)
        runners.append(runner)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        prices = options.pop("prices", Prices())
        endpoint = Endpoint(
            f"http://{host}:{port}/v1", "m", slots=2, stream=options.pop("stream", False), prices=prices
        )
        budget = options.pop("budget", None) or Budget(tokens=10_000, rollouts=100)
        options |= {"sleep": sleep, "clock": lambda: sum(slept)}
        client = OpenAIChat(endpoint, on_call=records.append, budget=budget, **options)
        clients.append(client)
        return Hostile(client, bodies, records, budget, slept)

    yield start
    for client in clients:
        await client.close()
    for runner in runners:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("answer", "text", "finish"),
    [
        pytest.param(says(reply(), kind="text/plain"), "42", "stop", id="another content type"),
        pytest.param(says(gzip.compress(reply()), content_encoding="gzip"), "42", "stop", id="gzip"),
        pytest.param(says(b"\xef\xbb\xbf" + reply()), "42", "stop", id="a byte order mark"),
        pytest.param(says(reply(usage={"n": float("nan")})), "42", "stop", id="NaN beside it"),
        pytest.param(says(reply(choice("4\ud83d2"))), "4\ufffd2", "stop", id="half an emoji"),
        pytest.param(says(reply(choice("4\x002"))), "4\x002", "stop", id="NUL"),
        pytest.param(says(reply(choice([{"type": "text", "text": "42"}]))), "42", "stop", id="content in parts"),
        pytest.param(says(reply(choice("<think>\n{41}?\n</think>\n\n42"))), "42", "stop", id="thoughts"),
        pytest.param(says(reply(choice("41?\n</think>\n42"))), "42", "stop", id="thoughts begun by the template"),
        pytest.param(says(reply(choice("<think>and", finish="length"))), "", "length", id="cut off in thought"),
        pytest.param(says(reply(choice(None, finish="length", reasoning="x"))), "", "length", id="no word yet"),
        pytest.param(says(reply(choice(None, finish="content_filter"))), "", "content_filter", id="filtered"),
        pytest.param(says(reply(choice(finish="eos_token"))), "42", "stop", id="another word for stop"),
        pytest.param(says(reply(choice(finish="\0" + "x" * 99))), "42", "x" * 32, id="no reason to finish"),
        pytest.param(
            says(reply(choice('{"why": "a step says </think> here"}'))),
            '{"why": "a step says </think> here"}',
            "stop",
            id="a quoted end of thoughts",
        ),
    ],
)
async def test_what_can_be_read_is_read(before, answer, text, finish):
    hostile = await before(answer)
    (said,) = (await hostile.client.complete(ASK)).completions
    assert (said.text, said.finish_reason) == (text, finish)
    assert [record.status for record in hostile.records] == ["ok"]
    assert hostile.budget.spent.rollouts == 1
    assert hostile.is_at_rest()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param(says("<html>Please log in</html>", kind="text/html"), "Please log in", id="a login page"),
        pytest.param(says("", 204), "empty", id="no content"),
        pytest.param(says('{"a":' * 100_000), "not JSON", id="nested without end"),
        pytest.param(says(b"\xff\xfe\xfd"), "not JSON", id="no text at all"),
        pytest.param(says(reply(choices=None)), "no choices", id="choices null"),
        pytest.param(says(reply(choices={"0": choice()})), "no choices", id="choices an object"),
        pytest.param(says(reply("42")), "no text: 42", id="a choice that is a string"),
        pytest.param(says(reply({"index": 0, "message": "42"})), "no text", id="a message that is a string"),
        pytest.param(says(reply(choice(7))), "no text", id="content that is a number"),
        pytest.param(says(reply(choice(None, reasoning_content="…"))), "thought, and said nothing", id="only thoughts"),
        pytest.param(says(reply(choice("<think>so"))), "empty", id="thoughts without an end"),
        pytest.param(says(reply(choice("x" * 10_000_000))), "10,000,000 characters", id="ten megabytes"),
        pytest.param(says(reply(choice(None, refusal="I will not\0"))), "I will not\ufffd", id="a refusal"),
    ],
)
async def test_what_cannot_be_read_is_asked_for_once_more_and_both_are_paid(before, answer, words):
    hostile = await before(answer)
    with pytest.raises(MalformedReply) as caught:
        await hostile.client.complete(ASK)
    assert words in caught.value.detail
    assert [record.status for record in hostile.records] == ["MalformedReply"] * 2
    assert hostile.budget.spent.tokens == sum(record.usage.tokens for record in hostile.records) > 0
    assert hostile.budget.spent.rollouts == 0
    assert hostile.is_at_rest()


PART = {"index": 0, "delta": {"content": "42"}, "finish_reason": "stop"}


@pytest.mark.parametrize(
    "chunk",
    [
        {"choices": ["42"]},
        {"choices": 5},
        {"choices": [PART | {"delta": "42"}]},
        {"choices": [PART | {"delta": {"content": 42}}]},
        {"choices": [PART | {"logprobs": {"content": 5}}]},
        {"choices": [PART | {"logprobs": {"content": [{"token": "42", "logprob": -(10**400)}]}}]},
        {"choices": [PART | {"index": ["x"]}]},
        {"choices": [PART | {"finish_reason": None}]},
        {"error": "overloaded"},
    ],
    ids=str,
)
async def test_a_stream_that_is_none_is_malformed(before, chunk):
    hostile = await before(
        streams({"choices": [PART], "usage": USAGE} if "error" in chunk else chunk, chunk), stream=True
    )
    with pytest.raises(MalformedReply):
        await hostile.client.complete(ASK)
    assert len(hostile.records) == 2
    assert hostile.is_at_rest()


async def test_a_stream_without_indices_is_of_one_choice(before):
    hostile = await before(streams({"choices": [PART | {"index": None}]}, {"choices": [], "error": None}), stream=True)
    assert (await hostile.client.complete(ASK)).text == "42"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirection_is_not_followed_but_named(before, status):
    hostile = await before(says("", status, location="http://elsewhere.test/login"))
    with pytest.raises(EndpointRefused, match=r"http://elsewhere\.test/login"):
        await hostile.client.complete(ASK)
    assert [record.http_status for record in hostile.records] == [status]
    assert hostile.is_at_rest()


async def test_an_account_without_money_is_refused_and_not_waited_for(before):
    spent = {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}
    hostile = await before(says(json.dumps(spent), 429))
    with pytest.raises(EndpointRefused, match="429: You exceeded your current quota"):
        await hostile.client.complete(ASK)
    assert hostile.slept == []


@pytest.mark.parametrize("told", ["-5", "soon", "²", "Sun, 06 Nov 1994 08:49:37 GMT", "0", "Sun Nov  6 08:49:37 1994"])
async def test_a_retry_after_that_says_nothing_leaves_our_own_waits(before, told):
    hostile = await before(refuses(429, "busy", Retry_After=told), policy=RetryPolicy(attempts=6))
    with pytest.raises(RateLimited, match="429: busy"):
        await hostile.client.complete(ASK)
    assert [record.attempt for record in hostile.records] == [1, 2, 3, 4, 5, 6]
    assert len(hostile.slept) == 5
    assert all(wait <= 0.5 * 2**attempt for attempt, wait in enumerate(hostile.slept, 1))
    assert hostile.budget.spent.tokens == 0


@pytest.mark.parametrize("told", ["9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT", "121"])
async def test_a_retry_after_beyond_patience_ends_the_call_at_once(before, told):
    hostile = await before(refuses(503, "come back later", Retry_After=told))
    with pytest.raises(EndpointUnavailable, match="come back later") as caught:
        await hostile.client.complete(ASK)
    assert caught.value.retry_after > 120
    assert (len(hostile.records), hostile.slept) == (1, [])


async def test_a_prompt_that_is_too_long_is_refused_once(before):
    words = "'max_tokens' or 'max_completion_tokens' is too large. This model's maximum context length is 8 tokens"
    hostile = await before(refuses(400, words))
    with pytest.raises(EndpointRefused, match="maximum context length"):
        await hostile.client.complete(ASK)
    assert len(hostile.records) == 1


async def test_a_schema_that_is_refused_is_asked_for_more_simply_and_the_refusal_is_on_record(before):
    def plain_only(body: dict[str, Any]) -> web.Response:
        kind = body.get("response_format", {}).get("type")
        return (
            refuses(400, f"response_format {kind} is not supported")(body) if kind else says(reply(choice("{}")))(body)
        )

    hostile = await before(plain_only)
    asked = Request(ASK.messages, schema=Schema("s", {"type": "object"}))
    assert (await hostile.client.complete(asked)).text == "{}"
    assert [record.detail for record in hostile.records] == [
        "400: response_format json_schema is not supported",
        "400: response_format json_object is not supported",
        "",
    ]
    await hostile.client.complete(asked)
    assert len(hostile.records) == 4


async def test_choices_are_put_in_the_order_of_their_indices(before):
    hostile = await before(says(reply(choice("third", 2), choice("first", 0), choice("second", 1))))
    said = await hostile.client.complete(Request(ASK.messages, n=3))
    assert [completion.text for completion in said.completions] == ["first", "second", "third"]


@pytest.mark.parametrize("indices", [(0, 0), (None, 1), ("1", "0"), (True, False)])
async def test_choices_whose_indices_tell_nothing_stay_as_they_came(before, indices):
    hostile = await before(says(reply(choice("a", indices[0]), choice("b", indices[1]))))
    said = await hostile.client.complete(Request(ASK.messages, n=2))
    assert [completion.text for completion in said.completions] == ["a", "b"]


async def test_fewer_choices_than_asked_for_count_as_what_they_are(before):
    two = says(reply(choice("a", 0), choice("b", 1)))
    hostile = await before(two, says(reply(choice("c"))))
    said = await hostile.client.complete(Request(ASK.messages, n=4, kind="rollout", seed=10))
    assert [completion.text for completion in said.completions] == ["a", "b", "c", "c"]
    assert [body.get("seed") for body in hostile.bodies] == [10, 12, 13]
    assert hostile.budget.spent.rollouts == 4
    assert hostile.is_at_rest()


async def test_one_filtered_choice_does_not_cost_the_others(before):
    hostile = await before(says(reply(choice("a", 0), choice(None, 1, "content_filter"), choice("c", 2))))
    said = await hostile.client.complete(Request(ASK.messages, n=3, kind="rollout"))
    assert [completion.finish_reason for completion in said.completions] == ["stop", "content_filter", "stop"]
    assert len(hostile.records) == 1


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504, 529])
async def test_a_passing_fault_is_survived_by_one_more_attempt(before, status):
    hostile = await before(refuses(status, "not now"), says(reply()))
    assert (await hostile.client.complete(ASK)).text == "42"
    assert [(record.http_status, record.detail) for record in hostile.records] == [
        (status, f"{status}: not now"),
        (200, ""),
    ]
    assert hostile.is_at_rest()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://no-such-host.invalid/v1", "no connection: Cannot connect to host no-such-host.invalid"),
        ("http://127.0.0.1:1/v1", "no connection: Cannot connect to host 127.0.0.1:1"),
    ],
)
async def test_nobody_there_is_unavailable_in_words_that_name_the_host(url, words):
    records: list[CallRecord] = []
    async with OpenAIChat(Endpoint(url, "m"), on_call=records.append, policy=RetryPolicy(attempts=1)) as client:
        with pytest.raises(EndpointUnavailable) as caught:
            await client.complete(ASK)
    assert words in caught.value.detail
    assert len(records) == 1


async def test_a_server_without_tls_is_unavailable_and_says_what_is_wrong_with_it(before):
    hostile = await before(says(reply()))
    url = hostile.client.endpoint.base_url.replace("http:", "https:")
    async with OpenAIChat(Endpoint(url, "m"), policy=RetryPolicy(attempts=1)) as client:
        with pytest.raises(EndpointUnavailable, match="SSL"):
            await client.complete(ASK)


async def test_bytes_that_drip_for_ever_end_at_the_time_limit_and_free_the_slot():
    left = asyncio.Semaphore(0)

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
        while not (reader.at_eof() or writer.is_closing()):
            writer.write(b" ")
            await asyncio.sleep(0.005)
        writer.close()
        left.release()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    endpoint = Endpoint(f"http://127.0.0.1:{port}/v1", "m", slots=1, timeout=0.05)
    async with server, OpenAIChat(endpoint, policy=RetryPolicy(attempts=1)) as client:
        for _ in range(2):
            with pytest.raises(EndpointUnavailable, match="no whole reply within"):
                await client.complete(ASK)
            await left.acquire()
        assert client._slots._value == 1


async def test_whatever_a_crowd_meets_nothing_is_left_behind(before):
    several = (
        says(reply()),
        refuses(500, "oops"),
        says("<html>"),
        says(reply(choice(None))),
        refuses(429, "slow", Retry_After="1"),
        says(reply(choice("x" * 9_000))),
    )
    hostile = await before(*several * 100)
    outcomes = await asyncio.gather(*(hostile.client.complete(ASK) for _ in range(60)), return_exceptions=True)
    assert all(not isinstance(each, BaseException) or isinstance(each, EndpointError) for each in outcomes)
    whole = [each for each in outcomes if not isinstance(each, BaseException)]
    assert hostile.budget.spent.rollouts == len(whole) == sum(record.status == "ok" for record in hostile.records)
    assert hostile.budget.spent.tokens == sum(record.usage.tokens for record in hostile.records)
    assert hostile.is_at_rest()


@pytest.mark.parametrize("limits", [{"tokens": 0}, {"money": 0.0}, {"rollouts": 0}, {"tokens": 5_000, "rollouts": 0}])
async def test_a_budget_of_nothing_sends_nothing(before, limits):
    hostile = await before(says(reply()), budget=Budget(**limits), prices=Prices(1.0, 1.0))
    outcomes = await asyncio.gather(*(hostile.client.complete(ASK) for _ in range(5)), return_exceptions=True)
    assert all(isinstance(each, BudgetExceeded) for each in outcomes)
    assert hostile.bodies == []
    assert hostile.is_at_rest()


@pytest.mark.parametrize("limits", [{"tokens": 600}, {"money": 0.0006}])
async def test_an_endpoint_that_takes_more_than_it_was_allowed_overdraws_by_what_is_in_flight_alone(before, limits):
    greedy = says(reply(usage={"prompt_tokens": 10, "completion_tokens": 90}))
    hostile = await before(greedy, budget=Budget(**limits), prices=Prices(1.0, 1.0))
    outcomes = await asyncio.gather(*(hostile.client.complete(ASK) for _ in range(40)), return_exceptions=True)
    whole = [each for each in outcomes if not isinstance(each, BaseException)]
    assert {type(each) for each in outcomes if isinstance(each, BaseException)} == {BudgetExceeded}
    assert hostile.budget.spent.tokens == 100 * len(whole)
    assert 600 - 26 < hostile.budget.spent.tokens <= 600 + 100 * hostile.client.endpoint.slots
    assert hostile.is_at_rest()


@pytest.mark.parametrize("text", ["Wie groß ist 6 × 7?", "六乘七等于多少？" * 20, "🙂" * 50])
async def test_what_a_prompt_may_take_is_not_guessed_too_low_in_any_alphabet(before, text):
    """A token is hardly ever less than a character of Chinese, or than three letters."""
    hostile = await before(says(reply()), budget=Budget(tokens=max(len(text) // 3, 0) + 19))
    with pytest.raises(BudgetExceeded):
        await hostile.client.complete(Request((Message("user", text),), max_tokens=20))
    assert hostile.bodies == []
