"""What others do, as published: checked against plain loops over the same draws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reasoning.first_error import Chain, Lossless
from reasoning.first_error.baselines import (
    Draws,
    bisection,
    early_test,
    every_step,
    hard_test,
    left_to_right,
    scan_test,
    soft_test,
    sprt_test,
)
from reasoning.types import NO_ERROR, Evidence, Verdict

LONGEST, DEEP = 9, 40
VERDICTS = {1: Verdict.RIGHT, 0: Verdict.WRONG, -1: Verdict.UNKNOWN}


def draws(seed: int, chains: int = 12, ungradable: float = 0.1) -> Draws:
    g = np.random.default_rng(seed)
    steps = g.integers(1, LONGEST + 1, chains)
    value = np.sort(g.random((chains, LONGEST + 1)), axis=1)[:, ::-1]
    outcome = (g.random((chains, LONGEST + 1, DEEP)) < value[..., None]).astype(np.int8)
    outcome[g.random(outcome.shape) < ungradable] = -1
    return Draws(steps, g.random(chains) < 0.5, outcome)


def graded(d: Draws, chain: int, prefix: int, n: int) -> tuple[list[int], list[int]]:
    """The first n graded outcomes, and what each had cost when it came."""
    row = d.outcome[chain, prefix].tolist()
    at = [k for k, outcome in enumerate(row) if outcome >= 0][:n]
    return [row[k] for k in at], [k + 1 for k in at]


def last_step(d: Draws, chain: int) -> int:
    return int(d.steps[chain] if d.own_right[chain] else d.steps[chain] - 1)


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 8))
def test_hard_estimation_is_a_plain_loop(seed: int, n: int) -> None:
    d = draws(seed)
    found = every_step(d, hard_test(d, n), shortcut=False)
    for chain, steps in enumerate(d.steps.tolist()):
        first, cost, tokens = last_step(d, chain), 0, 0
        for prefix in range(steps - 1, 0, -1):
            outcomes, paid = graded(d, chain, prefix, n)
            cost += paid[-1]
            tokens += paid[-1] * (steps - prefix)
            if not any(outcomes):
                first = prefix - 1
        assert (found.first_error[chain], found.rollouts[chain], found.step_tokens[chain]) == (first, cost, tokens)


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 8))
def test_scanning_from_the_left_is_lossless_and_never_dearer(seed: int, n: int) -> None:
    d = draws(seed)
    hard, scan = (f(d, t(d, n), False) for f, t in ((every_step, hard_test), (left_to_right, early_test)))
    assert (hard.first_error == scan.first_error).all()
    assert (scan.rollouts <= hard.rollouts).all()


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 8))
def test_the_lossless_planner_is_that_scan(seed: int, n: int) -> None:
    d = draws(seed)
    scan = left_to_right(d, early_test(d, n), shortcut=False)
    chains = [
        Chain(c, Evidence(int(k), Verdict.RIGHT if right else Verdict.WRONG))
        for c, (k, right) in enumerate(zip(d.steps, d.own_right, strict=True))
    ]
    planner, drawn = Lossless(chains, n), np.zeros(len(chains))
    while requests := planner.next(5):
        for request in requests:
            drawn[request.chain] += 1
            planner.record(*request, VERDICTS[int(d.outcome[request])])
    found = [planner.first_error(c) for c in range(len(chains))]
    expected = np.where(scan.first_error == d.steps, NO_ERROR, scan.first_error).tolist()
    assert found == expected
    assert drawn.tolist() == scan.rollouts.tolist()
    assert all(planner.done(c) for c in range(len(chains)))


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 8))
def test_bisection_is_a_plain_loop(seed: int, k: int) -> None:
    d = draws(seed)
    found = bisection(d, early_test(d, k), shortcut=False)
    for chain, steps in enumerate(d.steps.tolist()):
        low, high, cost = 0, steps, 0
        while high - low > 1:
            middle = (low + high) // 2
            outcomes, paid = graded(d, chain, middle, k)
            if any(outcomes):
                low, cost = middle, cost + paid[outcomes.index(1)]
            else:
                high, cost = middle, cost + paid[-1]
        first = steps if high == steps and d.own_right[chain] else high - 1
        assert (found.first_error[chain], found.rollouts[chain]) == (first, cost)


@settings(deadline=None)
@given(st.integers(0, 10**6))
def test_sprt_walks_until_a_bound(seed: int) -> None:
    d = draws(seed, chains=4)
    test = sprt_test(d, 0.7, 0.2, 2.0, most=16)
    for chain in range(4):
        for prefix in range(1, LONGEST + 1):
            outcomes, paid = graded(d, chain, prefix, 16)
            ratio = 0.0
            for outcome, cost in zip(outcomes, paid, strict=True):  # noqa: B007
                ratio += np.log(0.7 / 0.2) if outcome else np.log(0.3 / 0.8)
                if abs(ratio) >= 2.0:
                    break
            assert (test.good[chain, prefix], test.cost[chain, prefix]) == (ratio > 0, cost)


def test_the_shortcut_trusts_a_right_answer_and_pays_nothing() -> None:
    d = draws(3)
    for test in (hard_test(d, 4), soft_test(d, 4, 0.3), scan_test(d, 4, 0.3)):
        for find in (every_step, left_to_right, bisection):
            plain, short = find(d, test, False), find(d, test, True)
            assert (short.first_error[d.own_right] == d.steps[d.own_right]).all()
            assert short.rollouts[d.own_right].sum() == short.step_tokens[d.own_right].sum() == 0
            assert (short.first_error == plain.first_error)[~d.own_right].all()


def test_scan_measures_against_its_self_confidence_and_looks_back() -> None:
    right = np.zeros((1, 5, 8), np.int8)
    for prefix, successes in ((1, 4), (2, 4), (3, 1)):
        right[0, prefix, :successes] = 1
    d = Draws(np.array([4]), np.array([False]), right)
    assert every_step(d, soft_test(d, 8, 0.6), False).first_error == [0]
    assert every_step(d, scan_test(d, 8, 0.6), False).first_error == [2]
    assert every_step(d, scan_test(d, 8, 0.6), False, tolerance=1).first_error == [1]


def test_lossless_gives_up_what_cannot_be_graded_and_says_so() -> None:
    planner = Lossless([Chain("a", Evidence(3, Verdict.WRONG))])
    while requests := planner.next(1):
        planner.record(*requests[0], Verdict.UNKNOWN)
    assert planner.done("a")
    assert planner.first_error("a") is None


def test_lossless_needs_the_own_answer_for_the_last_step_only() -> None:
    planner = Lossless([Chain("a", Evidence(1, Verdict.UNKNOWN)), Chain("b", Evidence(3, Verdict.UNKNOWN))], graded=1)
    assert planner.first_error("a") is None
    (request,) = planner.next(9)
    assert planner.next(9) == []
    planner.release(*request)
    planner.record(*request, Verdict.WRONG)
    assert planner.first_error("b") == 0


def test_lossless_refuses_the_same_chain_twice() -> None:
    with pytest.raises(ValueError, match="twice"):
        Lossless([Chain("a", Evidence(2)), Chain("a", Evidence(2))])
