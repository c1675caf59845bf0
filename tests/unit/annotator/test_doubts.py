"""Which steps are asked, why, and how soon."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator import doubts
from reasoning.types import Count, Evidence, Judgement, Posterior, Verdict


def judgements(*first_errors: int) -> tuple[Judgement, ...]:
    return tuple(Judgement(said, (), "", "judge", "p", sample) for sample, said in enumerate(first_errors))


@pytest.mark.parametrize(
    ("probabilities", "asked"),
    [
        ([0.0, 0.5, 0.0, 0.4, 0.0, 0.1], [1, 2, 3]),
        ([0.01, 0.5, 0.0, 0.44, 0.01, 0.04], [1, 2, 3]),
        ([0.015, 0.015, 0.6, 0.1, 0.1, 0.17], [1, 2, 3, 4]),
        ([0.0, 0.0, 0.0, 0.01, 0.0, 0.99], [0, 1, 2, 3, 4]),
        ([0.2, 0.2, 0.2, 0.2, 0.2, 0.0], [0, 1, 2, 3, 4]),
    ],
)
def test_the_steps_that_the_posterior_leaves_open_are_asked(probabilities: list[float], asked: list[int]) -> None:
    assert doubts.asked_steps(Posterior(tuple(probabilities)), 5, 0.95) == asked


def test_all_steps_are_asked_where_nothing_is_known() -> None:
    assert doubts.asked_steps(None, 3, 0.95) == [0, 1, 2]


@given(
    weights=st.lists(st.floats(0.0, 1.0), min_size=2, max_size=30).filter(lambda w: sum(w) > 0.01),
    threshold=st.floats(0.5, 1.0),
)
def test_what_is_not_asked_holds_little_probability(weights: list[float], threshold: float) -> None:
    total = sum(weights)
    posterior = Posterior(tuple(weight / total for weight in weights))
    steps = len(weights) - 1
    asked = doubts.asked_steps(posterior, steps, threshold)
    assert asked == list(range(asked[0], asked[-1] + 1))
    outside = sum(p for index, p in enumerate(posterior.probabilities[:steps]) if index not in asked)
    assert outside <= min(2 * doubts.LEFT_UNREAD, 1 - threshold) + 1e-9


@pytest.mark.parametrize(
    ("evidence", "posterior", "without_judge", "words"),
    [
        (Evidence(3, Verdict.RIGHT), (0.1, 0.1, 0.1, 0.7), None, doubts.NOBODY_LOOKED),
        (
            Evidence(5, counts={2: Count(0, 4)}, judgements=judgements(2)),
            (0.0, 0.1, 0.4, 0.1, 0.4, 0.0),
            (0.0, 0.1, 0.1, 0.1, 0.7, 0.0),
            "judge and rollouts disagree: step 3 or step 5",
        ),
        (
            Evidence(5, counts={2: Count(0, 4)}, judgements=judgements(-1)),
            (0.0, 0.1, 0.4, 0.1, 0.0, 0.4),
            (0.0, 0.1, 0.7, 0.1, 0.0, 0.1),
            "judge and rollouts disagree: step 3 or no error",
        ),
        (
            Evidence(5, judgements=judgements(3, 1, 3)),
            (0.0, 0.4, 0.0, 0.5, 0.0, 0.1),
            None,
            "the judge's votes differ: step 2 or step 4",
        ),
        (
            Evidence(3, Verdict.RIGHT, judgements=judgements(1)),
            (0.0, 0.8, 0.0, 0.2),
            None,
            "the final answer is right, the way to it is in doubt",
        ),
        (
            Evidence(5, judgements=judgements(3)),
            (0.0, 0.4, 0.0, 0.5, 0.0, 0.1),
            None,
            "machines are unsure between steps 2 and 4",
        ),
        (
            Evidence(3, judgements=judgements(1)),
            (0.0, 0.6, 0.0, 0.4),
            None,
            "machines are unsure whether step 2 is wrong",
        ),
    ],
)
def test_the_reason_is_told_in_words(
    evidence: Evidence, posterior: tuple[float, ...], without_judge: tuple[float, ...] | None, words: str
) -> None:
    rest = Posterior(without_judge) if without_judge else None
    assert doubts.why(evidence, Posterior(posterior), rest) == words


def test_nobody_looked_when_there_is_no_posterior() -> None:
    assert doubts.why(Evidence(3), None, None) == doubts.NOBODY_LOOKED


def test_convincing_but_wrong_comes_first_then_the_most_informative() -> None:
    looked = judgements(1)
    convincing = doubts.priority(Evidence(2, Verdict.RIGHT, judgements=looked), Posterior((0.1, 0.8, 0.1)))
    open_question = doubts.priority(Evidence(2, Verdict.WRONG, judgements=looked), Posterior((0.3, 0.4, 0.3)))
    nearly_sure = doubts.priority(Evidence(2, Verdict.WRONG, judgements=looked), Posterior((0.05, 0.9, 0.05)))
    unseen = doubts.priority(Evidence(2, Verdict.RIGHT), Posterior((0.3, 0.4, 0.3)))
    assert convincing > open_question > nearly_sure > unseen
