"""Labels for the best expected F1."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from reasoning.first_error import f1_labels
from reasoning.types import NO_ERROR, Posterior


def expected_f1(rows: np.ndarray, labels: tuple[int, ...]) -> float:
    none = rows[:, -1]
    wrong = sum(row[f] for row, f in zip(rows, labels, strict=True) if f != NO_ERROR) / (1 - none).sum()
    right = sum(row[-1] for row, f in zip(rows, labels, strict=True) if f == NO_ERROR) / none.sum()
    return float(2 * wrong * right / (wrong + right)) if wrong + right else 0.0


@pytest.mark.parametrize("seed", range(8))
def test_no_other_labels_expect_more(seed: int) -> None:
    rows = np.random.default_rng(seed).dirichlet([0.6, 0.6, 1.2], 6)
    mine = f1_labels([Posterior(tuple(row.tolist())) for row in rows])
    best = max(expected_f1(rows, labels) for labels in product((NO_ERROR, 0, 1), repeat=6))
    assert expected_f1(rows, tuple(mine)) == pytest.approx(best)


def test_certain_chains_keep_their_certainty() -> None:
    assert f1_labels([Posterior((0.0, 1.0, 0.0)), Posterior((0.0, 0.0, 1.0))]) == [1, NO_ERROR]


def test_no_chains_no_labels() -> None:
    assert f1_labels([]) == []
