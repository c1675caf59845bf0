"""The simulator as the openai package sees it: the whole protocol, and every fault, over real HTTP."""

from __future__ import annotations

import email.utils
import json
import math
import time

import httpx2
import openai
import pydantic
import pytest

from reasoning.evidence import rollout_prompt
from reasoning.simulator.world import SAMPLE_PROBLEMS, SAMPLE_SEED, make_problems
from reasoning.types import Problem, Solution

pytestmark = pytest.mark.integration

JUDGE, COMPLETER = "simulated/judge", "simulated/completer"
WHO = [{"role": "user", "content": "Who are you?"}]
MADE = make_problems(SAMPLE_PROBLEMS, SAMPLE_SEED)[0]
GO_ON = [
    {"role": message.role, "content": message.content}
    for message in rollout_prompt.messages(Solution(Problem(MADE.statement, MADE.answer), "", ()), 0)
]


@pytest.fixture
async def client(url):
    async with openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0, timeout=10) as client:
        yield client


def faulty(client, fault):
    return client.with_options(default_headers={"X-Simulator-Fault": fault}).chat.completions


async def texts(client, **options):
    reply = await client.chat.completions.create(model=COMPLETER, messages=GO_ON, **options)
    return [choice.message.content for choice in reply.choices]


async def test_its_models_are_listed_and_name_themselves_simulated(client):
    models = await client.models.list()
    assert {model.id for model in models.data} == {JUDGE, COMPLETER, "simulated/prm"}
    assert (await client.chat.completions.create(model=JUDGE, messages=WHO)).model == JUDGE


async def test_n_completions_differ_and_the_same_seed_gives_the_same_ones_again(client):
    said = await texts(client, n=8, seed=5)
    assert len(said) == 8
    assert len(set(said)) > 3
    assert said == await texts(client, n=8, seed=5)
    assert said != await texts(client, n=8, seed=6)
    assert said[:3] == await texts(client, n=3, seed=5)


async def test_without_a_seed_a_model_that_is_asked_twice_says_two_things(client):
    assert await texts(client, n=4) != await texts(client, n=4)


async def test_a_problem_is_solved_from_its_bare_statement_in_one_piece_or_in_parts(client):
    parts = [{"type": "text", "text": part} for part in MADE.statement.partition(". ")]
    for content in (MADE.statement, parts):
        reply = await client.chat.completions.create(
            model=COMPLETER, messages=[{"role": "user", "content": content}], seed=1, n=8
        )
        assert any(f"\\boxed{{{MADE.answer}}}" in choice.message.content for choice in reply.choices)


async def test_a_model_is_shown_by_its_name_and_another_is_not(client):
    assert (await client.models.retrieve(JUDGE)).id == JUDGE
    with pytest.raises(openai.NotFoundError, match="does not exist"):
        await client.models.retrieve("gpt-x")


async def test_what_is_nowhere_is_refused_in_the_protocols_form(client):
    with pytest.raises(openai.NotFoundError, match="Invalid URL") as caught:
        await client.embeddings.create(model=JUDGE, input="x")
    assert set(caught.value.response.json()["error"]) == {"message", "type", "param", "code"}
    async with httpx2.AsyncClient() as plain:
        assert (await plain.get(f"{client.base_url}chat/completions")).json()["error"]["message"]


async def test_a_greedy_request_gets_one_and_the_same_text(client):
    assert len(set(await texts(client, n=4, temperature=0))) == 1


@pytest.mark.parametrize("stop", ["simulated", ["model of", "simulated"]])
async def test_a_text_ends_before_the_first_stop_string(client, stop):
    reply = await client.chat.completions.create(model=JUDGE, messages=WHO, stop=stop)
    assert (reply.choices[0].message.content, reply.choices[0].finish_reason) == ("I am a ", "stop")


async def test_a_text_ends_at_its_token_limit_and_says_so(client):
    for limit in ({"max_tokens": 3}, {"max_completion_tokens": 3}):
        reply = await client.chat.completions.create(model=JUDGE, messages=WHO, **limit)
        assert (reply.choices[0].finish_reason, reply.usage.completion_tokens) == ("length", 3)


async def test_logprobs_spell_the_text(client):
    reply = await client.chat.completions.create(model=JUDGE, messages=WHO, logprobs=True)
    tokens = reply.choices[0].logprobs.content
    assert "".join(token.token for token in tokens) == reply.choices[0].message.content
    assert all(token.logprob <= 0 for token in tokens)
    assert (await client.chat.completions.create(model=JUDGE, messages=WHO)).choices[0].logprobs is None


