"""Krippendorff's α: 1 − observed disagreement / disagreement expected by chance; 1 is perfect, 0 is chance.

K. Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), section D. Raters need not be the same from
unit to unit; units with fewer than two values say nothing and are left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence


def nominal_alpha(units: Iterable[Sequence[int]]) -> float | None:
    """α where values are equal or not. Each unit holds the values that its raters gave it.

    None where nothing can be said: no unit has two values, or all values are one and the same.
    """
    kept = [unit for unit in units if len(unit) >= 2]
    n = sum(map(len, kept))
    totals: Counter[int] = Counter()
    agreeing = 0.0
    for unit in kept:
        counts = Counter(unit)
        totals.update(counts)
        agreeing += sum(c * (c - 1) for c in counts.values()) / (len(unit) - 1)
    expected_agreeing = sum(c * (c - 1) for c in totals.values())
    if n == 0 or expected_agreeing == n * (n - 1):
        return None
    observed_disagreement = 1 - agreeing / n
    expected_disagreement = 1 - expected_agreeing / (n * (n - 1))
    return 1 - observed_disagreement / expected_disagreement


def interval_alpha(units: Iterable[Sequence[float]]) -> float | None:
    """α where values are numbers and a difference of two counts four times one of one. None as for `nominal_alpha`."""
    kept = [unit for unit in units if len(unit) >= 2]
    values = [value for unit in kept for value in unit]
    n = len(values)
    expected = _squared_differences(values)
    if n == 0 or expected == 0:
        return None
    observed = sum(_squared_differences(unit) / (len(unit) - 1) for unit in kept)
    return 1 - (observed / n) / (expected / (n * (n - 1)))


def _squared_differences(values: Sequence[float]) -> float:
    """Σ (a − b)² over all ordered pairs, as 2·(n·Σ(a − mean)²) so that nothing large cancels."""
    n = len(values)
    mean = sum(values) / n if n else 0.0
    return 2 * n * sum((value - mean) ** 2 for value in values)
