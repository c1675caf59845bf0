"""What others do to find the first error with rollouts, over rollouts that were drawn beforehand.

Every method sees the same draws, touches the prefixes 1 … K − 1 only and takes the shown answer for the last step. One
that wants N graded rollouts pays for the ungradable ones among them. First errors are 0 … K here, K for none. With
`shortcut` a right shown answer means *none* and costs nothing.

Hard and soft estimation: Math-Shepherd (arXiv:2312.08935). Bisection: OmegaPRM (arXiv:2406.06592). SPRT: Wald (1945).
SCAN: arXiv:2509.16548, its self-confidence estimated at the first prefix.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from reasoning.first_error.tables import Floats, Ints

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Draws:
    """Rollouts of n chains: `outcome` (n, longest + 1, R) is 1 right, 0 wrong, −1 ungradable, in the order drawn."""

    steps: Ints
    own_right: Flags
    outcome: npt.NDArray[np.int8]

    @cached_property
    def _order(self) -> Ints:
        order: Ints = np.argsort(self.outcome < 0, axis=2, kind="stable")
        return order

    @cached_property
    def right(self) -> Flags:
        """(n, prefixes, R) is the j-th graded rollout right? Where fewer were gradable, the rest are wrong."""
        right: Flags = np.take_along_axis(self.outcome, self._order, 2) == 1
        return right

    @cached_property
    def paid(self) -> Ints:
        """(n, prefixes, R) rollouts drawn to get j + 1 graded ones."""
        paid: Ints = self._order + 1
        return paid

    @cached_property
    def successes(self) -> Ints:
        """(n, prefixes, R) successes among the first j + 1 graded."""
        successes: Ints = np.cumsum(self.right, axis=2)
        return successes

    @cached_property
    def first_success(self) -> Ints:
        """(n, prefixes) index of the first success among the graded, R where there is none."""
        first: Ints = np.where(self.right.any(2), self.right.argmax(2), self.right.shape[2])
        return first

    @cached_property
    def prefixes(self) -> Ints:
        return np.arange(self.outcome.shape[1])[None]

    @cached_property
    def inside(self) -> Flags:
        """(n, prefixes) prefixes that a method may roll out."""
        return (self.prefixes >= 1) & (self.prefixes < self.steps[:, None])

    def price(self, graded: int) -> Ints:
        """(n, prefixes) rollouts drawn to get that many graded ones."""
        paid: Ints = self.paid[..., graded - 1]
        return paid


@dataclass(frozen=True)
class Found:
    """What a method says of n chains, and what it paid."""

    first_error: Ints
    rollouts: Floats
    step_tokens: Floats


@dataclass(frozen=True)
class Test:
    """A method's verdict on every prefix, should it look there: is it good, and what did that cost."""

    good: Flags
    cost: Ints


def hard_test(draws: Draws, n: int) -> Test:
    """Good when any of n rollouts is right; all n are drawn."""
    return Test(draws.first_success < n, draws.price(n))


def early_test(draws: Draws, n: int) -> Test:
    """As `hard_test`, but it stops at the first success: the same verdict for less."""
    last = np.minimum(draws.first_success, n - 1)
    return Test(draws.first_success < n, np.take_along_axis(draws.paid, last[..., None], 2)[..., 0])


def soft_test(draws: Draws, n: int, threshold: float) -> Test:
    """Good when more than `threshold` of n rollouts are right."""
    return Test(draws.successes[..., n - 1] > threshold * n, draws.price(n))


def sprt_test(draws: Draws, good: float, bad: float, bound: float, most: int = 32) -> Test:
    """Sequential probability ratio test of value `good` against `bad`, until ±`bound` nats or `most` rollouts."""
    step = np.where(draws.right[..., :most], np.log(good / bad), np.log((1 - good) / (1 - bad)))
    ratio = np.cumsum(step, axis=2)
    decided = np.abs(ratio) >= bound
    at = np.where(decided.any(2), decided.argmax(2), ratio.shape[2] - 1)[..., None]
    good_side = np.take_along_axis(ratio, at, 2)[..., 0] > 0
    return Test(good_side, np.take_along_axis(draws.paid, at, 2)[..., 0])


def scan_test(draws: Draws, n: int, threshold: float) -> Test:
    """Good when the value is more than `threshold` of the self-confidence, the estimate at the first prefix."""
    value = draws.successes[..., n - 1]
    return Test(value > threshold * value[:, 1:2], draws.price(n))


def every_step(draws: Draws, test: Test, shortcut: bool, tolerance: int = 0) -> Found:
    """Test every prefix; the step that ends the first bad one is the first error, or one `tolerance` steps before."""
    first = _first_bad(draws, test)
    earlier = np.where(first < draws.steps, np.maximum(first - tolerance, 0), first)
    return _found(draws, earlier, np.where(draws.inside, test.cost, 0), shortcut)


def left_to_right(draws: Draws, test: Test, shortcut: bool) -> Found:
    """Test prefixes in order up to the first bad one. With `early_test` this is lossless hard estimation."""
    first = _first_bad(draws, test)
    touched = draws.inside & (draws.prefixes <= first[:, None] + 1)
    return _found(draws, first, np.where(touched, test.cost, 0), shortcut)


def bisection(draws: Draws, test: Test, shortcut: bool) -> Found:
    """Halve the range between a good and a bad prefix. A chain that seems good throughout is what its answer says."""
    n = np.arange(len(draws.steps))
    low, high = np.zeros(len(n), np.int64), draws.steps.copy()
    cost = np.zeros(draws.inside.shape)
    while (open_ := high - low > 1).any():
        rows = n[open_]
        middle = (low[rows] + high[rows]) // 2
        cost[rows, middle] += test.cost[rows, middle]
        good = test.good[rows, middle]
        low[rows[good]] = middle[good]
        high[rows[~good]] = middle[~good]
    none = (high == draws.steps) & draws.own_right
    return _found(draws, np.where(none, draws.steps, high - 1), cost, shortcut)


def _first_bad(draws: Draws, test: Test) -> Ints:
    """(n,) the step that ends the first bad prefix; without one, what the shown answer says of the last step."""
    bad = draws.inside & ~test.good
    last = np.where(draws.own_right, draws.steps, draws.steps - 1)
    return np.where(bad.any(1), bad.argmax(1) - 1, last)


def _found(draws: Draws, first_error: Ints, cost: npt.NDArray[np.generic], shortcut: bool) -> Found:
    if shortcut:
        first_error = np.where(draws.own_right, draws.steps, first_error)
        cost = np.where(draws.own_right[:, None], 0, cost)
    tokens = cost * np.maximum(draws.steps[:, None] - draws.prefixes, 0)
    return Found(first_error, cost.sum(1).astype(np.float64), tokens.sum(1).astype(np.float64))
