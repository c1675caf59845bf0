from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import httpx2
import pytest

from reasoning.errors import (
    BudgetExceeded,
    EndpointRefused,
    EndpointUnavailable,
    InvalidInput,
    MalformedReply,
    RateLimited,
)
from reasoning.llm import Budget, Endpoint, Message, Prices, Request, Schema, ScoreRequest, Spending, probe
from reasoning.llm.openai_chat import OpenAIChat
from reasoning.llm.retries import CircuitBreaker, CircuitOpen, RetryPolicy

from .conftest import ok, refusal

ASK = Request((Message("user", "What is 6 × 7?"),), kind="rollout", max_tokens=10)


async def test_a_reply_carries_texts_model_and_usage_at_the_endpoints_prices(play):
    played = play(ok("42", "41"), endpoint=Endpoint("http://model.test/v1", "m", prices=Prices(2.0, 10.0)))
    reply = await played.client.complete(replace(ASK, n=2, seed=9))
    assert [c.text for c in reply.completions] == ["42", "41"]
    assert (reply.model, reply.usage.tokens) == ("m-replied", 13)
    assert reply.usage.cost == pytest.approx((7 * 2 + 6 * 10) / 1e6)
    assert {c.seed for c in reply.completions} == {9}


async def test_only_what_was_asked_for_is_sent(play):
    played = play(ok("42"))
    schema = Schema("answer", {"type": "object"})
    await played.client.complete(replace(ASK, temperature=None, stop=("\n",), schema=schema, seed=3, logprobs=True))
    assert played.bodies[0] == {
        "model": "m",
        "messages": [{"role": "user", "content": "What is 6 × 7?"}],
        "max_tokens": 10,
        "stop": ["\n"],
        "seed": 3,
        "logprobs": True,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "strict": True, "schema": {"type": "object"}},
        },
    }


async def test_text_that_utf8_cannot_hold_is_sent_all_the_same(play):
    played = play(ok("42"))
    await played.client.complete(Request((Message("user", "a\ud800b \ud83d\ude00"),)))
    assert played.bodies[0]["messages"][0]["content"] == "a\ufffdb \U0001f600"


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504])
async def test_faults_that_pass_are_tried_again(play, status):
    played = play(refusal(status, "busy"), refusal(status, "busy"), ok("42"))
    assert (await played.client.complete(ASK)).text == "42"
    assert [r.attempt for r in played.records] == [1, 2, 3]
    assert [r.status == "ok" for r in played.records] == [False, False, True]
    assert all(0 <= wait <= 2 for wait in played.time.slept)


@pytest.mark.parametrize(("headers", "told"), [({"Retry-After": "7"}, 7), ({"retry-after-ms": "2500"}, 2.5)])
async def test_retry_after_is_honoured_and_hardly_exceeded(play, headers, told):
    played = play(refusal(429, "slow down", **headers), ok("42"))
    await played.client.complete(ASK)
    assert told <= sum(played.time.slept) <= 1.1 * told + 0.1


async def test_one_429_makes_the_next_call_to_the_endpoint_wait_too(play):
    played = play(refusal(429, "slow down", **{"Retry-After": "50"}), ok("42"), policy=RetryPolicy(attempts=1))
    with pytest.raises(RateLimited, match="slow down"):
        await played.client.complete(ASK)
    assert played.time.slept == []
    await played.client.complete(ASK)
    assert played.time.slept == [50]


async def test_a_wait_that_is_too_long_fails_at_once_and_says_how_long(play):
    played = play(refusal(429, "daily quota used up", **{"Retry-After": "3600"}))
    with pytest.raises(RateLimited, match="daily quota used up") as caught:
        await played.client.complete(ASK)
    assert (caught.value.retry_after, played.time.slept) == (3600, [])


async def test_an_endpoint_that_stays_down_is_given_up_with_its_own_words(play):
    played = play(refusal(503, "the engine is overloaded"), policy=RetryPolicy(attempts=3))
    with pytest.raises(EndpointUnavailable, match="503: the engine is overloaded"):
        await played.client.complete(ASK)
    assert len(played.records) == 3


async def test_a_proxys_page_is_quoted_too(play):
    played = play(httpx2.Response(502, html="<h1>Bad Gateway</h1>"), policy=RetryPolicy(attempts=1))
    with pytest.raises(EndpointUnavailable, match="Bad Gateway"):
        await played.client.complete(ASK)


