"""A posterior is a distribution, agrees with brute force, and moves the way evidence points."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from reasoning.errors import InvalidInput
from reasoning.first_error import DEFAULTS, Confusion, Parameters, posterior, posteriors
from reasoning.first_error.tables import Shape, Tables, tables_for
from reasoning.types import NO_ERROR, Count, Evidence, PersonRating, Verdict
from tests.unit.reasoning.first_error.examples import evidence, judgement

FIXED = Parameters(solve_rate=(600.0, 400.0), recovery=0.2)  # s is all but known


def brute_force(e: Evidence, p: Parameters) -> np.ndarray:
    """P(F) by summing over fine grids of s, r and noise; no table, no rounding, scipy's own Beta."""
    s = np.clip((np.arange(150) + 0.5) / 150, 0.05, 0.98)
    ws = np.diff(stats.beta.cdf(np.arange(151) / 150, *p.solve_rate))
    r = (np.arange(150) + 0.5) / 150
    wr = np.diff(stats.beta.cdf(np.arange(151) / 150, 1, 1 / p.recovery - 1))
    x, wx = np.polynomial.hermite_e.hermegauss(41)
    wx = wx / wx.sum()
    out = np.zeros(e.steps + 1)
    for first in range(e.steps + 1):
        stay = s ** (1 / e.steps)
        joint = (stay**first * (1 - stay if first < e.steps else 1))[:, None] * np.ones(150)
        for prefix, count in [*e.counts.items(), (e.steps, None)]:
            base = (s ** ((e.steps - prefix) / e.steps))[:, None]
            value = base + (1 - base) * r / 2 if prefix <= first else r * base * p.fade ** (prefix - 1 - first)
            value = np.clip(value, 1e-4, 1 - 1e-5)[..., None]
            theta = 1 / (1 + (1 - value) / value * np.exp(-p.noise * x))
            if count is not None:
                joint = joint * (theta**count.successes * (1 - theta) ** (count.graded - count.successes) @ wx)
            elif e.own_answer is not Verdict.UNKNOWN:
                mean = theta @ wx
                right = mean + (1 - mean) * p.false_positive if first < e.steps else 1 - p.false_negative
                joint = joint * (right if e.own_answer is Verdict.RIGHT else 1 - right)
        out[first] = (joint * ws[:, None] * wr).sum()
    return out / out.sum()


@pytest.mark.parametrize("own_answer", list(Verdict))
@pytest.mark.parametrize("noise", [0.0, 0.7, 1.5])
def test_it_agrees_with_brute_force(own_answer: Verdict, noise: float) -> None:
    p = replace(DEFAULTS, noise=noise)
    e = Evidence(5, own_answer, {1: Count(3, 3), 2: Count(2, 4), 3: Count(0, 3), 4: Count(1, 6)})
    assert posterior(e, p).probabilities == pytest.approx(brute_force(e, p), abs=0.035)


def test_a_finer_grid_comes_closer_to_brute_force() -> None:
    e = Evidence(4, Verdict.WRONG, {1: Count(4, 6), 2: Count(5, 8), 3: Count(1, 6)})
    fine = Tables(Shape.of(DEFAULTS, nodes=(40, 30)))
    assert posteriors([e], tables=fine)[0].probabilities == pytest.approx(brute_force(e, DEFAULTS), abs=0.006)


@settings(deadline=None)
@given(evidence())
def test_a_posterior_is_a_distribution(e: Evidence) -> None:
    p = posterior(e).probabilities
    assert len(p) == e.steps + 1
    assert all(0 <= each <= 1 for each in p)
    assert sum(p) == pytest.approx(1)


@settings(deadline=None)
@given(evidence(), st.randoms(use_true_random=False))
def test_the_order_of_evidence_does_not_matter(e: Evidence, random: st.DataObject) -> None:
    counts, judgements, people = list(e.counts.items()), list(e.judgements), list(e.people)
    for each in (counts, judgements, people):
        random.shuffle(each)
    other = replace(e, counts=dict(counts), judgements=tuple(judgements), people=tuple(people))
    assert posterior(other).probabilities == pytest.approx(posterior(e).probabilities)


