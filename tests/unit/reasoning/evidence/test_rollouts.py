from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasoning.errors import EndpointUnavailable, InvalidInput
from reasoning.evidence.fence import unfence
from reasoning.evidence.rollouts import RolloutConfig, _split, draw, roll
from reasoning.evidence.scores import score
from reasoning.llm import Completion, Reply, ScriptedClient
from reasoning.types import Usage, Verdict

from .cases import solution

THREE = solution("6 × 7 is 6 + 6 + …", "That is 42.", "So 42.")
CONFIG = RolloutConfig()


async def test_rollouts_are_graded_and_numbered_as_asked():
    client = ScriptedClient([["So \\boxed{42}.", "So \\boxed{41}.", "I lost the thread."]])
    rollouts = await roll(client, THREE, 1, samples=(5, 6, 9), config=CONFIG)
    assert [(r.sample, r.answer, r.verdict) for r in rollouts] == [
        (5, "42", Verdict.RIGHT),
        (6, "41", Verdict.WRONG),
        (9, None, Verdict.UNKNOWN),
    ]
    assert {(r.prefix, r.model) for r in rollouts} == {(1, "scripted")}


@pytest.mark.parametrize("prefix", [0, 1, 3])
async def test_the_completer_sees_the_prefix_and_not_the_answer(prefix):
    client = ScriptedClient(["\\boxed{42}"])
    await roll(client, solution("Six.", "Seven.", "Times.", answer="4242"), prefix, samples=[0], config=CONFIG)
    pieces = dict(unfence(client.requests[0].messages[-1].content))
    assert pieces["solution"] == "\n\n".join(["Six.", "Seven.", "Times."][:prefix])
    assert "4242" not in str(client.requests[0].messages)


@pytest.mark.parametrize(
    ("completion", "rule"),
    [
        (Completion("So \\boxed{42} and more", finish_reason="length"), "finish_reason:length"),
        (Completion("\\boxed{42}", finish_reason="content_filter"), "finish_reason:content_filter"),
        (Completion("I cannot tell."), "cannot_tell"),
        (Completion("We are not there yet."), "no_answer"),
    ],
)
async def test_what_cannot_be_graded_is_unknown_and_never_wrong(completion, rule):
    (rollout,) = await roll(ScriptedClient([completion]), THREE, 1, samples=[0], config=CONFIG)
    assert (rollout.verdict, rollout.answer, rollout.rule) == (Verdict.UNKNOWN, None, rule)


async def test_drawing_without_a_reference_finds_answers_and_grades_none():
    open_problem = solution("Six.", "Seven.", answer=None)
    client = ScriptedClient([["So \\boxed{42}.", "I cannot tell."]])
    rollouts = await draw(client, open_problem, 0, None, samples=(0, 1), config=CONFIG)
    assert [(r.answer, r.verdict, r.rule) for r in rollouts] == [
        ("42", Verdict.UNKNOWN, "no reference"),
        (None, Verdict.UNKNOWN, "cannot_tell"),
    ]
    with pytest.raises(InvalidInput, match="reference answer"):
        await roll(client, open_problem, 0, samples=(0, 1), config=CONFIG)


async def test_drawing_against_a_callers_answer_grades_by_it_and_shows_it_to_nobody():
    client = ScriptedClient([["So \\boxed{42}.", "So \\boxed{41}."]])
    rollouts = await draw(client, solution("Six.", answer=None), 0, "41", samples=(0, 1), config=CONFIG)
    assert [r.verdict for r in rollouts] == [Verdict.WRONG, Verdict.RIGHT]
    assert "41" not in str(client.requests[0].messages)


async def test_no_more_are_asked_for_at_once_than_the_config_says():
    client = ScriptedClient(lambda request: "\\boxed{42}")
    rollouts = await roll(client, THREE, 2, samples=range(7), config=replace(CONFIG, most_at_once=3))
    assert [r.n for r in client.requests] == [3, 3, 1]
    assert [r.sample for r in rollouts] == list(range(7))


async def test_seeds_depend_on_run_solution_prefix_and_sample_and_on_nothing_else():
    client = ScriptedClient(lambda request: "\\boxed{42}")
    for one, prefix, sample, run in (
        (THREE, 1, 0, 0),
        (THREE, 1, 0, 0),
        (THREE, 2, 0, 0),
        (THREE, 1, 1, 0),
        (THREE, 1, 0, 1),
    ):
        await roll(client, one, prefix, samples=[sample], config=RolloutConfig(run_seed=run))
    await roll(client, solution("Other."), 1, samples=[0], config=CONFIG)
    seeds = [r.seed for r in client.requests]
    assert seeds[0] == seeds[1]
    assert len(set(seeds)) == 5
    assert all(0 <= seed < 2**31 for seed in seeds)


async def test_tokens_and_cost_are_shared_out_without_a_rest():
    texts = (Completion("\\boxed{42}"), Completion("Much longer, and then \\boxed{42}"), Completion("\\boxed{42}"))
    reply = Reply(texts, "m", Usage(100, 31, 0.5))
    rollouts = await roll(ScriptedClient([reply]), THREE, 1, samples=range(3), config=CONFIG)
    total = sum((r.usage for r in rollouts), Usage())
    assert (total.prompt_tokens, total.completion_tokens) == (100, 31)
    assert total.cost == pytest.approx(0.5)
    assert rollouts[1].usage.completion_tokens > rollouts[0].usage.completion_tokens


@given(st.integers(0, 10**6), st.lists(st.integers(1, 1000), min_size=1, max_size=20))
def test_shares_are_whole_in_proportion_and_sum_to_the_whole(whole, weights):
    shares = _split(whole, weights)
    assert sum(shares) == whole
    assert all(abs(s - whole * w / sum(weights)) < 1 for s, w in zip(shares, weights, strict=True))


@pytest.mark.parametrize(
    ("one", "prefix", "samples"),
    [(THREE, -1, [0]), (THREE, 4, [0]), (THREE, 1, [0, 0]), (solution("x", answer=None), 0, [0])],
)
async def test_what_cannot_be_rolled_out_is_refused_before_anything_is_sent(one, prefix, samples):
    client = ScriptedClient([])
    with pytest.raises(InvalidInput):
        await roll(client, one, prefix, samples=samples, config=CONFIG)
    assert client.requests == []


async def test_a_fault_of_the_endpoint_is_no_wrong_rollout():
    with pytest.raises(EndpointUnavailable):
        await roll(ScriptedClient([EndpointUnavailable("down")]), THREE, 1, samples=[0], config=CONFIG)


def test_parameters_tell_apart_what_is_drawn_differently_but_not_seeds():
    assert RolloutConfig(run_seed=3, most_at_once=2).parameters == CONFIG.parameters
    assert RolloutConfig(temperature=0.3).parameters != CONFIG.parameters


async def test_a_solution_is_written_for_the_prm_with_its_separator_after_every_step():
    client = ScriptedClient([], scores=[[0.9, 0.5, 0.1]])
    tricky = solution("{steps}", "{problem}", "So 42.", statement="A {system} of {steps}")
    assert (await score(client, tricky)).scores == (0.9, 0.5, 0.1)
    request = client.score_requests[0]
    assert request.text.endswith("assistant\n{steps}<extra_0>{problem}<extra_0>So 42.<extra_0><|im_end|><|endoftext|>")
    assert "user\nA {system} of {steps}<|im_end|>" in request.text
    with pytest.raises(InvalidInput, match="separator"):
        await score(client, solution("<extra_0>"))
