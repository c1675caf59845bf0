"""The world's statistics are those of its parameters: exact binomial tests, and tests of whole distributions.

Each test fails for a right world with a probability of at most `RARE`, divided among all it looks at; the draws are
functions of the seeds, so a test that passes goes on to pass.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

import pytest
from scipy import stats

from reasoning import answers
from reasoning.equivalence import grade
from reasoning.simulator import draws
from reasoning.simulator.completer import complete
from reasoning.simulator.law import JudgeRates, Law
from reasoning.simulator.truth import Truth, compact
from reasoning.simulator.world import ErrorKind, make_problems, native_rows
from reasoning.types import NO_ERROR, Verdict

RARE = 1e-3


def agrees(cases: Iterable[tuple[int, int, float]]) -> None:
    """Each (successes, tries, probability) is what a binomial could have given."""
    cases = list(cases)
    for successes, tries, probability in cases:
        found = stats.binomtest(successes, tries, probability).pvalue
        assert found > RARE / len(cases), f"{successes} of {tries} at {probability:.4f}: p = {found:.2e}"


def sums_to(outcomes: Iterable[tuple[bool, float]]) -> None:
    """Successes of tries with a probability of their own each: normal, for there are thousands of them."""
    outcomes = list(outcomes)
    successes = sum(success for success, _ in outcomes)
    mean, variance = sum(p for _, p in outcomes), sum(p * (1 - p) for _, p in outcomes)
    assert abs(successes - mean) < stats.norm.isf(RARE / 2) * math.sqrt(variance), f"{successes}, not {mean:.1f}"


LAW = Law(seed=3)
MADE = [(p, s) for p in make_problems(700, 11, law=LAW) for s in p.solutions]


def test_solve_rates_and_recoveries_are_drawn_from_their_priors():
    law = Law(solve=(2.0, 1.5), recovery=0.12)
    solve = [law.solve_rate(f"p{i}") for i in range(3000)]
    inside = [s for s in solve if 0.05 < s < 0.98]
    prior = stats.beta(2.0, 1.5)
    low, high = prior.cdf(0.05), prior.cdf(0.98)
    agrees([(solve.count(0.05), 3000, low), (solve.count(0.98), 3000, 1 - high)])
    assert stats.kstest(inside, lambda x: (prior.cdf(x) - low) / (high - low)).pvalue > RARE
    recovery = [law.recovery_rate(f"p{i}") for i in range(3000)]
    assert stats.kstest(recovery, stats.beta(1.0, 1 / 0.12 - 1).cdf).pvalue > RARE
    assert abs(stats.spearmanr(solve, recovery).statistic) < stats.norm.isf(RARE / 2) / math.sqrt(3000)


def test_chains_go_wrong_as_often_as_their_problems_solve_rate_says_and_at_every_step_alike():
    sums_to((s.first_error == NO_ERROR, LAW.solve_rate(compact(p.statement))) for p, s in MADE)
    for step in range(7):
        reached = [(p, s) for p, s in MADE if len(s.steps) > step and not 0 <= s.first_error < step]
        sums_to(
            (s.first_error == step, 1 - LAW.solve_rate(compact(p.statement)) ** (1 / len(s.steps))) for p, s in reached
        )


def test_wrong_chains_end_right_as_often_as_recovery_and_luck_say_but_where_the_answer_itself_is_wrong():
    wrong = [(p, s) for p, s in MADE if s.first_error != NO_ERROR]
    before = [(p, s) for p, s in wrong if s.first_error < len(s.steps) - 1]
    assert not any(s.correct for _, s in wrong if s.first_error == len(s.steps) - 1)
    sums_to((s.correct, LAW.shown_right(compact(p.statement), len(s.steps), s.first_error)) for p, s in before)


def test_the_kinds_of_errors_that_a_step_allows_are_planted_at_their_weights():
    kinds = Counter(s.kind for _, s in MADE if s.kind and s.first_error < len(s.steps) - 1)
    assert set(kinds) == set(ErrorKind)
    plain = [kinds[kind] for kind in (ErrorKind.SLIP, ErrorKind.OPERAND, ErrorKind.LEAP)]
    assert stats.chisquare(plain).pvalue > RARE


ROWS = native_rows(make_problems(12, 5))
TRUTH = Truth()
TRUTH.learn(ROWS)


@pytest.mark.parametrize("noise", [0.0, 0.7])
def test_rollouts_succeed_as_often_as_the_law_says_of_their_prefix(noise):
    law = Law(seed=4, noise=noise, ungradable=0.02)
    cases, ungraded = [], 0
    for row in ROWS[:9:2]:
        steps, count = row["steps"], len(row["steps"])
        first = count if row["first_error"] == NO_ERROR else row["first_error"]
        key = compact(row["problem"])
        for prefix in (0, count // 2, count):
            texts = [complete(TRUTH, law, row["problem"], "".join(steps[:prefix]), "7", i) for i in range(300)]
            found = [answers.find(text) for text in texts]
            graded = [grade(answer, row["answer"])[0] for answer in found if answer is not None]
            ungraded += found.count(None)
            worth = law.value(key, f"{key}\0{compact(''.join(steps[:prefix]))}", count, prefix, first)
            cases.append((graded.count(Verdict.RIGHT), len(graded), worth))
    agrees([*cases, (ungraded, 300 * len(cases), 0.02)])


def test_the_noise_of_a_prefix_is_normal_on_the_logit_and_drawn_once_for_each_text():
    law, still = Law(seed=9, noise=0.7), Law(seed=9, noise=0.0)

    def logit(law: Law, text: str) -> float:
        value = law.value("p", text, 6, 3, 4)
        return math.log(value / (1 - value))

    shifts = [logit(law, f"t{i}") - logit(still, f"t{i}") for i in range(3000)]
    assert stats.kstest(shifts, stats.norm(0, 0.7).cdf).pvalue > RARE
    assert logit(law, "t7") == logit(law, "t7")
    assert abs(stats.spearmanr(shifts[1:], shifts[:-1]).statistic) < stats.norm.isf(RARE / 2) / math.sqrt(2999)


@pytest.mark.parametrize("first", [0, 4, 8, 9])
@pytest.mark.parametrize("shared", [0.0, 0.5])
def test_the_judges_confusion_is_that_of_its_rates(first, shared):
    rates, steps, tries = JudgeRates(0.6, 0.2, 0.1, 0.15, shared), 9, 6000
    law = Law(seed=5, judge=rates)
    said = Counter(law.judged(f"s{i}", steps, first, "v") for i in range(tries))
    expected = dict.fromkeys(range(steps + 1), 0.0)
    if first == steps:
        expected[steps] = 1 - rates.false_alarm
        spread = rates.false_alarm
    else:
        expected[first] += rates.hit
        expected[steps] += rates.miss
        for beside in (first - 1, first + 1):
            expected[min(max(beside, 0), steps - 1)] += rates.near / 2
        spread = 1 - rates.hit - rates.near - rates.miss
    for step in range(steps):
        expected[step] += spread / steps
    assert sum(expected.values()) == pytest.approx(1.0)
    agrees((said[step], tries, expected[step]) for step in expected)


def test_two_votes_are_one_draw_as_often_as_they_are_said_to_be():
    law, tries = Law(seed=6, judge=JudgeRates(hit=0.6, near=0.2, miss=0.1, shared=0.8)), 6000
    pairs = [(law.judged(f"s{i}", 9, 4, 0), law.judged(f"s{i}", 9, 4, 1)) for i in range(tries)]
    chances = [0.1 / 9] * 10
    chances[4], chances[9] = 0.6 + 0.1 / 9, 0.1
    chances[3] = chances[5] = 0.1 + 0.1 / 9
    same = sum(p * p for p in chances)
    agrees([(sum(a == b for a, b in pairs), tries, 0.64 + 0.36 * same)])


def test_draws_are_uniform_and_differ_with_each_of_their_parts():
    values = [draws.uniform("a", i, "b") for i in range(3000)]
    others = [draws.uniform("a", i, "c") for i in range(3000)]
    assert stats.kstest(values, "uniform").pvalue > RARE
    assert abs(stats.spearmanr(values, others).statistic) < stats.norm.isf(RARE / 2) / math.sqrt(3000)
