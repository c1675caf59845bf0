"""The library's own planner on a world: one trajectory, read off at prices and at mean budgets."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.first_error.worlds import World
from reasoning.first_error.costs import Prices
from reasoning.first_error.decision import f1_labels
from reasoning.first_error.model import Parameters
from reasoning.first_error.planner import Chain, Planner
from reasoning.first_error.tables import Floats, Ints
from reasoning.types import NO_ERROR, Count, Evidence, Judgement, Posterior, Verdict

BUDGETS = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30)
PRICES = tuple(float(f"{0.5 * 0.8**k:.2g}") for k in range(60))
GIVEN = 3.0
"""Steps that instructions and statement are as long as, where tokens are spent."""
JUDGE = ("judge", "benchmark")
VERDICTS = {1: Verdict.RIGHT, 0: Verdict.WRONG, -1: Verdict.UNKNOWN}


@dataclass(frozen=True)
class Snapshot:
    """Beliefs and labels at one setting, and what they cost in all."""

    setting: str
    labels: Ints
    argmax: Ints
    certainty: Floats
    rollouts: float
    step_tokens: float
    decision_ms: float | None


def evidence_of(world: World, judge: bool) -> list[Evidence]:
    """What is known of the chains before any rollout."""
    judged = world.judged if judge and world.judged is not None else np.full(len(world), -2)
    return [
        Evidence(
            steps,
            Verdict.RIGHT if right else Verdict.WRONG,
            judgements=() if said == -2 else (_judgement(said, steps),),
        )
        for steps, right, said in zip(world.steps.tolist(), world.own_right.tolist(), judged.tolist(), strict=True)
    ]


def _judgement(said: int, steps: int) -> Judgement:
    return Judgement(NO_ERROR if said == steps else said, (None,) * steps, "", *JUDGE)


class Trajectory:
    """A planner spends on a world, from the most valuable rollout down: per rollout, or per token that one costs."""

    def __init__(self, world: World, parameters: Parameters, judge: bool, share: bool, by_tokens: bool = False) -> None:
        self.world = world
        self.used = np.zeros(world.value.shape, np.int64)
        self.tokens = self.rollouts = 0
        self.seconds = 0.0
        problems = world.problem.tolist() if share and world.regime.solutions_per_problem > 1 else [None] * len(world)
        costs = _costs(world) if by_tokens else [None] * len(world)
        chains = [
            Chain(n, each, problem, costs=cost)
            for n, (each, problem, cost) in enumerate(zip(evidence_of(world, judge), problems, costs, strict=True))
        ]
        self.planner = Planner(chains, parameters, price=np.inf)

    def spend(self, price: float, budget: int) -> None:
        """Down to a price, or to so many rollouts in all."""
        world, planner = self.world, self.planner
        planner.price = price
        per_round = max(1, len(world) // 10)
        while self.rollouts < budget:
            start = time.process_time()
            requests = planner.next(min(per_round, budget - self.rollouts))
            self.seconds += time.process_time() - start
            if not requests:
                break
            chains, prefixes, samples = (np.array(column) for column in zip(*requests, strict=True))
            most = world.draws.outcome.shape[2] - 1
            outcomes = world.draws.outcome[chains, prefixes, np.minimum(samples, most)]
            np.add.at(self.used, (chains, prefixes), 1)
            self.rollouts += len(requests)
            self.tokens += int((world.steps[chains] - prefixes).sum())
            start = time.process_time()
            for request, outcome in zip(requests, outcomes.tolist(), strict=True):
                planner.record(*request, VERDICTS[outcome])
            self.seconds += time.process_time() - start

    def snapshot(self, setting: str) -> Snapshot:
        n, ms = len(self.world), 1e3 * self.seconds / max(self.rollouts, 1)
        found = self.planner.posteriors()
        return _snapshot(self.world, setting, found, self.rollouts / n, self.tokens / n, ms)

    def snapshots(self, most: float = 30.0) -> Iterator[Snapshot]:
        """At every mean budget and price up to `most` rollouts a chain."""
        n = len(self.world)
        budgets = [b for b in BUDGETS if b <= most]
        yield self.snapshot("budget=0")
        for price in PRICES:
            while budgets:
                self.spend(price, budgets[0] * n)
                if self.rollouts < budgets[0] * n:
                    break
                yield self.snapshot(f"budget={budgets.pop(0)}")
            if not budgets:
                return
            yield self.snapshot(f"price={price}")
        for budget in budgets:  # more than there is any use for
            yield self.snapshot(f"budget={budget}")

    def counts(self) -> list[Mapping[int, Count]]:
        """The graded rollouts that it drew of every chain."""
        drawn = np.arange(self.world.draws.outcome.shape[2])[None, None] < self.used[..., None]
        right = ((self.world.draws.outcome == 1) & drawn).sum(2)
        graded = ((self.world.draws.outcome >= 0) & drawn).sum(2)
        return [
            {i: Count(int(right[c, i]), int(graded[c, i])) for i in np.flatnonzero(graded[c]).tolist()}
            for c in range(len(self.world))
        ]


def _costs(world: World) -> list[Sequence[float] | None]:
    """Of rollouts, the mean one of the world costing 1. All steps are equally long here."""
    prices = Prices()
    mean = prices.mean(GIVEN, float(world.steps.mean()))
    return [[cost / mean for cost in prices.of_prefixes(GIVEN, [1] * k)] for k in world.steps.tolist()]


def _none_is_k(first_error: Ints, steps: Ints) -> Ints:
    return np.where(first_error == NO_ERROR, steps, first_error)


def as_snapshot(world: World, setting: str, found: Floats, rollouts: float, step_tokens: float) -> Snapshot:
    """Of beliefs (n, longest + 1), K for none."""
    rows = zip(found, world.steps.tolist(), strict=True)
    return _snapshot(
        world, setting, [Posterior(tuple(row[: k + 1].tolist())) for row, k in rows], rollouts, step_tokens
    )


def _snapshot(
    world: World, setting: str, found: list[Posterior], rollouts: float, step_tokens: float, ms: float | None = None
) -> Snapshot:
    argmax = np.array([p.first_error for p in found])
    return Snapshot(
        setting,
        _none_is_k(np.array(f1_labels(found)), world.steps),
        _none_is_k(argmax, world.steps),
        np.array([p.certainty for p in found]),
        rollouts,
        step_tokens,
        ms,
    )
