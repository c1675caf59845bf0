"""Pairs of steps: what is guaranteed of each, and that they are true."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from reasoning.search import Preference, Search, SearchConfig
from reasoning.search.preferences import preferences
from reasoning.simulator.law import Law
from reasoning.types import Rollout, Verdict
from tests.unit.reasoning.search.test_tree import branch, rollout, tree
from tests.unit.reasoning.search.world import Store, World, drive, grown, problems

RIGHT, WRONG = Verdict.RIGHT, Verdict.WRONG


def words(text: str) -> str:
    return " ".join(text.split()).casefold()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 300), st.sampled_from([0.0, 0.5, 0.8]))
def test_every_preference_keeps_its_promises(seed: int, most: int, mass: float) -> None:
    world = World(problems(4), Law(seed=seed))
    store, ours = Store(world), Search(world.known(), SearchConfig(mass=mass))
    drive(ours, store, most=most)
    for problem in store.problems:
        found = ours.preferences(problem)
        for each in found:
            solution, posterior = world.solutions[each.solution], ours.posterior(each.solution)
            assert each.rejected == solution.steps[each.prefix].text
            assert each.prefix == posterior.first_error
            assert posterior.certainty >= mass
            assert words(each.chosen) != words(each.rejected)
            assert 0.0 <= each.rejected_value < each.chosen_value <= 1.0
            assert each.chosen_value >= mass
        rejected = {(world.solutions[p.solution].prefix(p.prefix), words(p.rejected)) for p in found}
        assert len(rejected) == len(found)
        assert not rejected & {(world.solutions[p.solution].prefix(p.prefix), words(p.chosen)) for p in found}


def test_chosen_steps_are_right_and_rejected_ones_wrong_in_the_simulators_world() -> None:
    ours, store = grown()
    world = store.world
    found = [each for problem in store.problems for each in ours.preferences(problem)]
    rejected = [world.first_error(world.solutions[each.solution]) == each.prefix for each in found]
    assert len(found) > 60
    assert sum(rejected) / len(rejected) > 0.9
    assert sum(world.holds(each.solution, each.prefix, each.chosen) for each in found) / len(found) > 0.9


def bad(prefix: int, count: int = 12) -> list[Rollout]:
    return [rollout(prefix, n, WRONG, f"x{n}") for n in range(count)]


def good(prefix: int, steps: str = "uv", count: int = 12) -> list[Rollout]:
    return [rollout(prefix, n, RIGHT, steps) for n in range(count)]


def test_the_first_step_of_a_right_rollout_is_chosen() -> None:
    ours = tree(branch("A", "abcd", WRONG, *good(1), *bad(2)))
    (found,) = preferences(ours)
    assert (found.solution, found.prefix, found.chosen, found.rejected) == ("A", 1, "u", "b")


def test_a_step_of_another_solution_is_chosen_where_it_is_surer() -> None:
    sibling = branch("B", "amno", RIGHT, *good(2), *good(3))
    ours = tree(branch("A", "abcd", WRONG, *good(1)[:3], *bad(2)), sibling)
    (found,) = preferences(ours)
    assert (found.chosen, found.rejected) == ("m", "b")


def test_the_same_wrong_step_is_rejected_once_and_never_chosen() -> None:
    again = branch("B", "aBxy", WRONG, *bad(2))
    ours = tree(branch("A", "abcd", WRONG, *good(1, "Bv"), *bad(2)), again)
    assert preferences(ours) == []
    ours = tree(branch("A", "abcd", WRONG, *good(1), *bad(2)), again)
    assert [(each.solution, each.rejected) for each in preferences(ours)] == [("A", "b")]


def test_a_solution_that_ends_where_another_errs_offers_no_step() -> None:
    ours = tree(branch("A", "abcd", WRONG, *good(1), *bad(2)), branch("B", "a", RIGHT))
    assert [each.chosen for each in preferences(ours)] == ["u"]


def test_without_a_better_step_there_is_no_preference() -> None:
    ours = tree(branch("A", "abcd", WRONG, rollout(1, 99, RIGHT, ""), *bad(2)))
    assert preferences(ours) == []
    weak = SearchConfig(mass=0.0)
    worse: list[Preference] = preferences(
        tree(branch("A", "ab", WRONG, *bad(1, 3)), branch("B", "a", WRONG), config=weak)
    )
    assert all(each.chosen_value > each.rejected_value for each in worse)
