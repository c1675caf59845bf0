"""Every method at every setting on one regime: the rows of the table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from benchmarks.first_error.ceilings import Genie, unlimited
from benchmarks.first_error.metrics import Scorer, calibration_error
from benchmarks.first_error.others import methods
from benchmarks.first_error.planned import Snapshot, Trajectory, as_snapshot, evidence_of
from benchmarks.first_error.worlds import Regime, World, draw_world
from reasoning.first_error.fit import FitReport, fit
from reasoning.first_error.model import DEFAULTS, Parameters
from reasoning.types import NO_ERROR

FIT_MEAN = 10
"""Mean rollouts of the unfitted planner on the chains that the parameters are fitted to."""
MOST = 30
UNLIMITED = 1e9
"""Stands for infinity, which JSON cannot hold."""
_FIT_SEED = 1_000_003


@dataclass(frozen=True)
class Row:
    """One regime × method × setting, as `--json` writes it. Rollouts and step-tokens are means over chains."""

    regime: str
    method: str
    setting: str
    f1: float
    f1_low: float
    f1_high: float
    accuracy_wrong: float
    accuracy_right: float
    rollouts: float
    step_tokens: float
    ece: float | None = None
    decision_ms: float | None = None
    fit_rollouts: int | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Fitted:
    """Parameters of a regime, from chains drawn apart, and what those chains' rollouts cost."""

    report: FitReport
    rollouts: int


def rows_of(regime: Regime, chains: int, seed: int, fit_chains: int) -> list[Row]:
    """All rows of one regime. The same arguments give the same rows, but for the time of a decision."""
    world = draw_world(regime, chains, seed)
    scorer = Scorer(world.first_error, world.steps, world.problem, seed)
    rows = list(_baselines(world, scorer))
    ceiling = as_snapshot(world, "rollouts=all", unlimited(world), UNLIMITED, UNLIMITED)
    rows.append(_row(world, scorer, "unlimited", ceiling))
    rows += [_row(world, scorer, "genie", snapshot) for snapshot in Genie(world).snapshots()]
    fitted = fit_regime(regime, fit_chains, seed) if fit_chains else None
    for suffix, parameters, cost in _parameters(fitted):
        for judge in (False, True) if world.judged is not None else (False,):
            name = f"posterior{'_judge' if judge else ''}{suffix}"
            rows += _planned(world, scorer, name, parameters, judge, share=True, cost=cost)
        if regime.solutions_per_problem > 1:
            name = f"posterior{suffix}_unshared"
            rows += _planned(world, scorer, name, parameters, judge=False, share=False, cost=cost)
    name = f"posterior{suffix}_tokens"
    rows += _planned(world, scorer, name, parameters, judge=False, share=True, cost=cost, by_tokens=True)
    return rows


def fit_regime(regime: Regime, chains: int, seed: int) -> Fitted:
    """Fit on labelled chains of another seed, with only what the unfitted planner draws on them."""
    world = draw_world(regime, chains, seed + _FIT_SEED)
    trajectory = Trajectory(world, DEFAULTS, judge=False, share=False)
    for _ in trajectory.snapshots(FIT_MEAN):
        pass
    evidence = [
        replace(each, counts=counts)
        for each, counts in zip(evidence_of(world, judge=True), trajectory.counts(), strict=True)
    ]
    labels = np.where(world.first_error == world.steps, NO_ERROR, world.first_error).tolist()
    problems = world.problem.tolist() if regime.solutions_per_problem > 1 else None
    return Fitted(fit(evidence, labels, problems=problems), trajectory.rollouts)


def _parameters(fitted: Fitted | None) -> Iterator[tuple[str, Parameters, int | None]]:
    yield "", DEFAULTS, None
    if fitted is not None:
        yield "_fitted", fitted.report.parameters, fitted.rollouts


def _planned(
    world: World,
    scorer: Scorer,
    name: str,
    parameters: Parameters,
    judge: bool,
    share: bool,
    cost: int | None,
    by_tokens: bool = False,
) -> Iterator[Row]:
    for snapshot in Trajectory(world, parameters, judge, share, by_tokens).snapshots(MOST):
        yield replace(_row(world, scorer, name, snapshot), fit_rollouts=cost)


def _row(world: World, scorer: Scorer, method: str, snapshot: Snapshot) -> Row:
    return Row(
        world.regime.name,
        method,
        snapshot.setting,
        **asdict(scorer.score(snapshot.labels)),
        rollouts=snapshot.rollouts,
        step_tokens=snapshot.step_tokens,
        ece=calibration_error(snapshot.certainty, snapshot.argmax == world.first_error),
        decision_ms=snapshot.decision_ms,
    )


def _baselines(world: World, scorer: Scorer) -> Iterator[Row]:
    for method, setting, found in methods(world.draws):
        yield Row(
            world.regime.name,
            method,
            setting,
            **asdict(scorer.score(found.first_error)),
            rollouts=float(found.rollouts.mean()),
            step_tokens=float(found.step_tokens.mean()),
        )
    if world.judged is not None:
        score = asdict(scorer.score(world.judged))
        yield Row(world.regime.name, "judge_alone", "votes=1", **score, rollouts=0.0, step_tokens=0.0)
