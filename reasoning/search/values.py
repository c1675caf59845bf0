"""What a search takes and yields."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from reasoning.errors import InvalidInput
from reasoning.first_error import DEFAULT_PRICE
from reasoning.types import Count, Evidence, Rollout, Solution


@dataclass(frozen=True, slots=True)
class SearchConfig:
    """How a tree grows. Symbols of selection are the paper's; raises InvalidInput for what is out of its domain."""

    alpha: float = 0.5
    """Q = alpha^(1 − MC(s)) · beta^(tokens of the rollout / length): right prefixes first."""
    beta: float = 0.9
    """… and short rollouts before long ones."""
    length: float = 500.0
    """L, in tokens."""
    explore: float = 0.125
    """c in U = c · √(Σ N) / (1 + N(s)): prefixes selected less often."""
    root_rollouts: int = 8
    """Paths from the bare problem that there must be, whole solutions counted, before anything is looked into."""
    selections: int = 8
    """Rollouts selected of one problem at most: its new solutions."""
    rollouts: int | None = 200
    """Rollouts drawn for one problem at most; None is no limit."""
    price: float = DEFAULT_PRICE
    """The planner's: a selected solution is done when its next rollout is worth less."""
    sound: float = 0.5
    """P(right) that a prefix must have: behind a first error there is no other to be found. 0 is the paper's rule."""
    mass: float = 0.5
    """How sure a preference is at least: P(the rejected step is wrong first), and P(the chosen one is right)."""

    def __post_init__(self) -> None:
        for name, low, high in _DOMAINS:
            value = getattr(self, name)
            if not (math.isfinite(value) and low <= value <= high):
                raise InvalidInput(f"{name} must be between {low} and {high}, not {value}")
        if self.rollouts is not None and self.rollouts < 0:
            raise InvalidInput(f"rollouts must not be negative, not {self.rollouts}")


_DOMAINS = (
    ("alpha", 1e-9, 1.0),
    ("beta", 1e-9, 1.0),
    ("length", 1e-9, 1e9),
    ("explore", 0.0, 1e6),
    ("root_rollouts", 0, 10_000),
    ("selections", 0, 1_000_000),
    ("price", 0.0, 1e6),
    ("sound", 0.0, 1.0),
    ("mass", 0.0, 1.0),
)


class Pair(NamedTuple):
    """A wrong rollout: number `sample` of the first `prefix` steps of `solution`, the solution it is stored at.

    With sample None it is `solution` itself, one path from the root (prefix 0) that was there from the start.
    """

    solution: Hashable
    prefix: int
    sample: int | None


class Selection(NamedTuple):
    """A pair that was selected, and the solution that came of it."""

    pair: Pair
    solution: Hashable


@dataclass(frozen=True, slots=True)
class Branch:
    """One solution of the tree with what is known of it.

    The texts of both are one up to the first `forked_at` steps of `forked_from`; both are None for a solution that was
    not forked, and only those are paths from the root. `evidence.counts` is not used: counts come from `rollouts`.
    """

    id: Hashable
    solution: Solution
    evidence: Evidence
    rollouts: Sequence[Rollout] = ()
    """Those stored at this very solution, in any order."""
    forked_from: Hashable | None = None
    forked_at: int | None = None
    origin: Pair | None = None
    """The rollout that it is made of: how that ended is its own answer, so it counts for the other solutions only."""


@dataclass(frozen=True, slots=True)
class Known:
    """Everything stored about one problem: enough to begin a search, or to go on with one."""

    problem: Hashable
    branches: Sequence[Branch]
    """Oldest first, a fork after what it was forked from."""
    selections: Sequence[Selection] = ()
    """Made so far, oldest first; forks that an earlier search made are branches, and that is all."""
    spent: int = 0
    """Rollouts drawn so far that count against `SearchConfig.rollouts`."""
    elected: bool = False
    """The answer that all is graded against was elected by what was drawn from the bare problem. So that says which
    paths from the root end right or wrong, and is evidence of nothing: it would be its own witness.
    """


@dataclass(frozen=True, slots=True)
class Selected:
    """A pair has just been selected, and the first error of `branch` is looked for.

    For a rollout the branch is a new solution, its id the pair itself: its text is the prefix's text and the rollout's,
    byte for byte, and its own answer is wrong, as the rollout was. `forked_from` is the oldest solution with which it
    shares the longest beginning, step for step: `forked_at` is at least the pair's prefix.
    """

    problem: Hashable
    pair: Pair
    branch: Branch
    rollout: Rollout | None
    """None where the pair is a solution that was there from the start; `branch` is that solution."""


@dataclass(frozen=True, slots=True)
class Value:
    """What is known of one prefix (1 … K) of one solution."""

    solution: Hashable
    prefix: int
    count: Count
    """Of all rollouts after this very text, whichever solution they were drawn at."""
    p_correct: float
    """P(no step of the prefix is wrong), from the posterior of this solution."""

    @property
    def estimate(self) -> float | None:
        """MC(s); None without a graded rollout."""
        return self.count.successes / self.count.graded if self.count.graded else None


@dataclass(frozen=True, slots=True)
class Preference:
    """Two ways to go on after the first `prefix` steps of `solution`: `chosen` is better than `rejected`.

    Guaranteed: they differ in more than white space and case; `rejected` is the step of that solution that is wrong
    first, with at least `SearchConfig.mass`; `chosen` leads to the right answer or stands in another solution, and was
    not rejected after the same prefix; `chosen_value > rejected_value`, both P(no step up to and with this one is
    wrong), and `chosen_value` is at least `SearchConfig.mass`; no two preferences of a problem reject the same step
    after the same prefix.
    """

    solution: Hashable
    prefix: int
    chosen: str
    rejected: str
    chosen_value: float
    rejected_value: float
