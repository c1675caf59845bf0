"""The planner's working memory: joint grids of many chains, updated rollout by rollout.

Chains of one length sit in one `Group`, so that a decision about many of them is one matrix product with the table
that they share; only prefixes that already have rollouts get their own. A group holds P(F, r | s, evidence) per chain;
what the evidence says about s is held per problem, by the planner.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reasoning.first_error.tables import Floats, Ints, Singles, Tables

_TINY = np.float32(1e-30)


@dataclass(frozen=True, slots=True)
class Look:
    """What is known about n chains of one length before the next rollout. I = K − 1 prefixes, 1 … K − 1."""

    first_error: Singles
    """(n, F) P(F)."""
    information: Singles
    """(n, I) expected information about F, in nats, of one rollout at each prefix."""
    entropy: Singles
    """(n,) of F, in nats."""


class Group:
    """Beliefs of n chains of `steps` steps."""

    def __init__(self, tables: Tables, steps: int, given: Floats, graded: Ints, successes: Ints) -> None:
        """`given` is (n, F, S, R) P(F, r | s, evidence); the counts, (n, K + 1), are already in it."""
        self.tables = tables
        self.steps = steps
        self.table = tables.chain(steps)
        self.given: Singles = given.astype(np.float32)
        self.graded: npt.NDArray[np.int16] = graded.astype(np.int16)
        self.successes: npt.NDArray[np.int16] = successes.astype(np.int16)

    def update(self, rows: Ints, prefixes: Ints, right: npt.NDArray[np.bool_]) -> Floats:
        """Take in one graded rollout for each of distinct rows; returns (n, S) log P(outcome | s)."""
        chance = self._chance(rows, prefixes)
        likelihood = np.where(right[:, None, None], chance, 1.0 - chance).reshape(-1, *self.given.shape[1:])
        joint = self.given[rows] * likelihood
        total = np.maximum(joint.sum((1, 3)), _TINY)
        self.given[rows] = joint / total[:, None, :, None]
        self.graded[rows, prefixes] += 1
        self.successes[rows, prefixes] += right
        says: Floats = np.log(total.astype(np.float64))
        return says

    def first_error(self, rows: Ints, solve: Singles) -> Singles:
        """(n, F) P(F), where `solve` is (n, S) P(s | all evidence of the problem)."""
        marginal: Singles = np.matmul(self.given[rows].sum(3), solve[:, :, None])[:, :, 0]
        return marginal

    def look(self, rows: Ints, solve: Singles) -> Look:
        """What the next rollout of each row could tell; `solve` as in `first_error`."""
        joint = (self.given[rows] * solve[:, None, :, None]).reshape(len(rows), self.steps + 1, -1)
        marginal = joint.sum(2)
        right = np.matmul(joint.transpose(1, 0, 2), self.table.fresh)  # (F, n, I): P(F, next rollout right)
        which, prefix = np.nonzero(self.graded[rows, 1 : self.steps])
        if len(which):
            chance = self._chance(rows[which], prefix + 1)
            right[:, which, prefix] = np.matmul(joint[which][:, :, None, :], chance[:, :, :, None])[:, :, 0, 0].T
        wrong = np.maximum(marginal.T[:, :, None] - right, 0.0)
        p_right, p_wrong = right.sum(0), wrong.sum(0)
        entropy = -_plogp(marginal).sum(1)
        after = _plogp(p_right) + _plogp(p_wrong) - _plogp(right).sum(0) - _plogp(wrong).sum(0)
        return Look(marginal, np.maximum(entropy[:, None] - after, 0.0), entropy)

    def _chance(self, rows: Ints, prefixes: Ints) -> Singles:
        """(n, F, G) P(next rollout at that prefix is right | F, s, r, its counts)."""
        predictive = self.tables.predictive(self.graded[rows, prefixes], self.successes[rows, prefixes])
        cells = self.table.cell[prefixes].reshape(len(rows), -1).astype(np.int64)
        return np.take_along_axis(predictive, cells, 1).reshape(len(rows), self.steps + 1, -1)


def _plogp(p: Singles) -> Singles:
    return p * np.log(np.maximum(p, _TINY))