@pytest.mark.parametrize("top", [0, 1, 5])
async def test_each_token_comes_with_as_many_alternatives_as_asked_for(client, top):
    options = {"model": COMPLETER, "messages": GO_ON, "seed": 1, "logprobs": True, "top_logprobs": top}
    reply = await client.chat.completions.create(**options)
    tokens = reply.choices[0].logprobs.content
    assert len(tokens) == reply.usage.completion_tokens
    for token in tokens:
        ranked = [each.logprob for each in token.top_logprobs]
        assert len(ranked) == top
        assert ranked == sorted(ranked, reverse=True)
        assert sum(map(math.exp, ranked)) <= 1 + 1e-9
        assert len({each.token for each in token.top_logprobs}) == top
        assert bytes(token.bytes).decode() == token.token


async def test_usage_adds_up_over_all_completions(client):
    one = await client.chat.completions.create(model=COMPLETER, messages=GO_ON, seed=1)
    four = await client.chat.completions.create(model=COMPLETER, messages=GO_ON, seed=1, n=4)
    assert one.usage.prompt_tokens == four.usage.prompt_tokens > 100
    assert four.usage.completion_tokens > 2 * one.usage.completion_tokens
    assert four.usage.total_tokens == four.usage.prompt_tokens + four.usage.completion_tokens


@pytest.mark.parametrize("asked", [True, False])
async def test_a_stream_spells_the_same_texts_and_tells_usage_where_asked(client, asked):
    options = {"model": COMPLETER, "messages": GO_ON, "n": 2, "seed": 3}
    whole = await client.chat.completions.create(**options)
    said, finishes, usage = ["", ""], {}, None
    more = {"stream_options": {"include_usage": True}} if asked else {}
    async for chunk in await client.chat.completions.create(**options, **more, stream=True):
        usage = chunk.usage or usage
        for choice in chunk.choices:
            said[choice.index] += choice.delta.content or ""
            finishes[choice.index] = choice.finish_reason
    assert said == [choice.message.content for choice in whole.choices]
    assert finishes == {0: "stop", 1: "stop"}
    assert usage == (whole.usage if asked else None)


class Look(pydantic.BaseModel):
    class Step(pydantic.BaseModel):
        index: int
        wrong: bool

    steps: list[Step]
    reason: str


async def test_a_reply_keeps_to_the_json_schema_asked_for(client):
    reply = await client.chat.completions.parse(model=JUDGE, messages=WHO, response_format=Look)
    assert reply.choices[0].message.parsed.reason.startswith("I am a simulated model")


async def test_a_reply_is_a_json_object_where_one_is_asked_for(client):
    reply = await client.chat.completions.create(model=JUDGE, messages=WHO, response_format={"type": "json_object"})
    assert json.loads(reply.choices[0].message.content)["answer"].startswith("I am a simulated model")


async def test_a_form_that_is_none_is_refused(client):
    with pytest.raises(openai.BadRequestError, match="response_format"):
        await client.chat.completions.create(model=JUDGE, messages=WHO, response_format={"type": "yaml"})


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("400", openai.BadRequestError),
        ("401", openai.AuthenticationError),
        ("429", openai.RateLimitError),
        ("500", openai.InternalServerError),
        ("502", openai.InternalServerError),
        ("503", openai.InternalServerError),
        ("cutoff", openai.APIConnectionError),
        ("json", json.JSONDecodeError),
    ],
)
async def test_a_fault_is_what_the_package_takes_it_for(client, fault, error):
    with pytest.raises(error):
        await faulty(client, fault).create(model=JUDGE, messages=WHO)


async def test_a_429_says_how_long_to_wait_in_seconds_or_as_a_date(serve):
    async with openai.AsyncOpenAI(base_url=serve("--retry-after", "7"), api_key="none", max_retries=0) as client:
        waits = {}
        for fault in ("429", "429-date"):
            with pytest.raises(openai.RateLimitError) as caught:
                await faulty(client, fault).create(model=JUDGE, messages=WHO)
            waits[fault] = caught.value.response.headers["retry-after"]
    assert waits["429"] == "7"
    assert 5 < email.utils.parsedate_to_datetime(waits["429-date"]).timestamp() - time.time() < 9


async def test_a_slow_reply_comes_too_late(client):
    with pytest.raises(openai.APITimeoutError):
        await faulty(client, "slow").create(model=JUDGE, messages=WHO, timeout=0.2)


@pytest.mark.parametrize(
    ("fault", "contents"),
    [("schema", ['{"verdict": "looks fine to me"}'] * 2), ("empty", []), ("blank", ["", ""])],
)
async def test_a_fault_inside_a_good_status_comes_through_as_it_is(client, fault, contents):
    reply = await faulty(client, fault).create(model=JUDGE, messages=WHO, n=2)
    assert [choice.message.content for choice in reply.choices] == contents


async def test_n_can_be_ignored_and_the_limit_of_tokens_hit(client):
    assert len((await faulty(client, "one").create(model=JUDGE, messages=WHO, n=3)).choices) == 1
    assert (await faulty(client, "length").create(model=JUDGE, messages=WHO)).choices[0].finish_reason == "length"


