"""From beliefs about many chains to labels, where what counts is F1.

F1 is the harmonic mean of exact first-error accuracy on wrong chains and of "none" on right ones (ProcessBench). Its
best labels are not each chain's most probable value: the rarer kind of chain weighs more.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reasoning.first_error.tables import Floats
from reasoning.types import NO_ERROR, Posterior


def f1_labels(posteriors: Sequence[Posterior]) -> list[int]:
    """First errors, or NO_ERROR, that maximise the *expected* F1 over these chains."""
    none: Floats = np.array([p.probabilities[-1] for p in posteriors])
    best = [max(range(len(p.probabilities) - 1), key=p.probabilities.__getitem__) for p in posteriors]
    top: Floats = np.array([p.probabilities[i] for p, i in zip(posteriors, best, strict=True)])
    order = np.argsort(-top / np.maximum(none, 1e-12), kind="stable")
    some, all_right = max(float((1.0 - none).sum()), 1e-9), max(float(none.sum()), 1e-9)
    wrong_hit = np.concatenate([[0.0], np.cumsum(top[order])]) / some
    right_hit = 1.0 - np.concatenate([[0.0], np.cumsum(none[order])]) / all_right
    f1 = 2 * wrong_hit * right_hit / np.maximum(wrong_hit + right_hit, 1e-12)
    count = int(f1.argmax())
    labels = [NO_ERROR] * len(posteriors)
    for n in order[:count].tolist():
        labels[n] = best[n]
    return labels
