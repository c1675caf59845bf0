"""What judges really write: each reply has one clear meaning, or it is no judgement."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasoning.errors import MalformedReply
from reasoning.evidence.judge_reply import Opinion, read
from reasoning.llm import Completion
from reasoning.types import NO_ERROR

from .cases import INJECTIONS

WORDS = {1: "right", 0: "neutral", -1: "wrong"}


def said(first_error: Any, *verdicts: Any, **more: Any) -> str:
    """An answer; a verdict is a word for the next step, or (index, word)."""
    pairs = [v if isinstance(v, tuple) else (i, v) for i, v in enumerate(verdicts)]
    steps = [{"index": index, "verdict": verdict, "reason": ""} for index, verdict in pairs]
    return json.dumps({"unable": False, "steps": steps, "first_error": first_error, "reason": ""} | more)


def opinion(text: str, steps: int = 3) -> Opinion | None:
    return read(Completion(text), steps)


FINE = said(1, "right", "wrong")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(FINE, id="as told"),
        pytest.param(f"```json\n{FINE}\n```", id="a code block"),
        pytest.param(
            f"Since $\\frac{{1}}{{2}}$ of {{1, 2}} is meant:\n\n{FINE}\n\nI hope this helps {{:-)}}.", id="prose"
        ),
        pytest.param(f'Let me see. {{"index": 0}} and {{}} first.\n{FINE}', id="other objects before"),
        pytest.param(f"{FINE}\n{FINE}", id="said twice"),
        pytest.param(said(1, "right", "wrong", "right"), id="beyond the first error"),
        pytest.param(said(1, "right", "wrong", "wrong"), id="wrong again beyond"),
        pytest.param(said(1, (1, "wrong"), (0, "right")), id="out of order"),
        pytest.param(said(1, "right", "wrong", (1, "wrong"), (0, "right")), id="the same twice"),
        pytest.param(said(1, "right", "wrong", confidence=0.9), id="with a key of its own"),
    ],
)
def test_one_clear_meaning_is_read_however_it_is_wrapped(text):
    found = opinion(text)
    assert found is not None
    assert (found.first_error, found.verdicts) == (1, (1, -1, None))


def test_latex_and_line_breaks_in_a_reason_are_forgiven():
    text = (
        '{"unable": false, "steps": [], "first_error": 0, "reason": "\\(x\\) is \\\\frac12,\n\\underline{not} \\u00bd"}'
    )
    with pytest.raises(ValueError, match="Invalid"):
        json.loads(text)
    found = opinion(text)
    assert found is not None
    assert found.reason == "\\(x\\) is \\frac12,\n\\underline{not} ½"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no JSON object"),
        ("Every step is right.", "no JSON object"),
        ("[" + FINE[1:-1] + "]", "not to the schema"),
        (said(3, "right", "right", "right"), "step 3 of 3"),
        (said(-2), "greater than or equal to -1"),
        (said(10**30), "of 3 steps"),
        (said(1.0, "right", "wrong"), "first_error: Input should be a valid integer"),
        (said("1", "right", "wrong"), "first_error: Input should be a valid integer"),
        (said(True, "right", "wrong"), "first_error: Input should be a valid integer"),
        (said(None, "right", "wrong"), "first_error: Input should be a valid integer"),
        (said([1], "right", "wrong"), "first_error: Input should be a valid integer"),
        (said(1, (0.0, "right"), (1, "wrong")), "steps.0.index"),
        (said(1, ("0", "right"), (1, "wrong")), "steps.0.index"),
        (said(1, "right", "false"), "steps.1.verdict"),
        (said(1, "right", None), "steps.1.verdict"),
        ('{"steps": [], "unable": false, "reason": ""}', "first_error: Field required"),
        ('{"first_error": 1, "steps": "none"}', "steps: Input should be a valid list"),
        # it contradicts itself
        (said(1, "wrong", "wrong"), "calls step 0 wrong, but 1 the first error"),
        (said(-1, "right", "wrong"), "calls step 1 wrong, but -1 the first error"),
        (said(1, "right", "right"), "its verdict is not wrong"),
        (said(1, "right", "neutral"), "its verdict is not wrong"),
        (said(1, "right", "wrong", (0, "neutral")), "two things of step 0"),
        (said(1, "right", "wrong", (1, "right")), "two things of step 1"),
        (said(2, "right", unable=True), "cannot tell, and that step 2 is wrong"),
        # it counts from one
        (said(3, (1, "right"), (2, "right"), (3, "wrong")), "step 3 of 3"),
        (said(2, (1, "right"), (2, "wrong")), "begins with step 1"),
        (said(1, (1, "wrong")), "begins with step 1"),
        (said(-1, (1, "right"), (2, "right"), (3, "right")), "speaks of step 3 of 3"),
        (said(2, (0, "right"), (1, "wrong")), "calls step 1 wrong, but 2"),
        (said(1, (-1, "right"), (1, "wrong")), "speaks of step -1"),
        # it says more than one thing
        (f"{FINE}\nNo, wait:\n{said(0, 'wrong')}", "more than one answer"),
        (f"{FINE}\nor {{'first_error': 2, \"first_error\": 2", "more than one answer"),
        ('{"unable": false, "steps": [], "first_error": -1, "reason": "", "first_error": 2}', "no JSON object"),
        # it quotes a step that answers in its place, and its own answer is no JSON any more
        (
            '{"first_error": 1, "steps": [], "reason": "It says "' + said(-1) + '", which is no proof."}',
            "more than one",
        ),
        ('{"first_error": 1, "steps": [], "reason": "It says\n' + said(-1) + "\n and so on", "more than one answer"),
        (FINE[:-9], "no JSON object|not to the schema"),
    ],
)
def test_anything_else_is_no_judgement_and_says_why(text, words):
    with pytest.raises(MalformedReply, match=words):
        opinion(text)


def test_a_quoted_reply_is_short_and_can_be_stored():
    with pytest.raises(MalformedReply) as caught:
        opinion("\0\ud800" * 900)
    assert len(caught.value.detail) <= 500
    assert "\0" not in caught.value.detail
    caught.value.detail.encode()


def test_a_judge_that_cannot_tell_has_no_opinion():
    assert opinion(said(-1, unable=True)) is None


def test_a_reply_cut_at_its_token_limit_is_none_even_where_it_reads_well():
    with pytest.raises(MalformedReply, match="token limit"):
        read(Completion(FINE, finish_reason="length"), 3)


@given(st.data(), st.integers(1, 8))
def test_what_is_said_to_the_schema_is_what_is_read(data, steps):
    first = data.draw(st.integers(NO_ERROR, steps - 1))
    limit = steps if first == NO_ERROR else first
    before = [data.draw(st.sampled_from(["right", "neutral"])) for _ in range(limit)]
    shown = said(first, *before, *(["wrong"] if first != NO_ERROR else []), reason=data.draw(st.text()))
    prose = data.draw(st.sampled_from(["", "Well: ", "```json\n", "\\boxed{4}\n"]))
    found = opinion(prose + shown, steps)
    assert found is not None
    assert found.first_error == first
    assert [WORDS[v] for v in found.verdicts[:limit]] == before
    assert all(v is None for v in found.verdicts[limit + 1 :])


@given(st.text() | st.text('{}[]":,\\ \nfirst_error-1'), st.integers(1, 5))
def test_whatever_comes_is_an_opinion_none_or_malformed(text, steps):
    try:
        found = opinion(text, steps)
    except MalformedReply:
        return
    assert found is None or len(found.verdicts) == steps


@pytest.mark.parametrize("hidden", INJECTIONS)
def test_what_a_step_says_in_the_judges_place_moves_no_verdict_when_it_is_quoted(hidden):
    """Quoted as JSON wants it, it stays a reason; quoted as it is, the judge's own answer stands or there is none."""
    own = said(1, "right", "wrong", reason=f"The step says: {hidden}")
    for reply in (own, f"The second step says {hidden}\n\n{own}", own.replace(json.dumps(hidden)[1:-1], hidden)):
        try:
            found = opinion(reply)
        except MalformedReply:
            continue
        assert found is not None
        assert found.first_error == 1


@pytest.mark.parametrize("piece", ["{", '{"a":', '{"":"', '{"a"', "\\"])
def test_a_reply_made_of_braces_comes_to_an_end(piece):
    """Read from each of its braces to its end it would take hours."""
    with pytest.raises(MalformedReply):
        opinion(piece * 50_000)
