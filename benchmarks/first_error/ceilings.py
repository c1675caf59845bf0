"""What no planner can pass: a posterior that knows every prefix's value, and one that is told each chain's s and r."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.first_error.planned import VERDICTS, Snapshot, as_snapshot
from benchmarks.first_error.worlds import Regime, World
from reasoning.first_error.model import Parameters
from reasoning.first_error.posterior import softmax
from reasoning.first_error.tables import LOGIT_STEP, LOGITS, Floats, Ints, Shape, Tables, logit
from reasoning.types import Verdict

NODES = (48, 32)
GENIE_BUDGETS = (1, 2, 3, 5, 7, 10, 15, 20, 30)
_LEAST_NOISE = 0.15
_CHUNK = 4_000_000


def truth(regime: Regime) -> Parameters:
    """The regime's own numbers, as far as the posterior has a place for them."""
    return Parameters(
        solve_rate=regime.solve_rate,
        recovery=regime.recovery_mean,
        noise=regime.value_noise,
        fade=regime.fade,
        hazard_scale=1.0 if regime.hazard is None else 0.0,
        hazard_floor=regime.hazard or 0.0,
        false_positive=min(regime.false_positive, 0.999),
        false_negative=1e-9,
    )


def unlimited(world: World) -> Floats:
    """(n, longest + 1) P(F) when the values of the prefixes 1 … K − 1 are known exactly, K for none."""
    tables = Tables(Shape.of(truth(world.regime), NODES))
    sd = max(world.regime.value_noise, _LEAST_NOISE)
    seen = np.clip(logit(np.clip(world.value, 1e-12, 1 - 1e-12)), LOGITS[0], LOGITS[-1]) / sd
    found = np.zeros(world.value.shape)
    prior = (tables.log_solve[:, None] + tables.log_recovery).ravel()
    for steps in np.unique(world.steps).tolist():
        rows = np.flatnonzero(world.steps == steps)
        chain = tables.chain(steps)
        expected = (LOGITS[0] + LOGIT_STEP * chain.cell[1:steps]).reshape(steps - 1, chain.own_right.size) / sd
        static = np.repeat(chain.log_prior, len(tables.recovery), axis=1) + prior
        static = static.ravel() - (expected**2).sum(0) / 2
        for part in np.array_split(rows, 1 + len(rows) * static.size // _CHUNK):
            right = world.own_right[part][:, None, None]
            own = np.log(np.where(right, chain.own_right, 1 - chain.own_right))
            joint = (static + seen[part, 1:steps] @ expected).reshape(own.shape) + own
            found[part, : steps + 1] = softmax(joint.reshape(len(part), -1)).reshape(own.shape).sum(2)
    return found


def _plogp(p: Floats) -> Floats:
    return p * np.log(np.maximum(p, 1e-30))


class Genie:
    """The planner's rule, with each chain's solve rate and recovery given."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.tables = Tables(Shape.of(truth(world.regime)))
        n, width = world.value.shape
        steps, s, r = (x[:, None, None] for x in (world.steps, world.solve, world.recovery))
        i, f = np.arange(width)[None, :, None], np.arange(width)[None, None, :]
        base = s ** (np.maximum(steps - i, 0) / steps)
        bad = r * base * world.regime.fade ** np.maximum(i - 1 - f, 0)
        value = np.clip(np.where(i <= f, base + (1 - base) * r / 2, bad), 1e-4, 1 - 1e-5)
        at = np.rint((logit(value) - LOGITS[0]) / LOGIT_STEP)
        self.cell: Ints = np.clip(at, 0, len(LOGITS) - 1).astype(np.int64)
        self.belief = self._prior(f[0])
        self.graded, self.right = np.zeros((2, n, width), np.int64)
        self.drawn = np.zeros((n, width), np.int64)
        self.best, self.worth = np.ones(n, np.int64), np.zeros(n)
        self._rate(np.arange(n))

    def _prior(self, f: Ints) -> Floats:
        world, steps = self.world, self.world.steps[:, None]
        if world.regime.hazard is None:
            log_stay = np.log(world.solve)[:, None] / steps
        else:
            log_stay = np.full((len(world), 1), np.log1p(-world.regime.hazard))
        leave = np.where(f < steps, np.log(-np.expm1(log_stay)), 0.0)
        prior = np.where(f <= steps, np.exp(leave + f * log_stay), 0.0)
        rows = np.arange(len(world))
        mean = np.exp(self.tables.log_counts(1, 1))[self.cell[rows, world.steps]]
        right = mean + (1 - mean) * world.regime.false_positive
        right[rows, world.steps] = 1 - 1e-9
        joint = prior * np.where(world.own_right[:, None], right, 1 - right)
        return np.asarray(joint / joint.sum(1, keepdims=True))

    def _chance(self, rows: Ints, prefix: Ints) -> Floats:
        predictive = self.tables.predictive(self.graded[rows, prefix], self.right[rows, prefix])
        return np.take_along_axis(predictive.astype(np.float64), self.cell[rows, prefix], 1)

    def _rate(self, rows: Ints) -> None:
        inner = np.arange(1, self.world.value.shape[1])
        p = self.belief[rows]
        information = np.zeros((len(rows), len(inner)))
        for column, i in enumerate(inner.tolist()):
            right = p * self._chance(rows, np.full(len(rows), i))
            wrong = np.maximum(p - right, 0.0)
            parts = _plogp(right).sum(1) + _plogp(wrong).sum(1) - _plogp(right.sum(1)) - _plogp(wrong.sum(1))
            information[:, column] = np.where(i < self.world.steps[rows], parts - _plogp(p).sum(1), 0.0)
        self.best[rows] = 1 + information.argmax(1)
        entropy = np.maximum(-_plogp(p).sum(1), 1e-6)
        self.worth[rows] = (1 - p.max(1)) * information.max(1) / entropy

    def snapshots(self) -> Iterator[Snapshot]:
        """At mean budgets."""
        n, spent = len(self.world), 0
        tokens = 0
        most = self.world.draws.outcome.shape[2]
        for budget in GENIE_BUDGETS:
            while spent < budget * n:
                take = min(max(1, n // 25), budget * n - spent)
                rows = np.argpartition(-self.worth, take - 1)[:take]
                rows = rows[self.worth[rows] > 0]
                if not len(rows):  # there is no more use for any
                    break
                prefix = self.best[rows]
                outcome = self.world.draws.outcome[rows, prefix, np.minimum(self.drawn[rows, prefix], most - 1)]
                self.drawn[rows, prefix] += 1
                spent += len(rows)
                tokens += int((self.world.steps[rows] - prefix).sum())
                self._learn(rows, prefix, outcome)
            yield as_snapshot(self.world, f"budget={budget}", self.belief, spent / n, tokens / n)

    def _learn(self, rows: Ints, prefix: Ints, outcome: Ints) -> None:
        graded = np.array([VERDICTS[o] is not Verdict.UNKNOWN for o in (-1, 0, 1)])[outcome + 1]
        rows, prefix, outcome = rows[graded], prefix[graded], outcome[graded]
        chance = self._chance(rows, prefix)
        joint = self.belief[rows] * np.where(outcome[:, None] == 1, chance, 1 - chance)
        self.belief[rows] = joint / joint.sum(1, keepdims=True)
        self.graded[rows, prefix] += 1
        self.right[rows, prefix] += outcome == 1
        self._rate(rows)