@pytest.mark.parametrize(("status", "words"), [(401, "Incorrect API key"), (404, "no such model"), (400, "too long")])
async def test_a_refusal_is_not_repeated(play, status, words):
    played = play(refusal(status, words))
    with pytest.raises(EndpointRefused, match=words) as caught:
        await played.client.complete(ASK)
    assert (caught.value.status, len(played.bodies)) == (status, 1)
    assert played.records[0].http_status == status
    assert words in played.records[0].detail


@pytest.mark.parametrize(
    "error",
    [httpx2.ConnectError("refused"), httpx2.ConnectTimeout("no answer"), httpx2.ReadTimeout("no answer")],
)
async def test_no_connection_and_no_answer_mean_unavailable(play, error):
    played = play(error, policy=RetryPolicy(attempts=2))
    with pytest.raises(EndpointUnavailable):
        await played.client.complete(ASK)
    assert len(played.records) == 2


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (httpx2.Response(200, content=b'{"choices": [{"mess'), "not JSON"),
        (httpx2.Response(200, content=b""), "empty"),
        (httpx2.Response(200, html="<h1>Welcome</h1>"), "Welcome"),
        (httpx2.Response(200, json=[1]), "not a JSON object"),
        (httpx2.Response(200, json={"choices": []}), "no choices"),
        (httpx2.Response(200, json={"error": {"message": "model is loading"}}), "model is loading"),
        (httpx2.Response(200, json={"choices": [{"message": {"content": None}}]}), "no text"),
        (httpx2.Response(200, json={"choices": [{"message": {"content": "4"}}]}), "no finish_reason"),
        (ok(""), "empty"),
        (httpx2.Response(200, json={"choices": [{"message": {"refusal": "I will not"}}]}), "I will not"),
        (httpx2.RemoteProtocolError("peer closed connection"), "peer closed"),
    ],
)
async def test_what_is_not_the_protocol_is_malformed_and_asked_for_once_more(play, reply, words):
    played = play(reply)
    with pytest.raises(MalformedReply, match=words):
        await played.client.complete(ASK)
    assert [r.status for r in played.records] == ["MalformedReply"] * 2


async def test_too_many_completions_are_cut_to_what_was_asked(play):
    played = play(ok("1", "2", "3"))
    assert len((await played.client.complete(replace(ASK, n=2))).completions) == 2


def _first_only(body):
    return ok("one")


async def test_an_endpoint_that_ignores_n_is_asked_for_the_rest_one_by_one(play):
    played = play(_first_only)
    reply = await played.client.complete(replace(ASK, n=3, seed=100))
    assert len(reply.completions) == 3
    assert [(b.get("n"), b["seed"]) for b in played.bodies] == [(3, 100), (None, 101), (None, 102)]
    assert reply.usage.prompt_tokens == 21
    await played.client.complete(replace(ASK, n=2))
    assert all("n" not in body for body in played.bodies[3:])


async def test_an_endpoint_that_refuses_n_is_asked_one_by_one(play):
    def only_one(body):
        return refusal(400, "'n' must be 1") if "n" in body else ok("one")

    played = play(only_one)
    assert len((await played.client.complete(replace(ASK, n=3))).completions) == 3
    assert len(played.bodies) == 4