@settings(deadline=None)
@given(st.lists(evidence(), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_permuting_chains_changes_nothing(chains: list[Evidence], random: st.DataObject) -> None:
    problems = [n // 2 for n in range(len(chains))]
    order = list(range(len(chains)))
    random.shuffle(order)
    straight = posteriors(chains, problems=problems)
    shuffled = posteriors([chains[n] for n in order], problems=[problems[n] for n in order])
    for position, n in enumerate(order):
        assert shuffled[position].probabilities == pytest.approx(straight[n].probabilities)


@settings(deadline=None)
@given(st.integers(2, 12), st.data())
def test_with_s_and_r_fixed_a_success_clears_and_a_failure_blames_what_is_before(
    steps: int, data: st.DataObject
) -> None:
    tables = Tables(Shape.of(replace(FIXED, noise=0.5), nodes=(1, 1)))
    prefix = data.draw(st.integers(1, steps - 1))
    chains = [Evidence(steps, counts=c) for c in ({}, {prefix: Count(1, 1)}, {prefix: Count(0, 1)})]
    before, success, failure = (sum(p.probabilities[prefix:]) for p in posteriors(chains, tables=tables))
    assert success >= before - 1e-12
    assert failure <= before + 1e-12


def test_sharing_a_problem_tells_of_its_solve_rate() -> None:
    doubtful = Evidence(4, Verdict.WRONG, {2: Count(0, 3)})
    easy = Evidence(4, Verdict.RIGHT, {1: Count(20, 20), 2: Count(20, 20)})
    alone = posterior(doubtful)
    shared = posteriors([doubtful, easy], problems=["p", "p"])[0]
    apart = posteriors([doubtful, easy], problems=["p", "q"])[0]
    assert apart.probabilities == pytest.approx(alone.probabilities)
    assert sum(shared.probabilities[:2]) > sum(alone.probabilities[:2]) + 0.02


def test_a_judge_moves_the_belief_to_the_step_it_names() -> None:
    bare = Evidence(6, Verdict.WRONG)
    judged = replace(bare, judgements=(judgement(3, 6),))
    assert posterior(judged).first_error == 3
    assert posterior(judged).probabilities[3] > posterior(bare).probabilities[3] + 0.3


def test_a_judge_is_known_by_its_model_and_prompt() -> None:
    random = Confusion(hit=1 / 6, near=0.0, miss=0.0, false_alarm=1.0)
    said = Evidence(6, Verdict.WRONG, judgements=(judgement(3, 6),))
    deaf = replace(DEFAULTS, judges={("judge", "prompt"): random})
    assert max(posterior(said, deaf).probabilities[:6]) < 0.35
    assert posterior(said, replace(deaf, judges={("judge", "other"): random})).first_error == 3


def test_another_prompt_makes_no_other_witness_of_a_model() -> None:
    first, second = judgement(2, 6, "a"), replace(judgement(2, 6, "a", 1), prompt="another")
    twice, asked_otherwise = (
        Evidence(6, judgements=(first, judgement(2, 6, "a", 1))),
        Evidence(6, judgements=(first, second)),
    )
    assert posterior(asked_otherwise).probabilities == pytest.approx(posterior(twice).probabilities)


def test_votes_of_one_judge_weigh_less_than_several_judges() -> None:
    votes = Evidence(6, judgements=tuple(judgement(2, 6, "a", n) for n in range(3)))
    judges = Evidence(6, judgements=tuple(judgement(2, 6, model) for model in "abc"))
    one = Evidence(6, judgements=(judgement(2, 6, "a"),))
    certainties = [posterior(e).certainty for e in (one, votes, judges)]
    assert certainties == sorted(certainties)
    untempered = replace(DEFAULTS, vote_temper=0.0)
    assert posterior(votes, untempered).probabilities == pytest.approx(posterior(one, untempered).probabilities)


def test_low_scores_raise_the_hazard_of_their_step() -> None:
    e = Evidence(5, Verdict.WRONG, scores=(0.9, 0.9, 0.1, 0.9, 0.9))
    assert posterior(e).first_error == 2
    assert posterior(e, replace(DEFAULTS, score_tilt=0.0)).probabilities == pytest.approx(
        posterior(replace(e, scores=None)).probabilities
    )


def test_a_person_who_read_only_the_start_says_nothing_of_the_rest() -> None:
    bare = posterior(Evidence(6)).probabilities
    some = posterior(Evidence(6, people=(PersonRating("a", NO_ERROR, 3),))).probabilities
    assert sum(some[:3]) < sum(bare[:3]) / 3
    assert np.array(some[3:]) / sum(some[3:]) == pytest.approx(np.array(bare[3:]) / sum(bare[3:]))
    nothing = posterior(Evidence(6, people=(PersonRating("a", NO_ERROR, 0),))).probabilities
    assert nothing == pytest.approx(bare)


def test_a_person_who_stopped_at_an_error_speaks_of_the_whole() -> None:
    found = posterior(Evidence(6, people=(PersonRating("a", 2, 3),)))
    assert found.first_error == 2
    assert found.probabilities[3] > found.probabilities[4]


def test_a_right_chain_may_be_graded_wrong() -> None:
    certain = {i: Count(30, 30) for i in range(1, 6)}
    assert posterior(Evidence(6, Verdict.WRONG, certain)).probabilities[-1] > 0.001


@pytest.mark.parametrize(
    "bad",
    [
        Evidence(0),
        Evidence(3, counts={4: Count(1, 1)}),
        Evidence(3, counts={1: Count(2, 1)}),
        Evidence(3, scores=(0.5,)),
        Evidence(3, judgements=(judgement(3, 3),)),
        Evidence(3, people=(PersonRating("a", -2, 3),)),
        Evidence(3, people=(PersonRating("a", 2, 1),)),
    ],
)
def test_evidence_of_another_solution_is_refused(bad: Evidence) -> None:
    with pytest.raises(InvalidInput):
        posterior(bad)


def test_problems_must_be_as_many_as_solutions() -> None:
    with pytest.raises(InvalidInput, match="1 problems for 2"):
        posteriors([Evidence(2), Evidence(3)], problems=["p"])


def test_nothing_in_nothing_out() -> None:
    assert posteriors([]) == []


def test_one_step_and_518_steps_work() -> None:
    assert len(posterior(Evidence(1, Verdict.WRONG)).probabilities) == 2
    long = posterior(Evidence(518, Verdict.WRONG, {100: Count(9, 10), 300: Count(0, 20)}))
    assert 95 < long.first_error < 305
    assert sum(long.probabilities) == pytest.approx(1)


def test_huge_counts_do_not_underflow() -> None:
    p = posterior(Evidence(4, Verdict.WRONG, {1: Count(5000, 9000), 2: Count(100, 9000)}))
    assert p.first_error == 1


def test_equal_parameters_share_their_tables() -> None:
    assert tables_for(DEFAULTS) is tables_for(replace(DEFAULTS, score_tilt=1.0))
    assert tables_for(DEFAULTS) is not tables_for(replace(DEFAULTS, noise=0.71))
