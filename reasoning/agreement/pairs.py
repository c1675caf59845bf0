"""Observed agreement between every two raters of one unit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations


@dataclass(frozen=True, slots=True)
class Observed:
    """Counts over units that have at least two values."""

    units: int
    pairs: int
    same: int
    """Pairs that gave the same value."""
    near: int
    """Pairs whose values differ by at most one, the same ones among them."""
    unanimous: int
    """Units in which all gave the same value."""

    @property
    def share_same(self) -> float | None:
        return self.same / self.pairs if self.pairs else None

    @property
    def share_near(self) -> float | None:
        return self.near / self.pairs if self.pairs else None


def observed(units: Iterable[Sequence[int]]) -> Observed:
    """Pairwise agreement; each unit holds the values that its raters gave it."""
    kept = [unit for unit in units if len(unit) >= 2]
    pairs = [pair for unit in kept for pair in combinations(unit, 2)]
    return Observed(
        units=len(kept),
        pairs=len(pairs),
        same=sum(a == b for a, b in pairs),
        near=sum(abs(a - b) <= 1 for a, b in pairs),
        unanimous=sum(len(set(unit)) == 1 for unit in kept),
    )
