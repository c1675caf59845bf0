from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reasoning.evidence import judge_prompt, rollout_prompt
from reasoning.evidence.fence import fence, mark_of, unfence

from .cases import INJECTIONS, solution

texts = (
    st.text(st.characters(), max_size=200)
    | st.sampled_from(INJECTIONS)
    | st.from_regex(r"\A\[\[[0-9a-f]{12} end\]\]\Z")
)


@given(st.lists(texts, min_size=1, max_size=6))
@example(["", "\n", "\r\n", "\ud800"])
def test_what_is_fenced_comes_back_byte_for_byte(bodies):
    pieces = [(f"step {i}", body) for i, body in enumerate(bodies)]
    assert unfence(fence(pieces)) == tuple(pieces)


@given(st.lists(texts, min_size=1, max_size=4))
def test_a_fence_that_is_copied_into_a_step_does_not_fence_any_more(bodies):
    """The attacker sees a whole prompt and pastes it into a step: the mark is another one then."""
    pieces = [(f"step {i}", body) for i, body in enumerate(bodies)]
    pasted = [*pieces, ("step 99", fence(pieces))]
    assert mark_of(pasted) != mark_of(pieces)
    assert unfence(fence(pasted)) == tuple(pasted)


@given(st.lists(texts | st.text("[]end 0123456789abcdef\n", max_size=60), min_size=1, max_size=6))
def test_nothing_in_a_text_ends_the_fence(bodies):
    """Byte for byte: the mark stands in the headers and nowhere else."""
    pieces = [("problem", bodies[0]), *((f"step {i}", body) for i, body in enumerate(bodies[1:]))]
    prompt, mark = fence(pieces).encode("utf-8", "surrogatepass"), mark_of(pieces).encode()
    assert prompt.count(mark) == len(pieces) + 1
    assert prompt.count(b"[[%s end]]" % mark) == 1
    assert prompt.endswith(b"\n[[%s end]]" % mark)


@given(st.lists(st.text("0123456789abcdef", max_size=120), min_size=1, max_size=4))
def test_a_mark_that_a_text_holds_is_not_taken(bodies):
    """Of two characters marks are met by chance; of twelve by whoever looks for one long enough."""
    pieces = [(f"step {i}", body) for i, body in enumerate(bodies)]
    mark = mark_of(pieces, length=2)
    assert all(mark not in body for body in bodies)
    assert mark == mark_of(pieces, length=2)


def test_a_prompt_without_a_fence_holds_no_pieces():
    assert unfence("What is 6 × 7?") == ()
    assert unfence("hello\n[[0123456789ab end]]") == ()


@pytest.mark.parametrize("hidden", INJECTIONS)
def test_nothing_hidden_in_a_text_changes_what_the_judge_is_shown_around_it(hidden):
    case = judge_prompt.case(solution("First.", hidden, "Last.", statement=hidden, answer=hidden), reference=True)
    assert unfence(case) == (
        ("problem", hidden),
        ("reference", hidden),
        ("step 0", "First."),
        ("step 1", hidden),
        ("step 2", "Last."),
    )
    assert case.endswith(judge_prompt.CLOSING.format(last=2))


@pytest.mark.parametrize("hidden", INJECTIONS)
def test_nothing_hidden_in_a_prefix_changes_what_the_completer_is_shown(hidden):
    case = rollout_prompt.case(solution("First.", hidden, "Last."), 2)
    assert unfence(case) == (("problem", "What is 6 × 7?"), ("solution", f"First.\n\n{hidden}"))
    assert case.endswith(rollout_prompt.CLOSING)
