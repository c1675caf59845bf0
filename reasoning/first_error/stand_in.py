"""P(first error | evidence) where answers were graded against a majority of sampled answers, which may be wrong.

Z says whether the stand-in is right; it is so, or not, for all solutions of a problem at once. θ is the noisy chance
that a whole solution is right, around the solve rate s; k of n voters agree. Before the votes Z is as likely as not.

| | Z: the stand-in is right | ¬Z: it is a favourite mistake |
|---|---|---|
| votes | θ^k (1 − θ)^(n − k) | the same of (1 − θ) c: a share c ~ U(0, 1) of what is wrong is this mistake |
| grades | as against a reference answer | x of m answers of a solution agree with it: ∫ ρ^x (1 − ρ)^(m − x) dρ |
| the rest | as ever | as ever |

So under ¬Z grades say nothing of where a solution goes wrong: agreeing with one wrong answer is no sign of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import lgamma, log
from typing import Final

import numpy as np

from reasoning.errors import InvalidInput
from reasoning.first_error.model import DEFAULTS, Parameters
from reasoning.first_error.posterior import by_solve_rate, mean_over_solve_rates, problem_index
from reasoning.first_error.tables import LOGIT_STEP, LOGITS, Floats, Ints, Tables, logit, noisy, tables_for
from reasoning.types import Evidence, Posterior, Verdict

_SHARES: Final[Floats] = (np.arange(64) + 0.5) / 64
"""Of what is wrong, how much is the favourite mistake: the middles of equal parts."""


@dataclass(frozen=True, slots=True)
class Votes:
    """`votes` of the `total` sampled answers of a problem agree on its stand-in."""

    votes: int
    total: int

    def __post_init__(self) -> None:
        if not 0 <= self.votes <= self.total:
            raise InvalidInput(f"{self.votes} votes of {self.total}")


def stand_in_posteriors(
    evidence: Sequence[Evidence],
    votes: Sequence[Votes],
    parameters: Parameters = DEFAULTS,
    problems: Sequence[object] | None = None,
    *,
    believed: float = 0.5,
) -> list[Posterior]:
    """As `posteriors`, of solutions whose problem has a stand-in; those of one problem have the same votes.

    `believed` is P(Z) before any vote; with 1 and no votes it is `posteriors`. Raises InvalidInput as that does.
    """
    if not 0.0 < believed <= 1.0:
        raise InvalidInput(f"believed must be above 0 and at most 1, not {believed}")
    tables, index = tables_for(parameters), problem_index(evidence, problems)
    of_problem = [votes[c] for c in np.unique(index, return_index=True)[1].tolist()]
    right, wrong = _votes_say(of_problem, tables)

    shared, given = by_solve_rate(evidence, parameters, tables, index)
    shared += right
    ungraded = [replace(each, own_answer=Verdict.UNKNOWN, counts={}) for each in evidence]
    mistaken, given_mistaken = by_solve_rate(ungraded, parameters, tables, index)
    mistaken += wrong
    np.add.at(mistaken, index, np.array([[_any_rate(each)] for each in evidence]).reshape(-1, 1))

    odds = log(1.0 - believed) - log(believed) if believed < 1.0 else -np.inf
    doubt = odds + np.logaddexp.reduce(mistaken, 1) - np.logaddexp.reduce(shared, 1)
    trust = 1.0 / (1.0 + np.exp(np.minimum(doubt, 700.0)))
    pairs = zip(
        mean_over_solve_rates(shared, given, index),
        mean_over_solve_rates(mistaken, given_mistaken, index),
        trust[index].tolist(),
        strict=True,
    )
    return [_mixed(one, other, share) for one, other, share in pairs]


def _mixed(one: Posterior, other: Posterior, share: float) -> Posterior:
    both = zip(one.probabilities, other.probabilities, strict=True)
    return Posterior(tuple(share * p + (1.0 - share) * q for p, q in both))


def _votes_say(votes: Sequence[Votes], tables: Tables) -> tuple[Floats, Floats]:
    """(n, S) log P(votes | s) where the stand-in is right, and where it is not."""
    found = {each: _votes_of(each, tables) for each in set(votes)}
    empty = np.empty((0, len(tables.solve)))
    right, wrong = ([found[each][side] for each in votes] for side in (0, 1))
    return np.array(right) if votes else empty, np.array(wrong) if votes else empty


def _votes_of(votes: Votes, tables: Tables) -> tuple[Floats, Floats]:
    """(S,) each."""
    cell: Ints = np.clip(np.rint((logit(tables.solve) - LOGITS[0]) / LOGIT_STEP), 0, len(LOGITS) - 1).astype(np.int64)
    _, log_wrong, weight = noisy(tables.shape.noise)
    mistake = np.exp(log_wrong)[cell][:, :, None] * _SHARES  # (S, Q, shares)
    exponent = votes.votes * np.log(mistake) + (votes.total - votes.votes) * np.log1p(-mistake)
    top = exponent.max((1, 2))
    wrong: Floats = top + np.log(np.exp(exponent - top[:, None, None]).mean(2) @ weight)
    right: Floats = tables.log_counts(votes.total, votes.votes)[cell]
    return right, wrong


def _any_rate(evidence: Evidence) -> float:
    """log ∫ ρ^x (1 − ρ)^(m − x) dρ over all grades of a solution: m in all, x of them right."""
    own = evidence.own_answer
    right = sum(count.successes for count in evidence.counts.values()) + (own is Verdict.RIGHT)
    graded = sum(count.graded for count in evidence.counts.values()) + (own is not Verdict.UNKNOWN)
    return lgamma(right + 1) + lgamma(graded - right + 1) - lgamma(graded + 2)
