"""The planner asks for what tells most, keeps count, and agrees with the posterior computed at once."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reasoning.errors import InvalidInput
from reasoning.first_error import DEFAULTS, Chain, Planner, Prices, Request, posteriors
from reasoning.first_error.planner import MOST_PER_PREFIX
from reasoning.types import Count, Evidence, Verdict
from tests.unit.reasoning.first_error.examples import evidence

WRONG = Evidence(8, Verdict.WRONG)


def answer(request: Request, first_error: int, slip: float, g: random.Random) -> Verdict:
    right = request.prefix <= first_error
    return Verdict.RIGHT if right != (g.random() < slip) else Verdict.WRONG


@settings(deadline=None, max_examples=30)
@given(st.lists(evidence(), min_size=1, max_size=6), st.integers(0, 2**16))
def test_what_it_learns_step_by_step_is_the_posterior_of_all(chains: list[Evidence], seed: int) -> None:
    g = random.Random(seed)
    problems = [n // 2 for n in range(len(chains))]
    planner = Planner([Chain(n, e, problems[n]) for n, e in enumerate(chains)], price=0.0, budget=60)
    counts = [dict(e.counts) for e in chains]
    while requests := planner.next(4):
        for request in requests:
            verdict = g.choice(list(Verdict))
            planner.record(*request, verdict)
            if verdict is not Verdict.UNKNOWN:
                old = counts[request.chain].get(request.prefix, Count(0, 0))
                right = verdict is Verdict.RIGHT
                counts[request.chain][request.prefix] = Count(old.successes + right, old.graded + 1)
    final = [
        Evidence(e.steps, e.own_answer, c, e.judgements, e.scores, e.people)
        for e, c in zip(chains, counts, strict=True)
    ]
    for mine, once in zip(planner.posteriors(), posteriors(final, DEFAULTS, problems), strict=True):
        assert mine.probabilities == pytest.approx(once.probabilities, abs=2e-4)


def test_it_finds_the_first_error_in_few_rollouts() -> None:
    g = random.Random(1)
    planner = Planner([Chain(n, WRONG) for n in range(40)], price=0.003)
    truth = [n % 8 for n in range(40)]
    while requests := planner.next(16):
        for request in requests:
            planner.record(*request, answer(request, truth[request.chain], 0.05, g))
    found = [planner.posterior(n).first_error for n in range(40)]
    assert sum(a == b for a, b in zip(found, truth, strict=True)) >= 34
    assert sum(planner.spent(n) for n in range(40)) < 40 * 25


def test_the_most_doubtful_chain_goes_first() -> None:
    settled = Evidence(8, Verdict.WRONG, {3: Count(20, 20), 4: Count(0, 20)})
    planner = Planner([Chain("settled", settled), Chain("open", WRONG)], price=0.0)
    assert [request.chain for request in planner.next(2)] == ["open", "settled"]
    assert planner.value("open") > planner.value("settled")


def test_a_chain_in_flight_is_left_alone_until_it_is_recorded() -> None:
    planner = Planner([Chain("a", WRONG)], price=0.0)
    (request,) = planner.next(5)
    assert planner.next(5) == []
    assert not planner.done("a")
    planner.record(*request, Verdict.RIGHT)
    assert len(planner.next(5)) == 1


def test_two_at_once_after_ten() -> None:
    counts = {4: Count(2, 5), 6: Count(1, 5)}
    planner = Planner([Chain("a", Evidence(8, Verdict.WRONG, counts))], price=0.0)
    first, second = planner.next(5)
    assert (first.chain, first.prefix) == (second.chain, second.prefix)
    assert second.sample == first.sample + 1
    planner.record(*first, Verdict.RIGHT)
    assert planner.next(5) == []
    planner.record(*second, Verdict.WRONG)
    assert len(planner.next(1)) == 1


def test_sample_numbers_go_on_where_they_were() -> None:
    planner = Planner([Chain("a", WRONG, drawn=dict.fromkeys(range(9), 7))], price=0.0)
    assert planner.next(1)[0].sample == 7
    known = Planner([Chain("a", Evidence(2, Verdict.WRONG, {1: Count(1, 3)}), drawn={1: 2})], price=0.0)
    assert known.next(1)[0].sample == 3


def test_the_budget_is_never_passed() -> None:
    planner = Planner([Chain(n, WRONG) for n in range(10)], price=0.0, budget=7)
    requests = planner.next(100)
    assert len(requests) == 7
    assert planner.next(1) == []
    for request in requests:
        planner.record(*request, Verdict.WRONG)
    assert planner.open == 0
    assert all(planner.done(n) for n in range(10))


def test_released_rollouts_give_their_budget_back_and_leave_the_chain_alone() -> None:
    planner = Planner([Chain("a", WRONG), Chain("b", WRONG)], price=0.0, budget=2)
    a, b = planner.next(2)
    assert planner.open == 2
    planner.release(*a)
    assert planner.budget == 1
    assert planner.spent(a.chain) == 0
    assert planner.next(2) == []
    planner.record(*b, Verdict.RIGHT)
    (again,) = planner.next(2)
    assert again.chain == b.chain


def test_releasing_without_a_budget_is_fine() -> None:
    planner = Planner([Chain("a", WRONG)], price=0.0)
    planner.release(*planner.next(1)[0])
    assert planner.done("a")


def test_a_chain_of_one_step_has_nothing_to_roll_out() -> None:
    planner = Planner([Chain("a", Evidence(1, Verdict.WRONG))], price=0.0)
    assert planner.next(3) == []
    assert planner.done("a")
    planner.record("a", 1, 0, Verdict.RIGHT)
    assert planner.next(3) == []


def test_ungradable_rollouts_are_paid_for_and_end_by_the_price() -> None:
    planner = Planner([Chain("a", WRONG)], price=0.005)
    before = planner.posterior("a")
    while requests := planner.next(2):
        for request in requests:
            planner.record(*request, Verdict.UNKNOWN)
    assert 0 < planner.spent("a") < 60
    assert planner.posterior("a") == before


def test_no_prefix_gets_more_than_its_share() -> None:
    full = {i: Count(0, MOST_PER_PREFIX) for i in range(1, 8)}
    planner = Planner([Chain("a", Evidence(8, Verdict.WRONG, full))], price=1e-9)
    assert planner.next(1) == []


@settings(deadline=None, max_examples=30)
@given(st.lists(evidence(), min_size=1, max_size=4), st.floats(0.1, 10))
def test_costs_that_are_all_alike_only_divide_the_value(chains: list[Evidence], cost: float) -> None:
    plain = Planner([Chain(n, e) for n, e in enumerate(chains)], price=0.0)
    dear = Planner([Chain(n, e, costs=[cost] * (e.steps - 1)) for n, e in enumerate(chains)], price=0.0)
    for n in range(len(chains)):
        assert dear.value(n) == pytest.approx(plain.value(n) / cost, rel=1e-4)
    assert {r.chain for r in plain.next(4)} == {r.chain for r in dear.next(4)}


def test_where_tokens_cost_the_rollout_that_has_less_to_write_is_asked_for() -> None:
    costs = Prices(read=0.0, written=1.0).of_prefixes(0, [1] * 12)
    plain, by_tokens = (Planner([Chain("a", Evidence(12, Verdict.WRONG), costs=c)], price=0.0) for c in (None, costs))
    assert by_tokens.next(1)[0].prefix > plain.next(1)[0].prefix


def test_a_chain_whose_rollouts_cost_more_waits_and_is_done_sooner() -> None:
    planner = Planner([Chain("dear", WRONG, costs=[3.0] * 7), Chain("cheap", WRONG, costs=[0.5] * 7)], price=0.0)
    assert planner.next(1)[0].chain == "cheap"
    planner.price = planner.value("dear") * 2
    assert planner.done("dear")


@pytest.mark.parametrize("costs", [[1.0] * 6, [1.0] * 8, [1.0] * 6 + [0.0], [1.0] * 6 + [float("nan")]])
def test_costs_that_are_not_one_positive_number_a_prefix_are_refused(costs: list[float]) -> None:
    with pytest.raises(InvalidInput, match="costs of 'a': must be 7 positive numbers"):
        Planner([Chain("a", WRONG, costs=costs)])


@given(st.lists(st.floats(0.1, 1e4), min_size=1, max_size=20), st.floats(0, 1e4), st.floats(0, 10), st.floats(0.01, 10))
def test_what_rollouts_cost_is_what_they_read_and_write(
    lengths: list[float], before: float, read: float, written: float
) -> None:
    prices = Prices(read, written)
    costs = prices.of_prefixes(before, lengths)
    for prefix, cost in enumerate(costs, 1):
        assert cost == pytest.approx(read * (before + sum(lengths[:prefix])) + written * sum(lengths[prefix:]))
    even = prices.of_prefixes(before, [2.0] * 9)
    assert sum(even) / len(even) == pytest.approx(prices.mean(before, 18.0))


def test_a_sibling_is_rated_anew_when_the_problem_says_more() -> None:
    planner = Planner([Chain("a", WRONG, "p"), Chain("b", WRONG, "p"), Chain("c", WRONG, "q")], price=0.0)
    before = [planner.value(each) for each in "abc"]
    for sample in range(12):
        planner.record("a", 1, sample, Verdict.RIGHT)
    after = [planner.value(each) for each in "abc"]
    assert after[1] != before[1]
    assert after[2] == before[2]


def test_permuting_chains_changes_nothing() -> None:
    chains = [Chain(k, Evidence(k, Verdict.WRONG)) for k in (9, 3, 7, 5)]
    forward, backward = Planner(chains, price=0.0), Planner(chains[::-1], price=0.0)
    assert forward.next(4) == backward.next(4)


def test_the_same_chain_twice_is_refused() -> None:
    with pytest.raises(InvalidInput, match="twice"):
        Planner([Chain("a", WRONG), Chain("a", WRONG)])


def test_an_unknown_chain_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no such chain"):
        Planner([Chain("a", WRONG)]).posterior("b")


def test_no_chains_no_requests() -> None:
    planner = Planner([])
    assert planner.next(8) == []
    assert planner.posteriors() == []
    assert planner.open == 0
