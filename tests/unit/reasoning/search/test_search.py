"""Many trees at once against the simulator's world: numbers, selections, going on, and what is found."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reasoning.errors import InvalidInput
from reasoning.first_error import Request
from reasoning.search import Branch, Known, Pair, Search, SearchConfig, Selection
from reasoning.simulator.law import Law
from reasoning.types import Evidence, Rollout, Verdict
from tests.unit.reasoning.search.test_tree import branch, rollout
from tests.unit.reasoning.search.world import Store, World, drive, grown, problems

SMALL = SearchConfig(selections=4, rollouts=60)


def search(world: World, config: SearchConfig = SMALL) -> tuple[Search, Store]:
    return Search(world.known(), config), Store(world)


def pairs(ours: Search, store: Store) -> list[Selection]:
    return [selection for problem in store.problems for selection in ours.selections(problem)]


def visits(ours: Search) -> Counter[tuple[object, int]]:
    """N, by owner and prefix."""
    found: Counter[tuple[object, int]] = Counter()
    for growth in ours._growths.values():
        for twig in growth.tree.twigs.values():
            found |= Counter({(node.owner, node.prefix): node.selected for node in twig.nodes if node.selected})
    return found


def check(ours: Search, store: Store, asked: list[Request]) -> None:
    """What holds at any time."""
    assert len(asked) == len(set(asked))
    selections = pairs(ours, store)
    assert len({selection.pair for selection in selections}) == len(selections)
    assert visits(ours).total() == len(selections)
    texts = [each.branch.solution.text for each in store.selected if each.rollout]
    assert len(texts) == len(set(texts))
    for selected in store.selected:
        solution, prefix, sample = selected.pair
        if selected.rollout is None:
            assert (selected.branch.id, prefix, sample) == (solution, 0, None)
            continue
        assert selected.rollout.verdict is Verdict.WRONG
        begun = store.world.solutions[solution].prefix(prefix)
        assert selected.branch.solution.text == begun + selected.rollout.text
        assert selected.branch.forked_at is not None
        parent = store.world.solutions[selected.branch.forked_from]
        assert selected.branch.forked_at >= prefix
        assert selected.branch.solution.prefix(selected.branch.forked_at) == parent.prefix(selected.branch.forked_at)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 40), st.integers(0, 250))
def test_a_search_that_is_built_again_goes_on_where_it_was(seed: int, limit: int, most: int) -> None:
    world = World(problems(4), Law(seed=seed))
    one, store = search(world)
    first = drive(one, store, limit, most)
    check(one, store, first)
    before = pairs(one, store)

    again = Search(store.known(), SMALL)
    assert pairs(again, store) == before
    assert visits(again) == visits(one)
    assert [again.values(p) for p in store.problems] == [one.values(p) for p in store.problems]
    second = drive(again, store, limit)
    check(again, store, first + second)
    for problem in store.problems:
        assert again.done(problem)
        assert again.spent(problem) <= 60
        made = again.selections(problem)
        assert sum(selection.pair.sample is not None for selection in made) <= 4


def test_going_on_finds_what_going_through_finds() -> None:
    through, whole = search(World(problems(6)))
    drive(through, whole)
    parts = Store(World(problems(6)))
    for _ in range(40):
        drive(Search(parts.known(), SMALL), parts, most=8)
    assert [each.pair for each in parts.selected if each.problem == "sim-3-0001"] == [
        selection.pair for selection in through.selections("sim-3-0001")
    ]
    assert {each.branch.solution for each in parts.selected} == {each.branch.solution for each in whole.selected}


@settings(max_examples=12, deadline=None)
@given(st.randoms(use_true_random=False))
def test_in_which_order_replies_come_does_not_matter(shuffle: random.Random) -> None:
    worlds = [World(problems(3)), World(problems(3))]
    (one, kept), (other, mixed) = map(search, worlds)
    while requests := one.next(99):
        assert sorted(other.next(99), key=str) == sorted(requests, key=str)
        for ours, store, order in ((one, kept, requests), (other, mixed, shuffle.sample(requests, len(requests)))):
            store.keep(ours.selected())
            for request in order:
                ours.take(request.chain, [store.world.draw(*request)])
    assert other.next(99) == []
    assert pairs(one, kept) == pairs(other, mixed)
    for problem in kept.problems:
        values = zip(one.values(problem), other.values(problem), strict=True)
        assert all(a.count == b.count and a.p_correct == pytest.approx(b.p_correct) for a, b in values)


def test_values_are_probabilities_and_estimates_are_shares() -> None:
    ours, store = search(World(problems(6)))
    drive(ours, store)
    values = [value for problem in store.problems for value in ours.values(problem)]
    assert {value.solution for value in values} == set(store.world.solutions)
    for value in values:
        assert 0.0 <= value.p_correct <= 1.0
        assert value.estimate is None if value.count.graded == 0 else 0.0 <= (value.estimate or 0.0) <= 1.0
    for solution, text in store.world.solutions.items():
        mine = [value for value in values if value.solution == solution]
        assert [value.prefix for value in mine] == list(range(1, len(text.steps) + 1))
        assert ours.posterior(solution).p_correct == tuple(value.p_correct for value in mine)
        assert ours.problem_of(solution) in store.problems


def test_planted_first_errors_are_found() -> None:
    ours, store = grown()
    asked = sum(ours.spent(problem) for problem in store.problems)
    right = [
        ours.posterior(each.branch.id).first_error == store.world.first_error(each.branch.solution)
        for each in store.selected
    ]
    forks = [hit for hit, each in zip(right, store.selected, strict=True) if each.rollout]
    assert len(forks) > 80
    assert sum(right) / len(right) > 0.85
    assert sum(forks) / len(forks) > 0.85
    assert asked / len(right) < 16


def test_the_root_is_drawn_first_and_at_the_oldest_solution() -> None:
    ours, _ = search(World(problems(2)))
    requests = ours.next(1)
    assert len(requests) == 5
    requests += ours.next(100)
    assert {(request.chain, request.prefix) for request in requests} == {(("sim-3-0000", 0), 0), (("sim-3-0001", 0), 0)}
    assert [request.sample for request in requests] == [0, 1, 2, 3, 4] * 2
    assert ours.next(100) == []
    assert not ours.done("sim-3-0000")


def test_paths_that_cannot_be_graded_do_not_hold_up_the_search_for_ever() -> None:
    ours, store = search(World(problems(3), Law(ungradable=1.0)))
    assert len(drive(ours, store)) < 3 * 60
    assert all(ours.done(problem) for problem in store.problems)


def test_no_problem_draws_more_than_its_cap_and_none_is_no_limit() -> None:
    for cap in (0, 3, 11):
        ours, store = search(World(problems(3)), SearchConfig(rollouts=cap))
        asked = Counter(ours.problem_of(request.chain) for request in drive(ours, store))
        assert all(ours.spent(problem) == asked[problem] <= cap for problem in store.problems)
        assert max(asked.values(), default=0) == cap
    ours, store = search(World(problems(1)), SearchConfig(rollouts=None, selections=2))
    drive(ours, store)
    assert ours.done("sim-3-0000")


def test_numbers_that_are_stored_are_not_asked_for_again() -> None:
    kept = (rollout(0, 5, Verdict.RIGHT), rollout(0, 7, Verdict.UNKNOWN))
    ours = Search([Known("p", [branch("A", "abc", Verdict.WRONG, *kept)])], SearchConfig(root_rollouts=6))
    assert ours.next(9) == [Request("A", 0, sample) for sample in (8, 9, 10)]


def mixed(root_rollouts: int = 0) -> Search:
    branches = [branch("A", "abcdef"), branch("B", "ghi", Verdict.RIGHT)]
    return Search([Known("p", branches)], SearchConfig(root_rollouts=root_rollouts))


def test_what_was_not_asked_for_changes_nothing() -> None:
    ours = mixed()
    (request,) = ours.next(4)
    assert ours.looking("p") == "A"
    before = ours.posterior("A")
    for chain, prefix, sample in (("A", 9, 0), ("A", -1, 0), ("B", request.prefix, 0), ("A", request.prefix, 7)):
        ours.take(chain, [rollout(prefix, sample, Verdict.WRONG)])
        ours.release(chain, prefix, sample)
    assert ours.posterior("A") == before
    assert ours.next(4) == []
    again = rollout(request.prefix, request.sample, Verdict.WRONG)
    ours.take("A", [again])
    after = ours.posterior("A")
    ours.take("A", [again])
    ours.record("A", request.prefix, request.sample, Verdict.WRONG)
    assert ours.posterior("A") == after != before
    assert ours.spent("p") == 1


def test_a_rollout_of_which_only_the_verdict_is_known_counts_and_is_not_selected() -> None:
    ours = mixed(root_rollouts=8)
    while requests := ours.next(9):
        for chain, prefix, sample in requests:
            ours.record(chain, prefix, sample, Verdict.RIGHT if sample % 2 else Verdict.WRONG)
    assert ours.selections("p") == [Selection(Pair("A", 0, None), "A")]
    assert ours.values("p")[0].count.graded > 0


def test_a_model_that_draws_nothing_ends_the_search() -> None:
    ours = mixed()
    (request,) = ours.next(9)
    ours.release(*request)
    assert ours.next(9) == []
    assert ours.done("p")
    assert ours.spent("p") == 0


def test_a_rollout_that_never_comes_leaves_its_number_used_and_the_rest_goes_on() -> None:
    ours = mixed(root_rollouts=4)
    first, second = ours.next(9)
    ours.release(*first)
    assert not ours.done("p")
    ours.take("A", [rollout(0, second.sample, Verdict.RIGHT)])
    assert ours.next(9) == [Request("A", 0, 2)]
    assert ours.spent("p") == 2


def test_a_problem_without_a_wrong_path_is_done_at_once() -> None:
    ours = Search([Known("p", [branch("B", "ghi", Verdict.RIGHT)])], SearchConfig(root_rollouts=0))
    assert ours.next(3) == []
    assert ours.done("p")
    assert ours.preferences("p") == []


def test_an_earlier_searchs_forks_are_not_made_again() -> None:
    ours, store = search(World(problems(6)))
    drive(ours, store)
    anew = [replace(known, selections=(), spent=0) for known in store.known()]
    again = Search(anew, SMALL)
    made = [each for each in store.selected if each.rollout]
    store.selected = []
    drive(again, store)
    texts = {each.branch.solution.text for each in made}
    assert made
    assert not texts & {each.branch.solution.text for each in store.selected if each.rollout}


def test_what_does_not_fit_together_is_refused() -> None:
    one = Known("p", [branch("A", "ab")])
    with pytest.raises(InvalidInput, match="no solution"):
        Search([Known("p", [])])
    with pytest.raises(InvalidInput, match="same problem"):
        Search([one, one])
    with pytest.raises(InvalidInput, match="same id"):
        Search([one, replace(one, problem="q")])
    ours = Search([one])
    with pytest.raises(InvalidInput, match="no such solution"):
        ours.take("B", [])
    with pytest.raises(InvalidInput, match="no such problem"):
        ours.done("q")


def test_an_empty_search_asks_for_nothing() -> None:
    assert Search([]).next(5) == []


def test_a_lone_step_is_never_rolled_out() -> None:
    text = branch("A", "a").solution
    known = Known("p", [Branch("A", text, Evidence(1, Verdict.WRONG)), branch("B", "b", Verdict.RIGHT)])
    ours = Search([known], SearchConfig(root_rollouts=0))
    assert ours.next(5) == []
    assert [selected.branch.id for selected in ours.selected()] == ["A"]
    assert ours.selected() == []
    assert isinstance(ours.posterior("A").first_error, int)


def test_a_rollout_taken_twice_in_one_call_counts_once() -> None:
    ours = mixed(root_rollouts=3)
    (request,) = ours.next(9)
    one: Rollout = rollout(0, request.sample, Verdict.RIGHT)
    ours.take("A", [one, one])
    assert ours._growths["p"].tree.root.count().graded == 1
