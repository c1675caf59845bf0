"""The marginal likelihood of a project's evidence, as a smooth function of the policy's parameters: what `fit` climbs.

A labelled chain is one hypothesis (its first error), an unlabelled one K + 1. Nodes of s and r stay where they are
while their weights move with the parameters, and logits are interpolated, so that finite differences are slopes.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from reasoning.first_error.model import Parameters
from reasoning.first_error.posterior import problem_index, testimony
from reasoning.first_error.tables import LOGIT_STEP, LOGITS, SOLVE_CLIP, Floats, Ints, logit, noisy, sigmoid
from reasoning.types import NO_ERROR, Evidence, Verdict

_SOLVE_EDGES = np.array([0.0, 0.1, 0.22, 0.36, 0.5, 0.63, 0.75, 0.85, 0.92, 0.965, 1.0])
_RECOVERY_EDGES = np.array([0.0, 0.015, 0.045, 0.1, 0.19, 0.32, 0.5, 1.0])


@dataclass(frozen=True)
class Nodes:
    """Fixed nodes of a Beta distribution; weights follow its parameters."""

    cells: Ints
    values: Floats

    @classmethod
    def between(cls, edges: Floats, low: float, high: float) -> Nodes:
        x = np.clip(sigmoid(_FINE), low, high)
        cells = np.clip(np.searchsorted(edges, x, side="right") - 1, 0, len(edges) - 2)
        flat = x * (1.0 - x)  # the uniform density on this scale
        return cls(cells, np.bincount(cells, flat * x) / np.bincount(cells, flat))

    def log_weights(self, a: float, b: float) -> Floats:
        x = sigmoid(_FINE)
        log_density = a * np.log(x) + b * np.log1p(-x)
        mass = np.bincount(self.cells, np.exp(log_density - log_density.max()), len(self.values))
        logs: Floats = np.log(mass / mass.sum() + 1e-12)
        return logs


_FINE = np.linspace(-16.0, 16.0, 2001)
_SOLVE = Nodes.between(_SOLVE_EDGES, *SOLVE_CLIP)
_RECOVERY = Nodes.between(_RECOVERY_EDGES, 0.001, 0.999)
_ANSWERS = (Verdict.RIGHT, Verdict.WRONG, Verdict.UNKNOWN)
_KEPT = 3
"""A gradient's finite differences need the rollouts at one point, at more noise and at more fade."""
_S: Floats = np.repeat(_SOLVE.values, len(_RECOVERY.values))
_R: Floats = np.tile(_RECOVERY.values, len(_SOLVE.values))


