"""Every fault of an endpoint, through a real server, socket and client, to the error that the application sees."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from reasoning.errors import (
    EndpointError,
    EndpointRefused,
    EndpointUnavailable,
    MalformedReply,
    RateLimited,
)
from reasoning.evidence.judge import JudgeConfig, judge
from reasoning.evidence.rollouts import RolloutConfig, roll
from reasoning.evidence.scores import score
from reasoning.llm import Endpoint, Message, Request, probe
from reasoning.llm.openai_chat import OpenAIChat
from reasoning.llm.retries import RetryPolicy
from reasoning.simulator.world import SAMPLE_PROBLEMS, SAMPLE_SEED, make_problems, native_rows
from reasoning.types import NO_ERROR, Problem, Solution, Step, Verdict

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[3]
JUDGE, COMPLETER = "simulated/judge", "simulated/completer"
ROWS = native_rows(make_problems(SAMPLE_PROBLEMS, SAMPLE_SEED))
QUICK = RetryPolicy(attempts=3, first_wait=0.01)
ASK = Request((Message("user", "Who are you?"),))


def as_solution(row):
    steps, at = [], 0
    for index, text in enumerate(row["steps"]):
        steps.append(Step(index, text, at, at + len(text)))
        at += len(text) + 2
    return Solution(Problem(row["problem"], row["answer"]), "\n\n".join(row["steps"]), tuple(steps))


SOLUTIONS = [as_solution(row) for row in ROWS]


def faulty(url, fault, *, stream=False, timeout=10.0, records=None, **options):
    endpoint = Endpoint(url, JUDGE, headers=(("X-Simulator-Fault", fault),), stream=stream, timeout=timeout)
    on_call = None if records is None else records.append
    return OpenAIChat(endpoint, policy=QUICK, on_call=on_call, **options)


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        ("429", RateLimited, "429: Rate limit reached"),
        ("500", EndpointUnavailable, "500: The server had an error"),
        ("503", EndpointUnavailable, "currently overloaded"),
        ("502", EndpointUnavailable, "Bad Gateway"),
        ("400", EndpointRefused, "maximum context length"),
        ("401", EndpointRefused, "Incorrect API key"),
        ("cutoff", MalformedReply, "cut off"),
        ("json", MalformedReply, "not JSON"),
        ("empty", MalformedReply, "no choices"),
        ("blank", MalformedReply, "empty"),
    ],
)
async def test_a_fault_ends_as_its_error_in_the_endpoints_words_and_makes_no_judgement(url, fault, error, words):
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    async with faulty(url, fault, sleep=sleep) as client:
        with pytest.raises(error, match=words):
            await judge(client, SOLUTIONS[0], config=JudgeConfig())


@pytest.mark.parametrize(
    "fault", ["429*2", "429-date*1", "500*2", "503*2", "502*2", "cutoff*1", "json*1", "empty*1", "blank*1"]
)
async def test_a_fault_that_passes_is_survived_and_every_attempt_is_recorded(serve, fault):
    url = serve("--retry-after", "0.05")
    records = []
    async with faulty(url, fault, records=records) as client:
        assert (await client.complete(ASK)).model == JUDGE
    assert len(records) == int(fault[-1]) + 1
    assert [r.status == "ok" for r in records] == [False] * int(fault[-1]) + [True]


async def test_a_reply_to_another_schema_is_no_judgement_after_a_second_try(url):
    records = []
    async with faulty(url, "schema", records=records) as client:
        with pytest.raises(MalformedReply, match="first_error"):
            await judge(client, SOLUTIONS[0], config=JudgeConfig())
    assert len(records) == 2


async def test_a_slow_endpoint_times_out_as_unavailable(url):
    async with faulty(url, "slow", timeout=0.2) as client:
        with pytest.raises(EndpointUnavailable, match="timed out"):
            await client.complete(ASK)


async def test_a_cut_off_rollout_is_unknown_and_not_wrong(url):
    endpoint = Endpoint(url, COMPLETER, headers=(("X-Simulator-Fault", "length"),))
    async with OpenAIChat(endpoint) as client:
        rollouts = await roll(client, SOLUTIONS[0], 1, samples=range(4), config=RolloutConfig())
    assert {r.verdict for r in rollouts} == {Verdict.UNKNOWN}


async def test_an_endpoint_that_ignores_n_still_gives_n_different_rollouts(url):
    async with OpenAIChat(Endpoint(url, COMPLETER, headers=(("X-Simulator-Fault", "one"),))) as client:
        rollouts = await roll(client, SOLUTIONS[0], 1, samples=range(8), config=RolloutConfig())
    assert [r.sample for r in rollouts] == list(range(8))
    assert len({r.text for r in rollouts}) > 3


async def test_a_stream_says_the_same_as_a_whole_reply(url):
    request = Request(ASK.messages, n=2, seed=4, logprobs=True)
    async with OpenAIChat(Endpoint(url, JUDGE)) as whole, OpenAIChat(Endpoint(url, JUDGE, stream=True)) as streamed:
        one, other = await whole.complete(request), await streamed.complete(request)
    assert one == other
    assert "".join(t.token for t in one.completions[0].logprobs) == one.text


async def test_a_stream_that_is_cut_off_is_malformed(url):
    async with faulty(url, "cutoff", stream=True) as client:
        with pytest.raises(MalformedReply, match="finish_reason"):
            await client.complete(ASK)


async def test_the_wrong_key_is_refused_and_the_right_one_is_not(serve):
    url = serve("--api-key", "sk-right")
    for key, ok in (("", False), ("sk-wrong", False), ("sk-right", True)):
        async with OpenAIChat(Endpoint(url, JUDGE, api_key=key)) as client:
            found = await probe(client)
        assert found.ok is ok
        assert ok or "Incorrect API key" in found.text


async def test_an_unknown_model_is_refused_by_name(url):
    async with OpenAIChat(Endpoint(url, "gpt-7")) as client:
        found = await probe(client)
    assert (found.ok, found.status) == (False, 404)
    assert "gpt-7" in found.text


async def test_nobody_at_home_is_unavailable():
    async with OpenAIChat(Endpoint("http://127.0.0.1:9/v1", JUDGE), policy=QUICK) as client:
        found = await probe(client)
    assert (found.ok, found.error) == (False, "EndpointUnavailable")


async def test_many_calls_through_random_faults_lose_nothing(serve):
    url = serve("--faults", "429=0.1,500=0.1,502=0.05,json=0.02,cutoff=0.02", "--retry-after", "0.02", "--seed", "3")
    records = []
    endpoint = Endpoint(url, COMPLETER, slots=32)
    policy = RetryPolicy(attempts=12, malformed_replies=6, first_wait=0.01, longest_wait=0.05)
    async with OpenAIChat(endpoint, policy=policy, on_call=records.append) as client:
        tasks = [roll(client, s, 1, samples=range(4), config=RolloutConfig()) for s in SOLUTIONS]
        rollouts = [r for part in await asyncio.gather(*tasks) for r in part]
    assert len(rollouts) == 4 * len(SOLUTIONS)
    kinds = Counter(r.status for r in records)
    assert kinds["ok"] == len(SOLUTIONS)
    assert {"RateLimited", "EndpointUnavailable", "MalformedReply"} <= kinds.keys()


async def test_judges_rollouts_and_scores_speak_the_truth_of_the_world(url):
    async with OpenAIChat(Endpoint(url, JUDGE, slots=32)) as client:
        said = await asyncio.gather(*(judge(client, s, config=JudgeConfig()) for s in SOLUTIONS))
        again = await judge(client, SOLUTIONS[0], config=JudgeConfig())
    assert again == said[0]
    hits = sum(j is not None and j.first_error == r["first_error"] for j, r in zip(said, ROWS, strict=True))
    assert 0.6 < hits / len(ROWS) < 0.95
    right = next(i for i, row in enumerate(ROWS) if row["first_error"] == NO_ERROR)
    async with OpenAIChat(Endpoint(url, "simulated/prm")) as client:
        scored = await score(client, SOLUTIONS[right])
    assert len(scored.scores) == len(SOLUTIONS[right].steps)
    async with OpenAIChat(Endpoint(url, COMPLETER)) as client:
        rollouts = await roll(
            client, SOLUTIONS[right], len(SOLUTIONS[right].steps), samples=range(32), config=RolloutConfig()
        )
    assert sum(r.verdict is Verdict.RIGHT for r in rollouts) > 20


async def test_what_the_simulator_does_not_know_becomes_no_evidence(url):
    stranger = as_solution({"problem": "What is 6 × 7?", "answer": "42", "steps": ["It is 42."]})
    async with OpenAIChat(Endpoint(url, JUDGE)) as client:
        assert await judge(client, stranger, config=JudgeConfig()) is None
        (rollout,) = await roll(client, stranger, 0, samples=[0], config=RolloutConfig())
        assert (rollout.verdict, rollout.rule) == (Verdict.UNKNOWN, "cannot_tell")
        with pytest.raises(EndpointError, match="cannot tell"):
            await score(client, stranger)


def test_a_command_line_that_means_nothing_ends_with_words_and_no_traceback(tmp_path):
    for options in (["--faults", "nonsense=1"], ["--truth", str(tmp_path / "absent.jsonl")]):
        done = subprocess.run(
            [sys.executable, "-m", "reasoning.simulator", *options], cwd=ROOT, capture_output=True, text=True
        )
        assert done.returncode == 2
        assert done.stderr.startswith("simulator: ")
        assert "Traceback" not in done.stderr
