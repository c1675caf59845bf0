"""The figures that the posterior is held to, computed from the rows: per regime, then median and worst."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.first_error.harness import Row
from benchmarks.first_error.metrics import cost_at, f1_at
from benchmarks.first_error.worlds import Regime
from reasoning.first_error.tables import Floats

SLACK = 0.005
"""The same F1 is no more than half a point less."""
CEILINGS = ("unlimited", "genie", "judge_alone")


@dataclass(frozen=True)
class Figure:
    """One line of the table. `better` says which way is good; `targets` are (median, each)."""

    name: str
    targets: tuple[float, float]
    measure: Callable[[Curves], float | None]
    higher: bool = True


@dataclass(frozen=True)
class Result:
    """A figure over regimes. `values` holds (regime, value) where it is defined."""

    figure: Figure
    values: tuple[tuple[str, float], ...]

    @property
    def median(self) -> float:
        return float(np.median([value for _, value in self.values]))

    @property
    def worst(self) -> tuple[str, float]:
        pick = min if self.figure.higher else max
        return pick(self.values, key=lambda pair: pair[1])

    @property
    def met(self) -> tuple[bool, bool]:
        sign = 1 if self.figure.higher else -1
        median, each = self.figure.targets
        return sign * self.median >= sign * median, sign * self.worst[1] >= sign * each


class Curves:
    """The rows of one regime, as curves of F1 over cost."""

    def __init__(self, regime: Regime, rows: Iterable[Row]) -> None:
        self.regime = regime
        self.rows: dict[str, list[Row]] = {}
        for row in rows:
            self.rows.setdefault(row.method, []).append(row)
        fitted = "posterior_fitted" in self.rows
        self.ours = "posterior_fitted" if fitted else "posterior"
        self.judged = "posterior_judge_fitted" if fitted else "posterior_judge"

    def columns(self, method: str, cost: str = "rollouts") -> tuple[Floats, Floats]:
        rows = self.rows[method]
        return np.array([getattr(row, cost) for row in rows]), np.array([row.f1 for row in rows])

    def at(self, rollouts: float, method: str | None = None) -> float:
        return f1_at(*self.columns(method or self.ours), rollouts)

    def others(self, most: float = np.inf) -> list[Row]:
        """Every baseline at every setting that costs no more than `most`."""
        return [
            row
            for method, rows in self.rows.items()
            if not method.startswith(("posterior", *CEILINGS))
            for row in rows
            if row.rollouts <= most
        ]

    def setting(self, method: str, setting: str) -> Row:
        return next(row for row in self.rows[method] if row.setting == setting)

    def saved(self, other: Row, cost: str = "rollouts", ours: str = "") -> float:
        """Times less cost at the other's F1; 0 where it is never reached."""
        columns = self.columns(self.ours + ours, cost)
        return float(getattr(other, cost) / max(cost_at(*columns, other.f1 - SLACK), 0.01))


def _saved(method: str, cost: str = "rollouts", ours: str = "") -> Callable[[Curves], float]:
    return lambda curves: curves.saved(curves.setting(method, "N=8"), cost, ours)


def _saved_at_best(*names: str) -> Callable[[Curves], float]:
    def measure(curves: Curves) -> float:
        rows = [row for row in curves.others() if row.method in names and row.setting.split(",")[0] != "k=1"]
        return curves.saved(max(rows, key=lambda row: (row.f1, -row.rollouts)))

    return measure


def _over_all_at_10(curves: Curves) -> float:
    return 100 * (curves.at(10) - max(row.f1 for row in curves.others(most=10)))


def _closed(curves: Curves) -> float | None:
    best = max(row.f1 for row in curves.others(most=10))
    headroom = curves.rows["unlimited"][0].f1 - best
    return (curves.at(10) - best) / headroom if headroom > 0 else None


def _sharing(curves: Curves) -> float | None:
    apart = f"{curves.ours}_unshared"
    return 100 * (curves.at(10) - curves.at(10, apart)) if apart in curves.rows else None


def _judge_at_5(curves: Curves) -> float | None:
    if curves.judged not in curves.rows:
        return None
    return 100 * (curves.at(5, curves.judged) - max(curves.rows["judge_alone"][0].f1, curves.at(5)))


def _judge_never_below(curves: Curves) -> float | None:
    """The least lead over the better of the two at any budget."""
    if curves.judged not in curves.rows:
        return None
    alone = curves.rows["judge_alone"][0].f1
    return 100 * min(curves.at(b, curves.judged) - max(alone, curves.at(b)) for b in range(1, 31))


def _calibration(curves: Curves) -> float:
    """Worst of 5, 10 and 20 rollouts, with the judge where there is one."""
    methods = [method for method in (curves.ours, curves.judged) if method in curves.rows]
    return max(curves.setting(m, f"budget={b}").ece or 0.0 for m in methods for b in (5, 10, 20))


def _broken(measure: Callable[[Curves], float | None]) -> Callable[[Curves], float | None]:
    return lambda curves: measure(curves) if curves.regime.broken else None


_BISECTION = ("bisection", "bisection_shortcut")
_SPRT = ("sprt_bisection", "sprt_bisection_shortcut")
FIGURES = (
    Figure("rollouts saved against hard estimation N=8, at its F1 (×)", (32, 12), _saved("hard_estimation")),
    Figure("… against the same with the shortcut (×)", (15, 7), _saved("hard_estimation_shortcut")),
    Figure("step-tokens saved against hard estimation N=8 (×)", (36, 13), _saved("hard_estimation", "step_tokens")),
    Figure("… spending by tokens (×)", (36, 13), _saved("hard_estimation", "step_tokens", ours="_tokens")),
    Figure("fewer rollouts than bisection, k ≥ 2, at its best F1 (×)", (1.6, 1.2), _saved_at_best(*_BISECTION)),
    Figure("fewer rollouts than SPRT inside bisection at its best F1 (×)", (2.3, 1.1), _saved_at_best(*_SPRT)),
    Figure("F1 at 10 rollouts over every baseline at every setting ≤ 10", (9, 5), _over_all_at_10),
    Figure("share of the headroom closed at 10", (0.68, 0.42), _closed),
    Figure(
        "F1 at 20 over hard estimation N=8",
        (21, 13),
        lambda c: 100 * (c.at(20) - c.setting("hard_estimation", "N=8").f1),
    ),
    Figure("solutions of a problem sharing s: F1 at 10 over not sharing", (2, 0.5), _sharing),
    Figure("judge, F1 at 5 over the better of judge alone and rollouts alone", (8, 4), _judge_at_5),
    Figure("judge, least lead over either at any budget", (-1, -1), _judge_never_below),
    Figure("ECE of max P(F), the worst of 5, 10, 20", (0.015, 0.04), _calibration, higher=False),
    Figure("broken worlds: F1 at 10 over every baseline ≤ 10", (8, 5), _broken(_over_all_at_10)),
)


def figures(regimes: Sequence[Regime], rows: Sequence[Row]) -> list[Result]:
    """All figures that these regimes define."""
    curves = [Curves(regime, [row for row in rows if row.regime == regime.name]) for regime in regimes]
    results = []
    for figure in FIGURES:
        values = [(each.regime.name, figure.measure(each)) for each in curves]
        defined = tuple((name, float(value)) for name, value in values if value is not None and np.isfinite(value))
        if defined:
            results.append(Result(figure, defined))
    return results