async def test_the_package_takes_a_stream_that_is_cut_off_for_a_whole_one(client):
    stream = await faulty(client, "cutoff").create(model=JUDGE, messages=WHO, stream=True)
    finishes = [choice.finish_reason async for chunk in stream for choice in chunk.choices]
    assert finishes
    assert set(finishes) == {None}


async def test_a_stream_can_hold_broken_json_and_no_choices_too(client):
    with pytest.raises(json.JSONDecodeError):
        [chunk async for chunk in await faulty(client, "json").create(model=JUDGE, messages=WHO, stream=True)]
    stream = await faulty(client, "empty").create(model=JUDGE, messages=WHO, stream=True)
    assert [chunk async for chunk in stream] == []


async def test_every_chunk_has_the_usage_key_where_it_is_asked_for_and_the_stream_says_when_it_is_done(url):
    asked = {"model": JUDGE, "messages": WHO, "stream": True, "stream_options": {"include_usage": True}}
    async with httpx2.AsyncClient() as plain:
        reply = await plain.post(f"{url}/chat/completions", json=asked)
    assert reply.headers["content-type"].startswith("text/event-stream")
    *events, done, rest = reply.text.split("\n\n")
    assert (done, rest) == ("data: [DONE]", "")
    chunks = [json.loads(event.removeprefix("data: ")) for event in events]
    assert [chunk["usage"] is None for chunk in chunks] == [True] * (len(chunks) - 1) + [False]
    assert chunks[-1]["choices"] == []
    assert len({chunk["id"] for chunk in chunks}) == 1


SOUND = {"model": JUDGE, "messages": WHO}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"model": None}, "model"),
        ({"model": 7}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": "hello"}, "messages"),
        ({"messages": [{}]}, "messages"),
        ({"messages": [{"role": "user"}]}, "messages"),
        ({"messages": [{"role": "user", "content": 7}]}, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages"),
        ({"n": 0}, "'n'"),
        ({"n": 129}, "'n'"),
        ({"n": 0.5}, "'n'"),
        ({"n": True}, "'n'"),
        ({"n": "2"}, "'n'"),
        ({"seed": "x"}, "'seed'"),
        ({"max_tokens": 0}, "'max_tokens'"),
        ({"max_completion_tokens": -3}, "'max_completion_tokens'"),
        ({"temperature": "hot"}, "'temperature'"),
        ({"temperature": 2.5}, "'temperature'"),
        ({"top_p": 7}, "'top_p'"),
        ({"stop": 5}, "'stop'"),
        ({"stop": {"a": 1}}, "'stop'"),
        ({"stop": [1]}, "'stop'"),
        ({"stream": "yes"}, "'stream'"),
        ({"stream_options": 3}, "'stream_options'"),
        ({"logprobs": 3}, "'logprobs'"),
        ({"top_logprobs": 3}, "'top_logprobs'"),
        ({"logprobs": True, "top_logprobs": 21}, "'top_logprobs'"),
        ({"response_format": "json"}, "'response_format'"),
        ({"model": "simulated/fault-bogus"}, "faults"),
        ({"model": "simulated/fault-500*x"}, "NAME\\*TIMES"),
    ],
    ids=str,
)
async def test_a_request_that_means_nothing_is_refused_in_words(client, changed, words):
    with pytest.raises(openai.BadRequestError, match=words):
        await client.post("/chat/completions", cast_to=httpx2.Response, body=SOUND | changed)


async def test_what_the_server_does_not_know_it_lets_be(client):
    body = SOUND | {
        "user": "me",
        "frequency_penalty": 1,
        "store": False,
        "metadata": {"a": "b"},
        "stop": None,
        "n": None,
    }
    assert (await client.post("/chat/completions", cast_to=httpx2.Response, body=body)).status_code == 200


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b"\xff\xfe", b"null"])
async def test_a_body_that_is_no_request_is_refused_in_words(url, body):
    async with httpx2.AsyncClient() as plain:
        for place in (f"{url}/chat/completions", f"{url.removesuffix('/v1')}/pooling"):
            reply = await plain.post(place, content=body)
            assert reply.status_code == 400
            assert reply.json()["error"]["message"]


@pytest.mark.parametrize(("model", "status"), [("simulated/prm", 400), ("x", 404), ("simulated/fault-429", 429)])
async def test_scores_are_asked_of_the_prm_and_fail_on_demand_too(url, model, status):
    async with httpx2.AsyncClient() as plain:
        reply = await plain.post(f"{url.removesuffix('/v1')}/pooling", json={"model": model, "input": "x"})
    assert reply.status_code == status
    assert reply.json()["error"]["message"]