async def test_refused_ways_of_saying_it_are_unlearned_one_after_the_other(play):
    def picky(body):
        if "max_tokens" in body:
            return refusal(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
        if body.get("response_format", {}).get("type") == "json_schema":
            return refusal(400, "response_format json_schema is not supported")
        if "temperature" in body:
            return refusal(400, "'temperature' does not support 0.7")
        return ok("{}")

    played = play(picky)
    await played.client.complete(replace(ASK, schema=Schema("s", {}), temperature=0.7))
    await played.client.complete(replace(ASK, schema=Schema("s", {}), temperature=0.7))
    assert len(played.bodies) == 5
    assert played.bodies[-1]["response_format"] == {"type": "json_object"}
    assert played.bodies[-1]["max_completion_tokens"] == 10


async def test_the_breaker_opens_after_failed_calls_and_closes_when_one_succeeds(play):
    down = refusal(500, "disk full")
    played = play(down, down, ok("42"), policy=RetryPolicy(attempts=1))
    played.client._breaker = CircuitBreaker(failures=2, pause=30, clock=played.time.clock)
    for _ in range(2):
        with pytest.raises(EndpointUnavailable, match="disk full"):
            await played.client.complete(ASK)
    with pytest.raises(CircuitOpen, match="disk full"):
        await played.client.complete(ASK)
    assert len(played.bodies) == 2
    played.time.now += 31
    assert (await played.client.complete(ASK)).text == "42"
    await played.client.complete(ASK)
    assert len(played.bodies) == 4


async def test_nothing_is_sent_when_the_budget_cannot_bear_the_worst_case(play):
    played = play(ok("42"), budget=Budget(tokens=14))
    with pytest.raises(BudgetExceeded, match="14 tokens"):
        await played.client.complete(ASK)
    assert played.bodies == []


@pytest.mark.parametrize("budget", [Budget(rollouts=4), Budget(money=0.5, spent=Spending(money=0.4999))])
async def test_rollouts_and_money_are_limits_too(play, budget):
    played = play(ok(*"12345"), endpoint=Endpoint("http://model.test/v1", "m", prices=Prices(0, 10)), budget=budget)
    with pytest.raises(BudgetExceeded):
        await played.client.complete(replace(ASK, n=5))


async def test_the_budget_counts_what_was_really_used(play):
    budget = Budget(tokens=1000, rollouts=3)
    played = play(ok("42"), budget=budget)
    for _ in range(3):
        await played.client.complete(ASK)
    assert (budget.spent.tokens, budget.spent.rollouts, budget.reserved) == (30, 3, Spending())
    with pytest.raises(BudgetExceeded, match="3 of 3 rollouts"):
        await played.client.complete(ASK)


async def test_usage_is_guessed_and_marked_where_none_is_told(play):
    played = play(ok("forty-two", usage=None))
    reply = await played.client.complete(ASK)
    assert played.records[0].estimated
    assert reply.usage.completion_tokens == 3


async def test_no_more_calls_are_out_at_once_than_there_are_slots():
    out = most = 0

    async def answer(request):
        nonlocal out, most
        out += 1
        most = max(most, out)
        await asyncio.sleep(0.001)
        out -= 1
        return ok("42")

    endpoint = Endpoint("http://model.test/v1", "m", slots=3)
    async with OpenAIChat(endpoint, transport=httpx2.MockTransport(answer)) as client:
        await asyncio.gather(*(client.complete(ASK) for _ in range(20)))
    assert most == 3


async def test_a_cancelled_call_is_recorded_and_leaves_slot_and_budget_free():
    started = asyncio.Event()

    async def never(request):
        started.set()
        await asyncio.Event().wait()

    records, budget = [], Budget(tokens=10_000)
    endpoint = Endpoint("http://model.test/v1", "m", slots=1)
    async with OpenAIChat(
        endpoint, transport=httpx2.MockTransport(never), budget=budget, on_call=records.append
    ) as client:
        call = asyncio.create_task(client.complete(ASK))
        await started.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert not client._slots.locked()
    assert [r.status for r in records] == ["Cancelled"]
    assert budget.reserved == Spending()


async def test_an_endpoint_that_dawdles_beyond_the_time_limit_is_unavailable():
    async def dawdle(request):
        await asyncio.Event().wait()

    endpoint = Endpoint("http://model.test/v1", "m", timeout=0.01)
    client = OpenAIChat(endpoint, transport=httpx2.MockTransport(dawdle), policy=RetryPolicy(attempts=1))
    async with client:
        with pytest.raises(EndpointUnavailable, match="timed out"):
            await client.complete(ASK)


def _events(*chunks):
    return b"".join(b"data: " + json.dumps(c).encode() + b"\n\n" for c in chunks)


def _part(text, finish=None, index=0):
    return {"model": "m-s", "choices": [{"index": index, "delta": {"content": text}, "finish_reason": finish}]}


STREAMING = Endpoint("http://model.test/v1", "m", stream=True)


async def test_a_stream_is_put_together_choice_by_choice(play):
    usage = {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 4}}
    body = (
        _events(_part("4"), _part("9", index=1), _part("2", "stop"), _part("", "length", 1), usage)
        + b"data: [DONE]\n\n"
    )
    played = play(httpx2.Response(200, content=body), endpoint=STREAMING)
    reply = await played.client.complete(replace(ASK, n=2))
    assert [(c.text, c.finish_reason) for c in reply.completions] == [("42", "stop"), ("9", "length")]
    assert (reply.usage.tokens, reply.model) == (9, "m-s")
    assert played.bodies[0]["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize(
    "body",
    [
        _events(_part("4"), _part("2")),
        _events(_part("4")) + b'data: {"choi',
        _events({"error": {"message": "oom"}}),
        b"",
    ],
)
async def test_a_stream_that_ends_before_its_finish_reason_is_malformed(play, body):
    played = play(httpx2.Response(200, content=body), endpoint=STREAMING)
    with pytest.raises(MalformedReply):
        await played.client.complete(ASK)


