"""Regimes drawn at random from stated ranges: nothing can be tuned to worlds that nobody has seen."""

from __future__ import annotations

import numpy as np

from benchmarks.first_error.worlds import Regime
from reasoning.first_error.model import Confusion


def random_regimes(count: int, seed: int) -> list[Regime]:
    """The same arguments give the same regimes; the first ones do not depend on `count`."""
    return [_regime(f"random-{seed}-{n}", np.random.default_rng((seed, n))) for n in range(count)]


def _regime(name: str, g: np.random.Generator) -> Regime:
    shortest = int(g.integers(2, 13))
    return Regime(
        name,
        steps=(shortest, shortest + int(g.integers(2, 29))),
        solve_rate=(g.uniform(1.2, 4.0), g.uniform(1.0, 3.0)),
        recovery_mean=float(np.exp(g.uniform(np.log(0.02), np.log(0.4)))),
        value_noise=g.uniform(0.0, 1.5),
        judge=_judge(g) if g.random() < 1 / 2 else None,
        false_positive=g.uniform(0.0, 0.3) if g.random() < 1 / 2 else 0.0,
        ungradable=g.uniform(0.0, 0.3) if g.random() < 1 / 3 else 0.0,
        solutions_per_problem=int(g.choice([1, 1, 1, 4, 8])),
        uneven=g.uniform(0.4, 2.0) if g.random() < 1 / 4 else None,
        hazard=g.uniform(0.03, 0.12) if g.random() < 1 / 5 else None,
        fade=g.uniform(0.75, 1.0) if g.random() < 1 / 4 else 0.9,
        noise_kind=str(g.choice(["normal", "normal", "normal", "normal", "t3", "ar1"])),
    )


def _judge(g: np.random.Generator) -> Confusion:
    hit = g.uniform(0.3, 0.85)
    near = (1 - hit) * g.uniform(0.2, 0.6)
    miss = (1 - hit - near) * g.uniform(0.2, 0.8)
    return Confusion(hit=hit, near=near, false_alarm=g.uniform(0.05, 0.5), miss=miss)
