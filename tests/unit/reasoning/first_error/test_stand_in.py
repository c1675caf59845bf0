"""A majority answer that may be wrong: a mixture of two worlds, each by itself what it should be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from scipy.special import betaln, expit, logit

from reasoning.errors import InvalidInput
from reasoning.first_error import DEFAULTS, Parameters, Votes, posterior, posteriors, stand_in_posteriors
from reasoning.types import Count, Evidence, Posterior, Verdict
from tests.unit.reasoning.first_error.examples import evidence

NO_VOTES = Votes(0, 0)
STRONG, WEAK = Votes(16, 16), Votes(11, 16)


@st.composite
def votes(draw: st.DrawFn) -> Votes:
    total = draw(st.integers(0, 64))
    return Votes(draw(st.integers(0, total)), total)


def weighed(e: Evidence, v: Votes, p: Parameters = DEFAULTS) -> np.ndarray:
    [found] = stand_in_posteriors([e], [v], p)
    return np.array(found.probabilities)


@given(evidence(), votes())
@settings(max_examples=60, deadline=None)
def test_it_is_a_distribution_over_the_steps_and_none(e: Evidence, v: Votes) -> None:
    found = weighed(e, v)
    assert len(found) == e.steps + 1
    assert (found >= 0).all()
    assert found.sum() == pytest.approx(1)


@given(st.lists(evidence(), max_size=5))
@settings(max_examples=60, deadline=None)
def test_one_that_is_surely_right_is_a_reference_answer(chains: list[Evidence]) -> None:
    found = stand_in_posteriors(chains, [NO_VOTES] * len(chains), believed=1.0)
    for one, other in zip(found, posteriors(chains), strict=True):
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-12)


@given(evidence())
@settings(max_examples=60, deadline=None)
def test_without_grades_there_is_nothing_to_doubt(e: Evidence) -> None:
    bare = replace(e, own_answer=Verdict.UNKNOWN, counts={})
    assert weighed(bare, NO_VOTES) == pytest.approx(posterior(bare).probabilities, abs=1e-12)


@given(st.lists(st.tuples(evidence(), st.integers(0, 2)), min_size=1, max_size=6))
@settings(max_examples=30, deadline=None)
def test_the_order_of_the_solutions_changes_nothing(chains: list[tuple[Evidence, int]]) -> None:
    elected = (STRONG, WEAK, Votes(9, 12))

    def of(some: list[tuple[Evidence, int]]) -> list[Posterior]:
        return stand_in_posteriors([e for e, _ in some], [elected[p] for _, p in some], problems=[p for _, p in some])

    found, again = of(chains), of(chains[::-1])
    for one, other in zip(found, again[::-1], strict=True):
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-9)


WRONG_LATE = Evidence(4, Verdict.WRONG, {1: Count(4, 4), 2: Count(4, 4), 3: Count(0, 6)})
ALL_RIGHT = Evidence(4, Verdict.RIGHT, {1: Count(2, 3), 2: Count(3, 3), 3: Count(3, 3)})


def test_a_narrow_majority_is_doubted_and_one_is_surer_the_more_agree() -> None:
    certainty = [weighed(ALL_RIGHT, v).max() for v in (WEAK, Votes(13, 16), STRONG)]
    assert certainty == sorted(certainty)
    assert certainty[0] < posterior(ALL_RIGHT).certainty - 0.02


def test_grades_that_turn_at_a_step_are_no_favourite_mistake() -> None:
    assert weighed(WRONG_LATE, WEAK) == pytest.approx(posterior(WRONG_LATE).probabilities, abs=0.005)


def test_where_problems_are_hard_a_majority_is_trusted_less() -> None:
    hard = replace(DEFAULTS, solve_rate=(1.5, 6.0))
    easy = replace(DEFAULTS, solve_rate=(6.0, 1.5))
    doubt = [posterior(ALL_RIGHT, p).certainty - weighed(ALL_RIGHT, WEAK, p).max() for p in (hard, easy)]
    assert doubt[0] > 3 * doubt[1]


def test_solutions_of_one_problem_are_right_or_wrong_together() -> None:
    """Where every solution agrees with the stand-in at one rate from any prefix, it looks like a favourite mistake."""
    flat = Evidence(6, Verdict.RIGHT, {i: Count(2, 4) for i in range(1, 6)})
    together = stand_in_posteriors([WRONG_LATE, *[flat] * 4], [WEAK] * 5, problems=[1] * 5)
    apart = stand_in_posteriors([WRONG_LATE, *[flat] * 4], [WEAK] * 5)
    assert together[0].certainty < apart[0].certainty


def test_it_agrees_with_integrals_done_otherwise() -> None:
    """Without noise and recovery's grid: s and r are all but known, so only Z, F and c are summed."""
    p = replace(DEFAULTS, solve_rate=(400.0, 600.0), recovery=0.0005, noise=0.0)
    v = Votes(10, 16)
    e = Evidence(3, Verdict.RIGHT, {1: Count(1, 2), 2: Count(2, 2)})
    s, r = 0.4, 0.002  # its clip
    stay = s ** (1 / 3)
    prior = np.array([stay**f * (1 - stay if f < 3 else 1) for f in range(4)])
    right = stats.binom.pmf(10, 16, s) * prior
    for f in range(4):
        for prefix, count in e.counts.items():
            base = s ** ((3 - prefix) / 3)
            value = base + (1 - base) * r / 2 if prefix <= f else max(r * base * p.fade ** (prefix - 1 - f), 1e-4)
            right[f] *= value**count.successes * (1 - value) ** (count.graded - count.successes)
        last = r * p.fade ** (3 - 1 - f)
        right[f] *= last + (1 - last) * p.false_positive if f < 3 else 1 - p.false_negative
    mistaken, _ = integrate.quad(lambda c: stats.binom.pmf(10, 16, 0.6 * c), 0, 1)
    wrong = mistaken * prior * np.exp(betaln(5, 2))
    expected = (right + wrong) / (right + wrong).sum()
    assert weighed(e, v, p) == pytest.approx(expected, abs=0.02)
    # The grid of logits is the library's own rounding.
    assert abs(expit(np.rint(logit(s) * 8) / 8) - s) < 0.02


@pytest.mark.parametrize("share", [0.5, 0.7])
def test_thousands_of_voters_say_what_hundreds_of_the_same_mind_say(share: float) -> None:
    e = Evidence(5, Verdict.RIGHT, {1: Count(3, 3), 3: Count(0, 3)})
    few, many = (weighed(e, Votes(round(share * total), total)) for total in (600, 3000))
    assert many == pytest.approx(few, abs=0.03)


def test_no_solutions_have_no_posteriors() -> None:
    assert stand_in_posteriors([], []) == []


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(InvalidInput, match="3 votes of 2"):
        Votes(3, 2)
    for believed in (0.0, 1.5):
        with pytest.raises(InvalidInput, match="believed"):
            stand_in_posteriors([ALL_RIGHT], [STRONG], believed=believed)
    with pytest.raises(InvalidInput, match="prefix 9"):
        stand_in_posteriors([replace(ALL_RIGHT, counts={9: Count(1, 1)})], [STRONG])