async def test_scores_are_asked_for_beside_v1(play):
    rows = [[0.1, 0.9], [0.5, 0.5]]
    played = play(httpx2.Response(200, json={"model": "prm", "data": [{"data": rows}], "usage": {"prompt_tokens": 4}}))
    reply = await played.client.score(ScoreRequest("a<s>b<s>", 2))
    assert (reply.scores, reply.model, reply.usage.tokens) == ((0.9, 0.5), "prm", 4)
    assert str(played.requests[0].url) == "http://model.test/pooling"


async def test_the_key_goes_out_but_shows_in_no_repr(play):
    endpoint = Endpoint("http://model.test/v1", "m", api_key="sk-secret")
    played = play(ok("42"), endpoint=endpoint)
    await played.client.complete(ASK)
    assert played.requests[0].headers["authorization"] == "Bearer sk-secret"
    assert "sk-secret" not in repr(endpoint) + repr(played.records)


async def test_a_key_that_a_proxy_repeats_is_left_out_of_its_words(play):
    endpoint = Endpoint("http://model.test/v1", "m", api_key="sk-secret")
    played = play(refusal(401, "Invalid token. Received API Key = sk-secret"), endpoint=endpoint)
    with pytest.raises(EndpointRefused, match="Received API Key = …"):
        await played.client.complete(ASK)
    assert "sk-secret" not in repr(played.records)


@pytest.mark.parametrize("key", ["sk\nx", "schlüssel", "sk\0"])
def test_a_key_that_no_header_can_hold_is_refused_at_once_and_not_shown(key):
    with pytest.raises(InvalidInput, match="api_key") as caught:
        Endpoint("http://model.test/v1", "m", api_key=key)
    assert key not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["localhost:8000", "", "ftp://x", "http://[bad", "http://", "http://a b/v1", "http://a\n/v1"]
)
def test_an_address_that_is_none_is_refused_at_once(url):
    with pytest.raises(InvalidInput):
        OpenAIChat(Endpoint(url, "m"))


async def test_a_probe_tells_what_the_endpoint_said_good_or_bad(play):
    good = await probe(play(ok("I am m.")).client)
    assert (good.ok, good.text, good.model) == (True, "I am m.", "m-replied")
    bad = await probe(play(refusal(401, "Incorrect API key provided")).client)
    assert (bad.ok, bad.status, bad.error) == (False, 401, "EndpointRefused")
    assert "Incorrect API key provided" in bad.text


@pytest.mark.parametrize("told", [-1, 2**31, True, "7", None])
async def test_usage_that_cannot_be_is_guessed(play, told):
    played = play(ok("forty-two", usage={"prompt_tokens": told, "completion_tokens": told}))
    reply = await played.client.complete(ASK)
    assert played.records[0].estimated
    assert reply.usage.completion_tokens == 3


async def test_a_model_s_name_is_kept_to_what_a_name_can_be(play):
    played = play(ok("forty-two", model="m\0" + "x" * 1000))
    reply = await played.client.complete(ASK)
    assert reply.model == "m" + "x" * 199


async def test_a_failed_reply_that_tells_its_usage_is_recorded_and_counted_with_it(play):
    budget = Budget(tokens=1000, rollouts=5)
    played = play(ok(""), ok("42"), budget=budget)
    await played.client.complete(ASK)
    assert [(r.status, r.usage.tokens, r.estimated) for r in played.records] == [
        ("MalformedReply", 10, False),
        ("ok", 10, False),
    ]
    assert (budget.spent.tokens, budget.spent.rollouts) == (20, 1)


async def test_a_cut_off_reply_is_counted_with_our_guess_at_its_prompt(play):
    budget = Budget(tokens=1000)
    played = play(httpx2.ReadError("reset by peer"), ok("42"), budget=budget)
    await played.client.complete(ASK)
    assert [(r.usage.tokens, r.estimated) for r in played.records] == [(5, True), (10, False)]
    assert budget.spent.tokens == 15


async def test_the_budget_is_asked_before_each_attempt_and_not_only_before_the_first(play):
    played = play(ok(""), ok("42"), budget=Budget(tokens=20))
    with pytest.raises(BudgetExceeded, match="10 of 20 tokens"):
        await played.client.complete(ASK)
    assert len(played.bodies) == 1
