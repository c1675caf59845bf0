"""The majority of sampled final answers: self-consistency (Wang et al. 2022, https://arxiv.org/abs/2203.11171).

An answer's votes are all answers that the grader calls EQUAL to it: just those that would be graded right against it.
UNKNOWN joins nobody. Equality is not transitive where the grader cannot tell, so votes are counted around each answer
and not along chains; the order in which the answers come changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Final

from reasoning.equivalence import Equivalence, Relation, equal
from reasoning.spelling import normalise

MOST_SPELLINGS: Final = 48
"""So many different spellings, the most frequent first, are compared with each other: 1,128 pairs. A rarer one counts
as an answer that agrees with no other."""

Equal = Callable[[str, str], Equivalence]


@dataclass(frozen=True, slots=True)
class Rule:
    """When a majority is decisive. All three must hold.

    Agreement goes with correctness but does not prove it (Wang et al. 2022, on consistency and accuracy), so the share
    says how much is trusted; the certainty is the stopping rule of Adaptive-Consistency (Aggarwal et al. 2023,
    https://arxiv.org/abs/2305.11860) with its threshold, and keeps few answers from looking like agreement.
    """

    answers: int = 8
    """Answers at least; samples without one are none."""
    share: float = 2 / 3
    """Of the answers that agree, at least."""
    certainty: float = 0.95
    """P(the leader is the more probable answer than the runner-up), at least."""


RULE: Final = Rule()


@dataclass(frozen=True, slots=True)
class Majority:
    """What `total` answers say together; those that mark no answer are not among them."""

    answer: str | None
    """As its most frequent spelling was written; None where there is no answer, or two lead with as many votes each."""
    votes: int
    """Answers that agree on it (in a tie: on either)."""
    runner_up: int
    """Votes of the strongest answer that does not agree with it."""
    total: int

    @property
    def share(self) -> float:
        return self.votes / self.total if self.total else 0.0

    @property
    def certainty(self) -> float:
        """P(p₁ > p₂) under Beta(votes + 1, runner-up + 1): P(Bin(n, ½) ≤ votes), n = votes + runner-up + 1."""
        n = self.votes + self.runner_up + 1
        return float(sum(comb(n, k) for k in range(self.votes + 1)) / 2**n)

    def decisive(self, rule: Rule = RULE) -> bool:
        """Enough answers, enough of them agreeing, far enough ahead. Further agreeing answers never undo it."""
        enough = self.answer is not None and self.total >= rule.answers
        return enough and self.share >= rule.share and self.certainty >= rule.certainty


def majority(answers: Iterable[str | None], *, equal: Equal = equal) -> Majority:
    """The answer that most of them agree on. Hard comparisons are made in a child process: not on the event loop.

    Ties between answers that agree with each other go to the more frequent spelling, the shorter, the first by code
    point. An answer that agrees with no other but has the same spelling twice has two votes.
    """
    written: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for answer in answers:
        spelling = normalise(answer) if answer is not None else ""
        if answer is None or not spelling:
            continue
        counts[spelling] += 1
        written[spelling] = min(written.get(spelling, answer), answer, key=_brief)
    if not counts:
        return Majority(None, 0, 0, 0)
    ranked = sorted(counts, key=lambda spelling: (-counts[spelling], *_brief(spelling)))
    agreeing = _agreeing(ranked, equal)
    votes = {spelling: sum(counts[other] for other in agreeing[spelling]) for spelling in ranked}
    best = max(ranked, key=votes.__getitem__)
    rivals = [agreeing[other] - agreeing[best] for other in ranked if other not in agreeing[best]]
    runner_up = max((sum(counts[other] for other in rival) for rival in rivals), default=0)
    tied = runner_up == votes[best]
    return Majority(None if tied else written[best], votes[best], runner_up, counts.total())


def _brief(text: str) -> tuple[int, str]:
    return len(text), text


def _agreeing(ranked: list[str], equal: Equal) -> dict[str, set[str]]:
    """For each spelling those that are EQUAL to it, itself among them."""
    found = {spelling: {spelling} for spelling in ranked}
    # One order of each pair, whatever the counts: so more votes never change what equals what.
    for one, other in combinations(sorted(ranked[:MOST_SPELLINGS], key=_brief), 2):
        if equal(one, other).verdict is Relation.EQUAL:
            found[one].add(other)
            found[other].add(one)
    return found
