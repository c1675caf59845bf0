"""The law of the simulated world: how hard a problem is, what a prefix is worth, what a judge says.

With K steps, solve rate s, recovery r and F the first wrong step (K: none), prefix i being the first i steps:
base = s^((K−i)/K); P(a rollout from prefix i is right) = base + (1−base)·r/2 for i ≤ F and r·base·0.9^(i−1−F) beyond,
with normal noise on the logit, drawn once a prefix.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import Final

from reasoning.simulator import draws

_NORMAL: Final = NormalDist()


@dataclass(frozen=True, slots=True)
class JudgeRates:
    """Chances of what a judge says; what is left of a wrong chain is a uniform step."""

    hit: float = 0.65
    near: float = 0.15
    miss: float = 0.1
    false_alarm: float = 0.1
    shared: float = 0.5
    """How often two votes on one solution are one and the same draw: votes of one judge err together."""


@dataclass(frozen=True, slots=True)
class Law:
    """The world's parameters. s ~ Beta(solve) clipped to [0.05, 0.98], r ~ Beta(1, 1/recovery − 1)."""

    seed: int = 0
    solve: tuple[float, float] = (2.0, 1.5)
    recovery: float = 0.12
    noise: float = 0.7
    false_positive: float = 0.05
    ungradable: float = 0.02
    judge: JudgeRates = JudgeRates()

    def solve_rate(self, problem: str) -> float:
        return min(max(_beta("solve", self.seed, problem, *self.solve), 0.05), 0.98)

    def recovery_rate(self, problem: str) -> float:
        return _beta("recovery", self.seed, problem, 1.0, 1.0 / self.recovery - 1.0)

    def first_error(self, problem: str, steps: int, rng: random.Random) -> int:
        """A draw of F for a new chain of `steps` steps; `steps` where no step is wrong."""
        hazard = 1.0 - self.solve_rate(problem) ** (1.0 / steps)
        return next((i for i in range(steps) if rng.random() < hazard), steps)

    def value(self, problem: str, prefix_text: str, steps: int, prefix: int, first_error: int) -> float:
        """P(a rollout is right) after the first `prefix` of `steps` steps; `first_error` is K where there is none."""
        solve, recovery = self.solve_rate(problem), self.recovery_rate(problem)
        base = solve ** ((steps - prefix) / steps)
        if prefix <= first_error:
            value = base + (1.0 - base) * recovery / 2.0
        else:
            value = recovery * base * 0.9 ** (prefix - 1 - first_error)
        shift = self.noise * _NORMAL.inv_cdf(min(max(draws.uniform("noise", self.seed, prefix_text), 1e-9), 1 - 1e-9))
        return _squash(_logit(value) + shift)

    def shown_right(self, problem: str, steps: int, first_error: int) -> float:
        """P(a wrong chain of `steps` steps shows the right answer), without noise."""
        value = self.recovery_rate(problem) * 0.9 ** (steps - 1 - first_error)
        return 1.0 - (1.0 - value) * (1.0 - self.false_positive)

    def judged(self, solution: str, steps: int, first_error: int, *vote: draws.Part) -> int:
        """The step that the judge calls the first wrong one, `steps` where it calls none; `vote` tells draws apart."""
        drawn: tuple[draws.Part, ...] = ("judge", self.seed, solution)
        if draws.uniform(*drawn, "shared", *vote) >= self.judge.shared:
            drawn = (*drawn, *vote)
        u = draws.uniform(*drawn, "u")
        anywhere = int(draws.uniform(*drawn, "step") * steps)
        if first_error >= steps:
            return anywhere if u < self.judge.false_alarm else steps
        hit, near, miss = self.judge.hit, self.judge.near, self.judge.miss
        if u < hit:
            return first_error
        if u < hit + near:
            beside = first_error + (1 if draws.uniform(*drawn, "side") < 0.5 else -1)
            return min(max(beside, 0), steps - 1)
        return steps if u < hit + near + miss else anywhere


@lru_cache(maxsize=65_536)
def _beta(what: str, seed: int, problem: str, alpha: float, beta: float) -> float:
    return draws.generator(what, seed, problem).betavariate(alpha, beta)


def _logit(p: float) -> float:
    p = min(max(p, 1e-9), 1.0 - 1e-9)
    return math.log(p / (1.0 - p))


def _squash(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x))


LAW: Final = Law()
