from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from reasoning.equivalence import Equivalence, Relation
from reasoning.evidence.majority import MOST_SPELLINGS, RULE, Majority, Rule, majority

VALUES = [Fraction(1, 2), Fraction(18), Fraction(-3), Fraction(7, 4)]
SPELLINGS = {value: [str(value), f"${value}$", str(float(value)), f"\\boxed{{{value}}}"] for value in VALUES}
ANSWERS = st.lists(st.one_of(st.none(), st.sampled_from(VALUES).flatmap(lambda v: st.sampled_from(SPELLINGS[v]))))


def related(*pairs: str) -> object:
    """An equality that holds for these pairs alone; of anything else it cannot tell."""

    def equal(one: str, other: str) -> Equivalence:
        known = f"{one}{other}" in pairs or f"{other}{one}" in pairs
        return Equivalence(Relation.EQUAL if known else Relation.UNKNOWN, "test")

    return equal


def test_answers_that_are_written_differently_vote_together() -> None:
    found = majority(["1/2", "0.5", "\\frac{1}{2}", "2", None, "2"])
    assert found == Majority("0.5", votes=3, runner_up=2, total=5)


def test_no_answer_at_all_is_no_majority() -> None:
    assert majority([None, "", "  "]) == Majority(None, 0, 0, 0)
    assert not majority([]).decisive(Rule(answers=0, share=0.0, certainty=0.0))


def test_a_tie_has_no_answer() -> None:
    assert majority(["3"] * 9 + ["4"] * 9) == Majority(None, votes=9, runner_up=9, total=18)


def test_what_cannot_be_told_joins_nobody() -> None:
    found = majority(["a", "a", "b", "c"], equal=related())  # type: ignore[arg-type]
    assert found == Majority("a", votes=2, runner_up=1, total=4)


def test_votes_are_counted_around_an_answer_and_not_along_a_chain() -> None:
    found = majority(["a", "b", "c", "d", "d"], equal=related("ab", "bc", "cd"))  # type: ignore[arg-type]
    assert found == Majority("c", votes=4, runner_up=1, total=5)


def test_spellings_beyond_the_limit_agree_with_no_other_but_count() -> None:
    asked = []

    def equal(one: str, other: str) -> Equivalence:
        asked.append((one, other))
        return Equivalence(Relation.EQUAL, "test")

    found = majority([f"x_{number:03d}" for number in range(200)], equal=equal)
    assert (found.votes, found.total) == (MOST_SPELLINGS, 200)
    assert len(asked) == math.comb(MOST_SPELLINGS, 2)


@given(ANSWERS.flatmap(lambda answers: st.tuples(st.just(answers), st.permutations(answers))))
def test_the_order_of_the_answers_does_not_matter(both: tuple[list[str | None], list[str | None]]) -> None:
    assert majority(both[0]) == majority(both[1])


@given(ANSWERS)
def test_the_votes_are_those_that_have_the_leaders_value(answers: list[str | None]) -> None:
    found = majority(answers)
    of_value = {value: sum(answers.count(spelling) for spelling in SPELLINGS[value]) for value in VALUES}
    first, second = sorted(of_value.values(), reverse=True)[:2]
    assert (found.votes, found.runner_up, found.total) == (first, second, len(answers) - answers.count(None))
    assert (found.answer is None) == (first == second)
    if found.answer is not None:
        [value] = [value for value in VALUES if found.answer in SPELLINGS[value]]
        assert of_value[value] == first


@given(ANSWERS, st.integers(0, 3), st.integers(1, 5))
def test_further_votes_for_a_decisive_answer_never_lose_it(answers: list[str | None], spelling: int, more: int) -> None:
    found = majority(answers)
    if not found.decisive(rule := Rule(answers=3, share=0.5, certainty=0.8)):
        return
    [value] = [value for value in VALUES if found.answer in SPELLINGS[value]]
    after = majority([*answers, *[SPELLINGS[value][spelling]] * more])
    assert after.decisive(rule)
    assert after.answer in SPELLINGS[value]


@given(st.integers(0, 40), st.integers(0, 40))
def test_the_certainty_is_that_of_two_beta_distributed_rates(votes: int, runner_up: int) -> None:
    found = Majority("1", votes, runner_up, votes + runner_up)
    assert found.certainty == pytest.approx(beta.sf(0.5, votes + 1, runner_up + 1))


@pytest.mark.parametrize(
    ("right", "wrong", "decisive"),
    [
        pytest.param(7, 0, False, id="too few answers"),
        pytest.param(8, 0, True, id="all of eight"),
        pytest.param(11, 5, True, id="eleven of sixteen, the others apart"),
        pytest.param(10, 6, False, id="ten of sixteen"),
    ],
)
def test_what_is_decisive(right: int, wrong: int, decisive: bool) -> None:
    found = majority(["18"] * right + [str(100 + number) for number in range(wrong)])
    assert found.decisive() is decisive


def test_a_strong_runner_up_keeps_the_leader_from_being_decisive() -> None:
    scattered = majority(["18"] * 8 + ["1", "2", "3", "4"])
    together = majority(["18"] * 8 + ["1"] * 4)
    assert scattered.share == together.share == pytest.approx(RULE.share)
    assert (scattered.decisive(), together.decisive()) == (True, False)
