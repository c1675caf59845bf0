"""One problem's tree: what is shared, what may be selected, and by which formula."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reasoning.errors import InvalidInput
from reasoning.first_error import DEFAULTS
from reasoning.search import Branch, Pair, SearchConfig, Selection
from reasoning.search.tree import Tree
from reasoning.steps import join
from reasoning.types import Count, Evidence, Problem, Rollout, Solution, Usage, Verdict

RIGHT, WRONG, UNKNOWN = Verdict.RIGHT, Verdict.WRONG, Verdict.UNKNOWN
PAPER = SearchConfig(sound=0.0)


def solution(steps: str) -> Solution:
    """One letter a step."""
    text, placed = join([*steps])
    return Solution(Problem("p", "1"), text, placed)


def branch(name: str, steps: str, own: Verdict = WRONG, *rollouts: Rollout, **fork: object) -> Branch:
    return Branch(name, solution(steps), Evidence(len(steps), own), rollouts, **fork)  # type: ignore[arg-type]


def rollout(prefix: int, sample: int, verdict: Verdict, steps: str = "xyz", tokens: int = 10) -> Rollout:
    text = "\n\n" + "\n\n".join(steps) if steps else ""
    return Rollout(prefix, sample, text, None, verdict, "exact", "m", None, "stop", Usage(0, tokens))


def tree(*branches: Branch, config: SearchConfig = PAPER) -> Tree:
    grown = Tree("p", config, DEFAULTS)
    for each in branches:
        grown.add(each)
    return grown


def test_a_shared_prefix_is_one_node_and_counts_once_in_each_chain() -> None:
    ours = tree(
        branch("A", "abcd", WRONG, rollout(0, 0, RIGHT), rollout(2, 0, RIGHT), rollout(3, 0, WRONG)),
        branch("B", "abef", RIGHT, rollout(2, 0, WRONG), rollout(3, 0, RIGHT)),
    )
    a, b = ours.twig("A"), ours.twig("B")
    assert a.evidence.counts == {0: Count(1, 1), 2: Count(1, 2), 3: Count(0, 1)}
    assert b.evidence.counts == {0: Count(1, 1), 2: Count(1, 2), 3: Count(1, 1)}
    assert [node.owner for node in b.nodes] == ["A", "A", "A", "B", "B"]


@pytest.mark.parametrize("again", [False, True])
def test_the_rollout_that_a_solution_is_made_of_is_its_own_answer_and_counts_for_the_others(again: bool) -> None:
    ours = tree(branch("A", "ab", RIGHT, rollout(1, 0, RIGHT), rollout(1, 1, WRONG)))
    made = ours.select()
    assert made is not None
    if again:  # built anew from what was stored
        stored = replace(made.branch, id="B")
        ours = tree(branch("A", "ab", RIGHT, rollout(1, 0, RIGHT), rollout(1, 1, WRONG)), stored)
    fork = ours.twig("B" if again else made.branch.id)
    assert fork.evidence.own_answer is WRONG
    assert fork.evidence.counts == {1: Count(1, 1)}
    assert ours.twig("A").evidence.counts == {1: Count(1, 2)}


def test_the_same_text_cut_at_other_places_is_another_prefix() -> None:
    text, _ = join(["a", "b", "c"])
    whole, placed = join(["a\n\nb", "c"])
    assert text == whole
    other = Branch("B", Solution(Problem("p", "1"), whole, placed), Evidence(2, WRONG))
    ours = tree(branch("A", "abc"), other)
    assert [node.owner for node in ours.twig("B").nodes] == ["A", "B", "B"]


def test_ungradable_rollouts_are_no_evidence_and_never_selected() -> None:
    ours = tree(branch("A", "abcd", RIGHT, *(rollout(2, n, UNKNOWN, "xy" + str(n)) for n in range(5))))
    assert ours.twig("A").evidence.counts == {}
    assert ours.select() is None
    assert tree(branch("A", "ab", UNKNOWN), branch("B", "ac", RIGHT)).select() is None


@pytest.mark.parametrize("verdict", [RIGHT, WRONG])
def test_a_prefix_after_which_all_is_right_or_all_wrong_yields_no_pair(verdict: Verdict) -> None:
    drawn = [rollout(2, n, verdict, f"x{n}") for n in range(6)]
    assert tree(branch("A", "abcd", RIGHT, *drawn)).select() is None


def test_a_wrong_solution_is_looked_into_only_if_some_path_from_the_root_is_right() -> None:
    assert tree(branch("A", "ab"), branch("B", "cd")).select() is None
    found = tree(branch("A", "ab"), branch("B", "cd", RIGHT)).select()
    assert found is not None
    assert (found.pair, found.branch.id, found.rollout) == (Pair("A", 0, None), "A", None)
    assert tree(branch("A", "ab", WRONG, rollout(0, 0, RIGHT))).select() is not None


def test_what_elected_the_answer_says_which_paths_end_wrong_and_is_evidence_of_nothing() -> None:
    ours = Tree("p", PAPER, DEFAULTS, elected=True)
    voted = rollout(0, 0, RIGHT), rollout(0, 1, RIGHT), rollout(0, 2, WRONG, "uv")
    ours.add(branch("A", "abcd", RIGHT, *voted, rollout(2, 0, WRONG)))
    assert ours.twig("A").evidence.counts == {2: Count(0, 1)}
    assert ours.root.estimate == 0.75
    assert ours.root.next_sample == 3
    found = ours.select()
    assert found is not None
    assert (found.pair, found.branch.forked_from, found.branch.forked_at) == (Pair("A", 0, 2), "A", 0)
    assert ours.twig(found.branch.id).evidence.counts == {}


def test_a_fork_is_no_path_from_the_root() -> None:
    fork = branch("B", "abxy", RIGHT, forked_from="A", forked_at=2)
    ours = tree(branch("A", "abcd"), fork)
    assert ours.root.estimate == 0.0


def test_what_is_selected_is_a_solution_forked_where_it_leaves_the_tree() -> None:
    drawn = (rollout(2, 0, RIGHT), rollout(2, 3, WRONG, "efg"))
    ours = tree(branch("A", "abcd", RIGHT, *drawn), branch("B", "abeh", RIGHT))
    found = ours.select()
    assert found is not None
    assert found.pair == found.branch.id == Pair("A", 2, 3)
    assert found.branch.solution == solution("abefg")
    assert (found.branch.forked_from, found.branch.forked_at) == ("B", 3)
    assert found.branch.evidence == Evidence(5, WRONG)
    assert found.rollout == drawn[1]
    assert ours.twig(found.branch.id).nodes[2].selected == 1


def test_the_rollout_with_the_greatest_q_plus_u_is_selected() -> None:
    often = [rollout(1, n, RIGHT) for n in range(3)] + [rollout(1, 9, WRONG, "mno", tokens=300)]
    seldom = [rollout(2, 0, RIGHT), rollout(2, 1, WRONG, "pqr"), rollout(2, 2, WRONG, "stu", tokens=900)]
    ours = tree(branch("A", "abcd", RIGHT, *often, *seldom))
    n = {1: 0, 2: 0}
    left = {(1, 9): (3 / 4, 300), (2, 1): (1 / 3, 10), (2, 2): (1 / 3, 900)}
    while left:
        total = math.sqrt(sum(n.values()))
        score = {k: 0.5 ** (1 - mc) * 0.9 ** (t / 500) + 0.125 * total / (1 + n[k[0]]) for k, (mc, t) in left.items()}
        best = max(score, key=score.__getitem__)
        found = ours.select()
        assert found is not None
        assert found.pair == Pair("A", *best)
        n[best[0]] += 1
        del left[best]
    assert ours.select() is None
    assert {node.prefix: node.selected for node in ours.twig("A").nodes if node.selected} == n


def test_without_usage_the_length_is_taken_from_the_text() -> None:
    long, short = rollout(1, 0, WRONG, "m" * 40, tokens=0), rollout(1, 1, WRONG, "mn", tokens=0)
    found = tree(branch("A", "abcd", RIGHT, rollout(1, 2, RIGHT), long, short)).select()
    assert found is not None
    assert found.rollout == short


def test_rollouts_of_the_same_words_make_one_solution() -> None:
    drawn = [rollout(2, n, WRONG, "ef") for n in range(4)]
    copy = [rollout(1, n, WRONG, "cd") for n in range(2)]
    right = [rollout(1, 9, RIGHT), rollout(2, 9, RIGHT)]
    ours = tree(branch("A", "abcd", RIGHT, *drawn, *right), branch("B", "acd", UNKNOWN, *copy))
    found = ours.select()
    assert found is not None
    assert found.pair == Pair("A", 2, 0)
    assert ours.select() is None


def test_rollouts_without_words_count_and_are_never_selected() -> None:
    ours = tree(branch("A", "abcd", RIGHT, rollout(2, 0, WRONG, ""), rollout(2, 1, RIGHT)))
    assert ours.twig("A").nodes[2].estimate == 0.5
    assert ours.select() is None
    blank = Rollout(2, 0, " \n", None, WRONG, "", "m", None, "stop")
    assert tree(branch("A", "abcd", RIGHT, blank, rollout(2, 1, RIGHT))).select() is None


def test_behind_a_first_error_nothing_is_selected() -> None:
    bad = [rollout(2, n, WRONG, f"x{n}") for n in range(11)] + [rollout(2, 11, RIGHT)]
    good = [rollout(1, n, RIGHT) for n in range(12)]
    config = SearchConfig()
    assert tree(branch("A", "abcdef", WRONG, *bad, *good), config=config).select() is None
    assert tree(branch("A", "abcdef", WRONG, *bad, *good)).select() is not None


def test_of_equals_the_older_solution_the_shorter_prefix_and_the_lower_number_comes_first() -> None:
    def pairs(name: str) -> list[Rollout]:
        drawn = [rollout(i, n, WRONG, f"{name}{i}{n}") for i in (1, 2) for n in (4, 3)]
        return drawn + [rollout(i, n, RIGHT) for i in (1, 2) for n in (0, 1)]

    config = SearchConfig(sound=0.0, explore=0.0)
    ours = tree(branch("Z", "abc", RIGHT, *pairs("m")), branch("A", "def", RIGHT, *pairs("n")), config=config)
    found = [ours.select() for _ in range(8)]
    expected = [Pair(name, i, n) for name in "ZA" for i in (1, 2) for n in (3, 4)]
    assert [each.pair for each in found if each] == expected


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from(Verdict)), max_size=30), st.randoms(use_true_random=False))
def test_the_order_in_which_rollouts_arrive_does_not_matter(
    drawn: list[tuple[int, Verdict]], shuffle: random.Random
) -> None:
    config = SearchConfig(sound=0.2)
    rollouts = [rollout(prefix, n, verdict, f"x{n % 7}") for n, (prefix, verdict) in enumerate(drawn)]
    mixed = shuffle.sample(rollouts, len(rollouts))
    one, other = (tree(branch("A", "abcd", WRONG, *r), branch("B", "abef"), config=config) for r in (rollouts, mixed))
    while True:
        first, second = one.select(), other.select()
        assert (first is None) == (second is None)
        if first and second:
            assert first.pair == second.pair
            assert first.branch.solution == second.branch.solution
        for twig in one.twigs.values():
            assert one.posterior(twig) == other.posterior(other.twig(twig.branch.id))
        if first is None:
            return


def test_what_does_not_fit_together_is_refused() -> None:
    with pytest.raises(InvalidInput, match="twice"):
        tree(branch("A", "ab"), branch("A", "ab"))
    with pytest.raises(InvalidInput, match="evidence of 3 steps for 2"):
        tree(Branch("A", solution("ab"), Evidence(3)))
    with pytest.raises(InvalidInput, match="prefix 3 of 2 steps"):
        tree(branch("A", "ab", WRONG, rollout(3, 0, RIGHT)))
    with pytest.raises(InvalidInput, match="no such solution: 'A'"):
        tree(branch("B", "ab", forked_from="A", forked_at=1))
    with pytest.raises(InvalidInput, match="go together"):
        tree(branch("A", "ab"), branch("B", "ac", forked_from="A"))
    for at in (-1, 2, 3):
        with pytest.raises(InvalidInput, match="not one with 'A'"):
            tree(branch("A", "ab"), branch("B", "acd", forked_from="A", forked_at=at))


def test_selections_that_do_not_fit_are_refused() -> None:
    ours = tree(branch("A", "ab", WRONG, rollout(1, 0, WRONG)), branch("B", "ac", forked_from="A", forked_at=1))
    ours.choose(Selection(Pair("A", 1, 0), "B"))
    with pytest.raises(InvalidInput, match="selected twice"):
        ours.choose(Selection(Pair("A", 1, 0), "B"))
    with pytest.raises(InvalidInput, match="no such solution: 'C'"):
        ours.choose(Selection(Pair("A", 1, 1), "C"))
    for prefix in (-1, 3):
        with pytest.raises(InvalidInput, match=f"prefix {prefix}"):
            ours.choose(Selection(Pair("A", prefix, 1), "B"))


@pytest.mark.parametrize(
    "wrong", [{"alpha": 0.0}, {"beta": 1.1}, {"length": 0.0}, {"explore": -1}, {"mass": math.nan}, {"rollouts": -1}]
)
def test_a_config_out_of_its_domain_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidInput, match=next(iter(wrong))):
        SearchConfig(**wrong)  # type: ignore[arg-type]
