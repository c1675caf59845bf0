"""The settings at which everybody else's methods run: every one wide enough to hold its best."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from reasoning.first_error.baselines import (
    Draws,
    Found,
    bisection,
    early_test,
    every_step,
    hard_test,
    left_to_right,
    scan_test,
    soft_test,
    sprt_test,
)

ROLLOUTS = (1, 2, 3, 4, 6, 8, 12, 16, 32)
THRESHOLDS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)
SPRT_VALUES = ((0.3, 0.02), (0.3, 0.05), (0.5, 0.05), (0.5, 0.1), (0.5, 0.2), (0.7, 0.1), (0.7, 0.2), (0.8, 0.3))
SPRT_BOUNDS = (0.7, 1.2, 2.0, 3.0, 4.5)


def methods(draws: Draws) -> Iterator[tuple[str, str, Found]]:
    """(method, setting, what it found), each as published and with the shown-answer shortcut."""
    for name, setting, find in _published(draws):
        yield name, setting, find(False)
        yield f"{name}_shortcut", setting, find(True)


Find = Callable[[bool], Found]


def _published(draws: Draws) -> Iterator[tuple[str, str, Find]]:
    for n in ROLLOUTS:
        hard, early = hard_test(draws, n), early_test(draws, n)
        yield "hard_estimation", f"N={n}", partial(every_step, draws, hard)
        yield "sequential", f"N={n}", partial(left_to_right, draws, early)
        yield "bisection", f"k={n}", partial(bisection, draws, early)
        yield "bisection", f"k={n},early=no", partial(bisection, draws, hard)
        if n > 1:
            yield from _soft(draws, n)
    for good, bad in SPRT_VALUES:
        for bound in SPRT_BOUNDS:
            test = sprt_test(draws, good, bad, bound)
            setting = f"good={good},bad={bad},bound={bound}"
            yield "sprt", setting, partial(left_to_right, draws, test)
            yield "sprt_bisection", setting, partial(bisection, draws, test)


def _soft(draws: Draws, n: int) -> Iterator[tuple[str, str, Find]]:
    for threshold in THRESHOLDS:
        soft, scan = soft_test(draws, n, threshold), scan_test(draws, n, threshold)
        setting = f"N={n},threshold={threshold}"
        yield "soft_estimation", setting, partial(every_step, draws, soft)
        yield (
            "soft_bisection",
            f"k={n},threshold={threshold}",
            partial(bisection, draws, soft),
        )
        for tolerance in (0, 1):
            yield (
                "scan",
                f"{setting},tolerance={tolerance}",
                partial(every_step, draws, scan, tolerance=tolerance),
            )
