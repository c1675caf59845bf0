"""F1, calibration and bootstrap intervals; curves over settings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reasoning.first_error.baselines import Flags
from reasoning.first_error.tables import Floats, Ints

RESAMPLES = 400


@dataclass(frozen=True)
class Score:
    f1: float
    f1_low: float
    f1_high: float
    accuracy_wrong: float
    accuracy_right: float


class Scorer:
    """Scores labels of one world's chains; all with the same resamples, problems drawn whole."""

    def __init__(self, first_error: Ints, steps: Ints, problem: Ints, seed: int) -> None:
        self.truth = first_error
        self.wrong = first_error < steps
        g = np.random.default_rng(seed)
        problems = int(problem.max()) + 1
        picks = g.multinomial(problems, np.full(problems, 1 / problems), RESAMPLES)
        self._weight = picks[:, problem].astype(np.float32)
        self._weight_wrong = self._weight @ self.wrong.astype(np.float32)
        self._weight_right = self._weight @ (~self.wrong).astype(np.float32)

    def score(self, first_error: Ints) -> Score:
        hit = first_error == self.truth
        of_wrong, of_right = hit & self.wrong, hit & ~self.wrong
        a = of_wrong.sum() / max(self.wrong.sum(), 1)
        b = of_right.sum() / max((~self.wrong).sum(), 1)
        drawn_a = self._weight @ of_wrong.astype(np.float32) / np.maximum(self._weight_wrong, 1)
        drawn_b = self._weight @ of_right.astype(np.float32) / np.maximum(self._weight_right, 1)
        low, high = np.quantile(harmonic(drawn_a, drawn_b), [0.025, 0.975])
        return Score(float(harmonic(a, b)), float(low), float(high), float(a), float(b))


def harmonic(a: Floats, b: Floats) -> Floats:
    """Harmonic mean, 0 where both are 0."""
    return np.asarray(2 * a * b / np.maximum(a + b, 1e-12))


def calibration_error(certainty: Floats, right: Flags, bins: int = 15) -> float:
    """Expected calibration error over bins of equal mass."""
    order = np.argsort(certainty, kind="stable")
    parts = np.array_split(order, bins)
    return float(sum(abs(certainty[p].mean() - right[p].mean()) * len(p) for p in parts if len(p)) / len(order))


def f1_at(costs: Floats, f1s: Floats, cost: float) -> float:
    """F1 at a cost, on the curve made monotone and interpolated over settings; nan below the cheapest."""
    x, y = _monotone(costs, f1s)
    return float(np.interp(cost, x, y, left=np.nan))


def cost_at(costs: Floats, f1s: Floats, f1: float) -> float:
    """Least cost that reaches an F1 on that curve; inf where none does."""
    x, y = _monotone(costs, f1s)
    if y[-1] < f1:
        return float("inf")
    k = int(np.argmax(y >= f1))
    if k == 0:
        return float(x[0])
    return float(x[k - 1] + (x[k] - x[k - 1]) * (f1 - y[k - 1]) / (y[k] - y[k - 1]))


def _monotone(costs: Floats, f1s: Floats) -> tuple[Floats, Floats]:
    order = np.argsort(costs, kind="stable")
    return costs[order], np.maximum.accumulate(f1s[order])