class Likelihood:
    """log P(own answers, rollouts, labels | parameters) of chains; F is summed out where there is no label."""

    def __init__(
        self,
        evidence: Sequence[Evidence],
        labels: Sequence[int | None],
        problems: Sequence[Hashable] | None = None,
    ) -> None:
        self.evidence = evidence
        self.problem = problem_index(evidence, problems)
        spans = [_hypotheses(each.steps, label) for each, label in zip(evidence, labels, strict=True)]
        self.chain: Ints = np.repeat(np.arange(len(evidence)), [len(span) for span in spans])
        self.first: Ints = np.concatenate([*spans, np.empty(0, np.int64)]).astype(np.int64)
        self.starts: Ints = np.searchsorted(self.chain, np.arange(len(evidence)))
        self._settle(evidence)
        self._pairs(evidence)
        self._rolled: dict[tuple[float, float], Floats] = {}

    def _settle(self, evidence: Sequence[Evidence]) -> None:
        """Hypotheses that prior and shown answer cannot tell apart are looked up once."""
        steps = np.array([each.steps for each in evidence], np.int64)
        answer = np.array([_ANSWERS.index(each.own_answer) for each in evidence], np.int64)
        columns = np.stack([steps[self.chain], self.first, answer[self.chain]])
        self.settled, place = np.unique(columns, axis=1, return_inverse=True)
        self.place: Ints = place.ravel()

    def _pairs(self, evidence: Sequence[Evidence]) -> None:
        """Each hypothesis and prefix with rollouts is a pair; alike ones are looked up once."""
        kinds: dict[tuple[int, int], int] = {}
        places: dict[tuple[int, int, int], int] = {}
        alike: dict[tuple[int, int], int] = {}
        hypothesis, pair = [], []
        for h, (c, first) in enumerate(zip(self.chain.tolist(), self.first.tolist(), strict=True)):
            for i, count in evidence[c].counts.items():
                place = places.setdefault((evidence[c].steps, first, i), len(places))
                kind = kinds.setdefault((count.graded, count.successes), len(kinds))
                hypothesis.append(h)
                pair.append(alike.setdefault((kind, place), len(alike)))
        self.places = np.array(list(places), np.int64).reshape(-1, 3).T
        self.alike = np.array(list(alike), np.int64).reshape(-1, 2).T
        self.pair = np.array(pair, np.int64)
        self.paired, self.pair_starts = np.unique(np.array(hypothesis, np.int64), return_index=True)
        graded = np.array([n for n, _ in kinds], np.float64)
        self.successes = np.array([x for _, x in kinds], np.float64)
        self.failures = graded - self.successes

    def by_hypothesis(self, p: Parameters) -> Floats:
        """(H, G) log P(F, own answer, rollouts | s, r)."""
        found: Floats = self._before(p)[self.place] + self._rollouts(p)
        return found

    def _before(self, p: Parameters) -> Floats:
        """(places, G) log P(F, own answer | s, r)."""
        steps, first, answer = self.settled
        stay = np.log1p(-p.hazard_floor) + p.hazard_scale * np.log(_S) / steps[:, None]
        passed = np.where(first > 0, first - 1 + p.first_step, 0.0)[:, None]  # steps that stayed right
        leave = np.log(-np.expm1(np.minimum(stay * np.where(first > 0, 1.0, p.first_step)[:, None], -1e-9)))
        log_right, _, weight = noisy(p.noise)
        value = _interpolate((np.exp(log_right) @ weight)[None], _logits(p, steps, first, steps), 0)
        right = np.clip(value + (1.0 - value) * p.false_positive, 1e-9, 1.0 - 1e-9)
        right[first == steps] = 1.0 - p.false_negative
        own = np.where((answer == 0)[:, None], right, np.where((answer == 1)[:, None], 1.0 - right, 1.0))
        joint: Floats = passed * stay + np.where((first < steps)[:, None], leave, 0.0) + np.log(own)
        return joint

    def _rollouts(self, p: Parameters) -> Floats:
        """(H, G) log P(rollouts | F, s, r). Of ten parameters that are climbed only noise and fade move it."""
        key = (p.noise, p.fade)
        if key not in self._rolled:
            while len(self._rolled) >= _KEPT:
                del self._rolled[next(iter(self._rolled))]
            self._rolled[key] = self._roll(p)
        return self._rolled[key]

    def _roll(self, p: Parameters) -> Floats:
        joint = np.zeros((len(self.chain), len(_S)))
        if len(self.pair):
            log_right, log_wrong, weight = noisy(p.noise)
            exponent = self.successes[:, None, None] * log_right + self.failures[:, None, None] * log_wrong
            top = exponent.max(2)
            table = top + np.log(np.exp(exponent - top[..., None]) @ weight)
            kind, place = self.alike
            found = _interpolate(table, _logits(p, *self.places)[place], kind[:, None])
            joint[self.paired] = np.add.reduceat(found[self.pair], self.pair_starts)
        return joint

    def log_weights(self, p: Parameters) -> tuple[Floats, Floats]:
        """(S,) and (R,) log prior weights."""
        return _SOLVE.log_weights(*p.solve_rate), _RECOVERY.log_weights(1.0, 1.0 / p.recovery - 1.0)

    def spoken(self, p: Parameters) -> Floats:
        """(H,) log P(what judges and people said | F), where a model that was asked in several ways weighs as one.

        A likelihood to a power above 1 sums to no 1: without labels it would be greatest where the judge never errs.
        """
        p = replace(p, vote_temper=0.0)
        said = [testimony(each, p) for each in self.evidence]
        return np.array([said[c][f] for c, f in zip(self.chain.tolist(), self.first.tolist(), strict=True)])

    def per_problem(self, p: Parameters, spoken: Floats | None = None) -> Floats:
        """(problems,) log P(everything about its chains). `spoken`, where it is known already, saves its time."""
        solve, recovery = self.log_weights(p)
        joint = self.by_hypothesis(p).reshape(len(self.chain), -1, len(recovery)) + recovery
        given = log_sum(joint, 2) + (self.spoken(p) if spoken is None else spoken)[:, None]
        top = np.maximum.reduceat(given, self.starts)
        chains = top + np.log(np.add.reduceat(np.exp(given - top[self.chain]), self.starts))
        problems = np.tile(solve, (int(self.problem.max(initial=-1)) + 1, 1))
        np.add.at(problems, self.problem, chains)
        return log_sum(problems, 1)


def log_sum(z: Floats, axis: int) -> Floats:
    top = z.max(axis)
    total: Floats = top + np.log(np.exp(z - np.expand_dims(top, axis)).sum(axis))
    return total


def _hypotheses(steps: int, label: int | None) -> Ints:
    if label is None:
        return np.arange(steps + 1)
    return np.array([steps if label == NO_ERROR else label])


def _logits(p: Parameters, steps: Ints, first: Ints, prefix: Ints) -> Floats:
    """(pairs, G) logit of the value of a prefix, before noise."""
    base = np.exp(np.log(_S) * ((steps - prefix) / steps)[:, None])
    after = prefix - 1 - first
    bad = _R * base * (p.fade ** np.maximum(after, 0))[:, None]
    value = np.where((after < 0)[:, None], base + (1.0 - base) * _R / 2, bad)
    return logit(np.clip(value, 1e-4, 1.0 - 1e-5))


def _interpolate(table: Floats, z: Floats, kind: Ints | int) -> Floats:
    """Rows `kind` of a (kinds, Z) table at logits z."""
    at = (z - LOGITS[0]) / LOGIT_STEP
    cell = np.clip(at.astype(np.int64), 0, len(LOGITS) - 2)
    part = np.clip(at - cell, 0.0, 1.0)
    flat, cell = table.ravel(), cell + np.asarray(kind) * len(LOGITS)
    low = flat.take(cell)
    between: Floats = low + part * (flat.take(cell + 1) - low)
    return between
