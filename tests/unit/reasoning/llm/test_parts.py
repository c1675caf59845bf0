"""The small parts of reasoning.llm on their own."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import reasoning.llm
from reasoning.characters import shorten
from reasoning.errors import (
    BudgetExceeded,
    EndpointRefused,
    EndpointUnavailable,
    InvalidInput,
    MalformedReply,
    RateLimited,
)
from reasoning.llm import Budget, Completion, Message, Reply, Request, Schema, ScoreRequest, ScriptedClient, Spending
from reasoning.llm.cache import CachedClient, MemoryCache
from reasoning.llm.dialect import Dialect
from reasoning.llm.faults import retry_after
from reasoning.llm.retries import CircuitBreaker, CircuitOpen, Gate, RetryPolicy

ASK = Request((Message("user", "hello"),))


def test_everything_that_the_package_promises_is_there():
    assert all(hasattr(reasoning.llm, name) for name in reasoning.llm.__all__)
    assert reasoning.llm.__all__ == sorted(reasoning.llm.__all__)


@pytest.mark.parametrize("bad", [{"n": 0}, {"max_tokens": 0}, {"messages": ()}])
def test_requests_that_mean_nothing_are_refused(bad):
    with pytest.raises(InvalidInput):
        Request(**{"messages": ASK.messages, **bad})


def test_a_fingerprint_changes_with_prompt_and_parameters_only():
    same = [Request(ASK.messages, n=3), Request(ASK.messages, seed=1), Request(ASK.messages, sample=4, kind="judge")]
    other = [
        Request((Message("system", "hello"),)),
        Request(ASK.messages, temperature=0),
        Request(ASK.messages, max_tokens=9),
        Request(ASK.messages, stop=("x",)),
    ]
    assert {r.fingerprint() for r in same} == {ASK.fingerprint()}
    assert len({r.fingerprint() for r in [ASK, *other]}) == 5


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "12"}, 12),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "Thu, 01 Jan 1970 00:01:40 GMT"}, 40),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "²"}, None),
        ({"retry-after-ms": "²", "retry-after": " 3 "}, 3),
        ({"retry-after": "9" * 400}, 366 * 86_400),
        ({"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"}, 366 * 86_400),
        ({"retry-after": "Thu Jan  1 00:01:40 1970"}, 40),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
    ],
)
def test_retry_after_is_read_in_every_form(headers, seconds):
    assert retry_after(headers, now=60) == seconds


@given(st.text())
def test_details_are_short_and_in_one_line(text):
    short = shorten(text)
    assert len(short) <= 500
    assert short.replace(" ", "").isprintable() or not short.isascii()
    assert not set(short) & set("\n\r\t\0")
    short.encode()


@given(st.integers(1, 20), st.integers(0, 10**6))
def test_waits_grow_but_never_beyond_the_longest(attempt, seed):
    wait = RetryPolicy().wait(EndpointUnavailable("x"), attempt, random.Random(seed))
    assert 0 <= wait <= min(30.0, 0.5 * 2**attempt)


def test_to_be_told_to_wait_for_nothing_is_not_to_hammer():
    rng = random.Random(2)
    waits = [RetryPolicy().wait(RateLimited("x", retry_after=0.0), 5, rng) for _ in range(50)]
    assert max(waits) > 5


async def test_a_gate_that_is_closed_for_longer_meanwhile_stays_closed():
    now, slept = [0.0], []

    async def sleep(seconds):
        slept.append(seconds)
        if len(slept) == 1:
            gate.close_for(20)
        now[0] += seconds

    gate = Gate(sleep, lambda: now[0])
    gate.close_for(5)
    await gate.passed()
    assert now[0] == 20


def test_what_is_tried_again_and_how_often():
    policy = RetryPolicy(attempts=4, malformed_replies=2)
    assert policy.retries(EndpointUnavailable("x"), 3)
    assert not policy.retries(EndpointUnavailable("x"), 4)
    assert policy.retries(MalformedReply("x"), 3, 1)
    assert not policy.retries(MalformedReply("x"), 3, 2)
    assert not policy.retries(EndpointRefused("x"), 1)
    assert not policy.retries(CircuitOpen("x"), 1)
    assert not policy.retries(RateLimited("x", retry_after=10_000), 1)


def test_a_half_open_breaker_lets_one_call_try_and_holds_the_others_back():
    now = 0.0
    breaker = CircuitBreaker(failures=1, pause=10, clock=lambda: now)
    breaker.failed(EndpointUnavailable("down"))
    now = 11.0
    breaker.check()
    with pytest.raises(CircuitOpen, match="down"):
        breaker.check()
    breaker.succeeded()
    breaker.check()


async def test_a_reservation_waits_for_those_in_flight_and_not_for_what_is_spent():
    budget = Budget(tokens=100)
    order = []

    async def call(name, cost):
        async with budget.reserve(Spending(tokens=60)) as took:
            order.append(name)
            await asyncio.sleep(0)
            took.tokens = cost

    await asyncio.gather(call("a", 10), call("b", 20))
    assert order == ["a", "b"]
    assert budget.spent.tokens == 30
    with pytest.raises(BudgetExceeded):
        async with budget.reserve(Spending(tokens=71)):
            pass


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans()), max_size=30))
def test_a_budget_is_never_overdrawn_whatever_fails(calls):
    async def run():
        budget = Budget(tokens=200)

        async def call(cost, fails):
            async with budget.reserve(Spending(tokens=50)) as took:
                await asyncio.sleep(0)
                assert budget.spent.tokens + budget.reserved.tokens <= 200
                took.tokens = cost
                if fails:
                    raise ValueError

        await asyncio.gather(*(call(*c) for c in calls), return_exceptions=True)
        assert budget.spent.tokens <= 200
        assert budget.reserved == Spending()

    asyncio.run(run())


ALL = Request(
    (Message("user", "hello"),),
    n=2,
    temperature=0.5,
    seed=1,
    stop=("x",),
    logprobs=True,
    schema=Schema("s", {"type": "object"}),
)


def test_a_dialect_gives_up_each_way_of_saying_once():
    dialect = Dialect()
    seen = set()
    refusal = EndpointRefused("bad response_format, temperature, seed, stop, logprobs and 'n'", status=400)
    while (simpler := dialect.after_refusal(refusal, ALL)) is not None:
        assert simpler not in seen
        seen.add(simpler)
        dialect = simpler
    assert dialect == Dialect(False, "none", temperature=False, stop=False, seed=False, logprobs=False)
    assert Dialect().after_refusal(EndpointRefused("temperature", status=401), ALL) is None
    assert Dialect().after_refusal(EndpointRefused("prompt is too long", status=400), ALL) is None


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        ("'n' must be 1", {"several": False}),
        ("n must be 1 when using greedy sampling, got 2.", {"several": False}),
        ("Only one completion choice is allowed", {"several": False}),
        ('[{"loc":["body","n"],"msg":"Extra inputs are not permitted"}]', {"several": False}),
        ("Invalid parameter: 'response_format' of type 'json_schema' is not supported", {"structure": "object"}),
        ("Structured output is not supported by this model", {"structure": "object"}),
        ("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens'.", {"tokens": "max_completion_tokens"}),
        ("Unsupported value: 'temperature' does not support 0.5", {"temperature": False}),
        ("seed is not supported", {"seed": False}),
    ],
)
def test_refusals_in_servers_own_words_are_understood(words, changed):
    assert Dialect().after_refusal(EndpointRefused(words, status=400), ALL) == replace(Dialect(), **changed)


@pytest.mark.parametrize(
    "words",
    [
        "'max_tokens' or 'max_completion_tokens' is too large: 9. This model's maximum context length is 8 tokens",
        "I cannot read the message about unstoppable seeds",
        "Invalid message: 'stop here'",
        "seed: temperature: logprobs: response_format: 'n'",
    ],
)
def test_a_refusal_of_something_else_unlearns_nothing_however_it_is_worded(words):
    bare = Request((Message("user", "stop"),), temperature=None)
    assert Dialect().after_refusal(EndpointRefused(words, status=400), bare) is None
    if "seed:" not in words and "stop here" not in words:
        assert Dialect().after_refusal(EndpointRefused(words, status=400), ALL) is None


async def test_a_cache_pays_for_each_sample_once():
    asked = iter(range(100))
    scripted = ScriptedClient(lambda request: [f"text {next(asked)}" for _ in range(request.n)])
    client = CachedClient(scripted, MemoryCache())
    first = await client.complete(Request(ASK.messages, n=2, kind="rollout"))
    more = await client.complete(Request(ASK.messages, n=4))
    again = await client.complete(Request(ASK.messages, n=4))
    assert [c.text for c in more.completions] == ["text 0", "text 1", "text 2", "text 3"]
    assert more.completions == again.completions
    assert first.completions == more.completions[:2]
    assert [(r.n, r.sample) for r in scripted.requests] == [(2, 0), (2, 2)]
    assert again.usage.tokens == 0


async def test_samples_that_a_cache_lacks_are_drawn_with_another_seed_than_those_it_has():
    scripted = ScriptedClient(lambda request: [f"seed {request.seed} text {i}" for i in range(request.n)])
    client = CachedClient(scripted, MemoryCache())
    await client.complete(Request(ASK.messages, n=2, seed=50))
    reply = await client.complete(Request(ASK.messages, n=4, seed=50))
    assert len({c.text for c in reply.completions}) == 4
    assert [r.seed for r in scripted.requests] == [50, 52]


async def test_a_full_cache_forgets_what_was_used_least_lately():
    cache = MemoryCache(size=2)
    for i in range(3):
        cache.put(("m", "p", i), Completion(str(i)), "m")
        cache.get(("m", "p", 0))
    assert [cache.get(("m", "p", i)) is not None for i in range(3)] == [True, False, True]


async def test_a_scripted_client_says_its_lines_and_keeps_what_it_was_asked():
    reply = Reply((Completion("whole"),), "other")
    client = ScriptedClient(["a", ["b", "c"], reply, RateLimited("later")], scores=[[0.5]])
    assert (await client.complete(ASK)).text == "a"
    assert len((await client.complete(Request(ASK.messages, n=2))).completions) == 2
    assert await client.complete(ASK) is reply
    with pytest.raises(RateLimited):
        await client.complete(ASK)
    with pytest.raises(EndpointRefused, match="over"):
        await client.complete(ASK)
    assert (await client.score(ScoreRequest("x", 1))).scores == (0.5,)
    assert len(client.requests) == 5
