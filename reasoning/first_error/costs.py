"""What a rollout costs: what is read before it, and what is left to write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Prices:
    """Of one unit of length that a model reads, and of one that it writes; only their ratio matters to a planner."""

    read: float = 1.0
    written: float = 4.0
    """Four times as dear: the ratio that most sellers of tokens ask, within a factor of two."""

    def mean(self, given: float, steps: float) -> float:
        """A rollout's cost in the mean over prefixes: half of the steps is read and half is written."""
        return self.read * (given + steps / 2) + self.written * steps / 2

    def of_prefixes(self, given: float, lengths: Sequence[float]) -> tuple[float, ...]:
        """Rollouts' costs at the prefixes 1 … K − 1 of steps that are so long, after `given`: instructions, statement.

        What is written is taken to be as long as the rest of the solution.
        """
        before = np.cumsum(lengths)[:-1]
        return tuple((self.read * (given + before) + self.written * (sum(lengths) - before)).tolist())
