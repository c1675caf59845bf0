"""Regimes, and the chains drawn from them: INTERFACES of the benchmark, in numpy."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from reasoning.errors import InvalidInput
from reasoning.first_error.baselines import Draws, Flags
from reasoning.first_error.model import Confusion
from reasoning.first_error.tables import Floats, Ints

PER_PREFIX = 72
"""Gradable rollouts that every prefix can give, about."""


@dataclass(frozen=True)
class Regime:
    """One kind of world. Field names are those of the regimes file."""

    name: str
    steps: tuple[int, int]
    solve_rate: tuple[float, float]
    recovery_mean: float
    value_noise: float
    judge: Confusion | None = None
    false_positive: float = 0.0
    ungradable: float = 0.0
    solutions_per_problem: int = 1
    uneven: float | None = None
    hazard: float | None = None
    fade: float = 0.9
    noise_kind: str = "normal"

    @property
    def broken(self) -> bool:
        """Does it break an assumption of the posterior?"""
        return self.uneven is not None or self.hazard is not None or self.fade != 0.9 or self.noise_kind != "normal"


def read_regimes(path: Path) -> list[Regime]:
    """The regimes of a file. Raises InvalidInput, naming the regime, where one cannot be read."""
    regimes = []
    for row in json.loads(path.read_text()):
        try:
            regimes.append(_regime(row))
        except (LookupError, TypeError, ValueError) as problem:
            raise InvalidInput(f"regime {row.get('name', len(regimes))}: {problem!r}") from problem
    return regimes


def _regime(row: dict[str, Any]) -> Regime:
    known = {field.name for field in fields(Regime)}
    if unknown := sorted(set(row) - known):
        print(f"regime {row.get('name')}: not known and left aside: {', '.join(unknown)}", file=sys.stderr)
    values = {name: value for name, value in row.items() if value is not None and name in known}
    values["steps"] = (int(row["steps"][0]), int(row["steps"][1]))
    values["solve_rate"] = (float(row["solve_rate"][0]), float(row["solve_rate"][1]))
    values["judge"] = Confusion(**row["judge"]) if row.get("judge") else None
    if values.get("noise_kind", "normal") not in ("normal", "t3", "ar1"):
        raise ValueError(f"noise_kind {row['noise_kind']!r}")
    return Regime(**values)


@dataclass(frozen=True)
class World:
    """n chains of one regime. First errors are 0 … K here, K for none."""

    regime: Regime
    first_error: Ints
    problem: Ints
    solve: Floats
    recovery: Floats
    value: Floats
    """(n, longest + 1) chance that a rollout from a prefix is right."""
    judged: Ints | None
    """(n,) what the judge says, 0 … K, K for none."""
    draws: Draws

    @property
    def steps(self) -> Ints:
        return self.draws.steps

    @property
    def own_right(self) -> Flags:
        return self.draws.own_right

    def __len__(self) -> int:
        return len(self.first_error)


def draw_world(regime: Regime, chains: int, seed: int) -> World:
    """`chains` chains, with all the rollouts that any method may ask for. The same seed gives the same draws."""
    g = np.random.default_rng(seed)
    longest = regime.steps[1]
    steps = g.integers(regime.steps[0], longest + 1, chains)
    problem = np.arange(chains) // regime.solutions_per_problem
    solve = np.clip(g.beta(*regime.solve_rate, chains), 0.05, 0.98)[problem]
    recovery = g.beta(1.0, 1.0 / regime.recovery_mean - 1.0, chains)
    weight = _step_weights(regime, steps, g)
    hazard = 1.0 - solve[:, None] ** weight if regime.hazard is None else np.full(weight.shape, regime.hazard)
    errs = (g.random(weight.shape) < hazard) & (np.arange(longest)[None] < steps[:, None])
    first_error = np.where(errs.any(1), errs.argmax(1), steps)

    i = np.arange(longest + 1)[None]
    left = np.concatenate([np.cumsum(weight[:, ::-1], axis=1)[:, ::-1], np.zeros((chains, 1))], axis=1)
    base = solve[:, None] ** np.clip(left, 0.0, 1.0)
    after = i - 1 - first_error[:, None]
    good = base + (1.0 - base) * recovery[:, None] / 2
    value = np.where(after < 0, good, recovery[:, None] * base * regime.fade ** np.maximum(after, 0))
    if regime.value_noise:
        value = np.clip(value, 1e-12, 1 - 1e-12)
        value = 1.0 / (1.0 + np.exp(-np.log(value) + np.log1p(-value) - _noise(regime, value.shape, g)))
    last = value[np.arange(chains), steps]
    own_right = (first_error == steps) | (g.random(chains) < last) | (g.random(chains) < regime.false_positive)
    judged = None if regime.judge is None else _judge(regime.judge, first_error, steps, g)
    return World(
        regime, first_error, problem, solve, recovery, value, judged,
        Draws(steps, own_right, _outcomes(regime, value, g)),
    )  # fmt: skip


def _step_weights(regime: Regime, steps: Ints, g: np.random.Generator) -> Floats:
    """(n, longest) share of the work that each step is; 0 beyond the end."""
    longest = regime.steps[1]
    inside = np.arange(longest)[None] < steps[:, None]
    if regime.uneven is None:
        return np.asarray(inside / steps[:, None])
    weight = np.where(inside, g.gamma(regime.uneven, size=inside.shape) + 1e-300, 0.0)
    return np.asarray(weight / weight.sum(1, keepdims=True))


def _noise(regime: Regime, shape: tuple[int, ...], g: np.random.Generator) -> Floats:
    if regime.noise_kind == "t3":
        return np.asarray(regime.value_noise * g.standard_t(3, shape) / np.sqrt(3.0))
    noise = g.standard_normal(shape)
    if regime.noise_kind == "ar1":
        for i in range(1, shape[1]):
            noise[:, i] = 0.7 * noise[:, i - 1] + np.sqrt(1 - 0.7**2) * noise[:, i]
    return np.asarray(regime.value_noise * noise)


def _judge(judge: Confusion, first_error: Ints, steps: Ints, g: np.random.Generator) -> Ints:
    n = len(steps)
    u = g.random(n)
    any_step = (g.random(n) * steps).astype(np.int64)
    near = np.clip(first_error + g.choice([-1, 1], n), 0, steps - 1)
    edges = np.cumsum([judge.hit, judge.near, judge.miss])
    of_wrong = np.select([u < edge for edge in edges], [first_error, near, steps], any_step)
    return np.where(first_error == steps, np.where(u < judge.false_alarm, any_step, steps), of_wrong)


def _outcomes(regime: Regime, value: Floats, g: np.random.Generator) -> np.ndarray[Any, np.dtype[np.int8]]:
    draws = int(np.ceil(PER_PREFIX / max(1.0 - regime.ungradable, 0.05)))
    outcome = np.empty((*value.shape, draws), np.int8)
    for start in range(0, len(value), 1000):  # in blocks: the uniform numbers are four times the outcomes
        block = slice(start, start + 1000)
        shape = outcome[block].shape
        outcome[block] = g.random(shape, dtype=np.float32) < value[block][..., None]
        if regime.ungradable:
            outcome[block][g.random(shape, dtype=np.float32) < regime.ungradable] = -1
    return outcome
