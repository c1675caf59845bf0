"""What the posterior looks up: values of prefixes on a grid, and chances of counts with the noise integrated out.

Symbols: K steps; F = 0 … K, where K stands for "none" here; s solve rate, r recovery; G = S·R cells (s, r), s-major;
prefix i = 0 … K. For a prefix the chance that a rollout is right is, before noise,

    good, i ≤ F:  b + (1 − b)·r/2,  b = s^((K − i)/K)
    bad,  i > F:  r·b·fade^(i − 1 − F)

and the noise is N(0, noise) on its logit, once per prefix. Logits are rounded to a grid of Z points, so that everything
about counts is one table over (graded, successes, z).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from reasoning.first_error.model import Parameters

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

SOLVE_NODES: Final = 6
RECOVERY_NODES: Final = 4
LOGIT_STEP: Final = 0.125
LOGITS: Final[Floats] = np.arange(-9.0, 11.0 + LOGIT_STEP / 2, LOGIT_STEP)
LONG: Final = 128
"""Chains longer than this have large tables, of which only few are kept."""
SOLVE_CLIP: Final = (0.05, 0.98)
_NOISE_STEP: Final = 0.125


def sigmoid(z: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-z))


def logit(p: Floats) -> Floats:
    return np.log(p) - np.log1p(-p)


@dataclass(frozen=True, slots=True)
class Shape:
    """The numbers that the tables depend on; hashable, so that equal ones share their tables."""

    solve_rate: tuple[float, float]
    recovery: float
    noise: float
    fade: float
    hazard_scale: float
    hazard_floor: float
    first_step: float
    false_positive: float
    false_negative: float
    nodes: tuple[int, int] = (SOLVE_NODES, RECOVERY_NODES)

    @classmethod
    def of(cls, p: Parameters, nodes: tuple[int, int] = (SOLVE_NODES, RECOVERY_NODES)) -> Shape:
        return cls(
            p.solve_rate, p.recovery, p.noise, p.fade, p.hazard_scale, p.hazard_floor, p.first_step,
            p.false_positive, p.false_negative, nodes,
        )  # fmt: skip


def beta_nodes(a: float, b: float, count: int, low: float = 0.0, high: float = 1.0) -> tuple[Floats, Floats]:
    """(nodes, weights), each (count,): Beta(a, b) clipped to [low, high], cut into slices and each taken at its mean.

    Slices are narrower towards both ends (equal steps of an arcsine of the mass), where values change the most.
    """
    z = np.linspace(-16.0, 16.0, 4001)  # integrated on the logit scale: smooth for every a, b
    x = sigmoid(z)
    log_density = a * np.log(x) + b * np.log1p(-x)
    mass = np.exp(log_density - log_density.max())
    mass /= mass.sum()
    x = np.clip(x, low, high)
    middle = np.clip(np.cumsum(mass) - mass / 2, 0.0, 1.0)
    slices = np.minimum((2 / np.pi * np.arcsin(np.sqrt(middle)) * count).astype(np.int64), count - 1)
    weights = np.bincount(slices, mass, count)
    nodes = np.bincount(slices, mass * x, count) / np.maximum(weights, 1e-300)
    return nodes, weights / weights.sum()


@dataclass(frozen=True, slots=True)
class ChainTable:
    """All that chains of one length share. F runs over K + 1 values, G over S·R cells."""

    cell: npt.NDArray[np.int16]
    """(K + 1, F, G) logit grid point of prefix i."""
    log_prior: Floats
    """(F, S) log P(F | s)."""
    own_right: Floats
    """(F, G) P(shown answer graded right | F, s, r)."""
    fresh: Singles
    """(F, G, K − 1) P(a rollout is right) at the prefixes 1 … K − 1 before any was seen."""


class Tables:
    """Tables of one Shape. Get it from `tables_for`, which shares them."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        a, b = shape.solve_rate
        self.solve, solve_weight = beta_nodes(a, b, shape.nodes[0], *SOLVE_CLIP)
        self.recovery, recovery_weight = beta_nodes(1.0, 1.0 / shape.recovery - 1.0, shape.nodes[1], 0.002, 0.95)
        self.log_solve: Floats = np.log(solve_weight)
        self.log_recovery: Floats = np.log(recovery_weight)
        self.s: Floats = np.repeat(self.solve, len(self.recovery))
        self.r: Floats = np.tile(self.recovery, len(self.solve))
        self._log_right, self._log_wrong, self._weight = noisy(shape.noise)
        self._log_counts: dict[tuple[int, int], Floats] = {}
        self._predictive: Singles = np.zeros((0, 0, len(LOGITS)), np.float32)
        self._short = lru_cache(maxsize=256)(self._chain)
        self._long = lru_cache(maxsize=3)(self._chain)

    def chain(self, steps: int) -> ChainTable:
        """The table of chains of `steps` ≥ 1 steps."""
        return self._long(steps) if steps > LONG else self._short(steps)

    def log_counts(self, graded: int, successes: int) -> Floats:
        """(Z,) log E[θ^successes · (1 − θ)^(graded − successes)], θ the noisy value at each grid point."""
        key = (graded, successes)
        if key not in self._log_counts:
            exponent = successes * self._log_right + (graded - successes) * self._log_wrong
            top = exponent.max(1)
            self._log_counts[key] = top + np.log(np.exp(exponent - top[:, None]) @ self._weight)
        return self._log_counts[key]

    def predictive(self, graded: npt.NDArray[np.integer], successes: npt.NDArray[np.integer]) -> Singles:
        """(n, Z) P(next rollout of a prefix is right), given its counts so far, at each grid point."""
        most = int(graded.max(initial=0))
        if most >= len(self._predictive):
            self._extend(most + 8)
        table: Singles = self._predictive[graded, successes]
        return table

    def _extend(self, most: int) -> None:
        start = len(self._predictive)
        table = np.zeros((most + 1, most + 1, len(LOGITS)), np.float32)
        table[:start, :start] = self._predictive
        for n in range(start, most + 1):
            for x in range(n + 1):
                table[n, x] = np.exp(self.log_counts(n + 1, x + 1) - self.log_counts(n, x))
        self._predictive = table

    def log_prior(self, hazard: Floats) -> Floats:
        """(F, S) log P(F | s) from the hazard (K, S) of each step."""
        stay = np.log1p(-hazard)
        before = np.concatenate([np.zeros((1, hazard.shape[1])), np.cumsum(stay, axis=0)])  # log P(F ≥ f)
        before[:-1] += np.log(hazard)
        return before

    def hazard(self, steps: int) -> Floats:
        """(K, S) chance that a step is the first wrong one, given that none before it is."""
        stay = np.tile((1.0 - self.shape.hazard_floor) * self.solve ** (self.shape.hazard_scale / steps), (steps, 1))
        stay[0] **= self.shape.first_step
        return np.clip(1.0 - stay, 1e-9, 1.0 - 1e-9)

    def _chain(self, steps: int) -> ChainTable:
        i = np.arange(steps + 1)[:, None, None]
        f = np.arange(steps + 1)[None, :, None]
        base = self.s ** ((steps - i) / steps)
        good = base + (1.0 - base) * self.r / 2
        bad = self.r * base * self.shape.fade ** np.maximum(i - 1 - f, 0)
        z = logit(np.clip(np.where(i <= f, good, bad), 1e-4, 1.0 - 1e-5))
        cell = np.clip(np.rint((z - LOGITS[0]) / LOGIT_STEP), 0, len(LOGITS) - 1).astype(np.int16)
        mean = np.exp(self.log_counts(1, 1))
        own = mean[cell[steps]]
        own = own + (1.0 - own) * self.shape.false_positive
        own[steps] = 1.0 - self.shape.false_negative
        fresh = np.ascontiguousarray(mean.astype(np.float32)[cell[1:steps]].transpose(1, 2, 0))
        return ChainTable(cell, self.log_prior(self.hazard(steps)), np.clip(own, 1e-9, 1 - 1e-9), fresh)


def noisy(noise: float) -> tuple[Floats, Floats, Floats]:
    """(Z, Q) log θ, (Z, Q) log(1 − θ) and (Q,) weights: a trapezoid over the noise.

    Gauss–Hermite would need fewer points for a few rollouts but misses narrow likelihoods of many.
    """
    if noise == 0.0:
        shift, weight = np.zeros(1), np.ones(1)
    else:
        points = max(25, 2 * int(np.ceil(4.0 * noise / _NOISE_STEP)) + 1)
        u = np.linspace(-4.0, 4.0, points)
        weight = np.exp(-(u**2) / 2)
        shift, weight = noise * u, weight / weight.sum()
    theta = np.clip(sigmoid(LOGITS[:, None] + shift), 1e-9, 1.0 - 1e-9)
    return np.log(theta), np.log1p(-theta), weight


@lru_cache(maxsize=8)
def _tables(shape: Shape) -> Tables:
    return Tables(shape)


def tables_for(parameters: Parameters) -> Tables:
    """The tables of these parameters; equal ones share them, the last few are kept."""
    return _tables(Shape.of(parameters))
