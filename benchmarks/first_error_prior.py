"""python -m benchmarks.first_error_prior: the prior over first errors, held against people's labels.

Only step counts and labelled first errors are used: no rollouts, no judge. Every row is scored by a fit that did not
see it; then the fit to all rows is shown: where the first error lies, and how often there is none, by length.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from reasoning.first_error import DEFAULTS, Parameters, posteriors
from reasoning.first_error.baselines import Flags
from reasoning.first_error.fit import fit
from reasoning.first_error.tables import Floats
from reasoning.types import NO_ERROR, Evidence

DATA = Path(__file__).parents[2] / "shared" / "data" / "processbench.public.jsonl"
FOLDS = 5


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.first_error_prior", description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="native rows with first_error")
    options = parser.parse_args(arguments)
    if not options.data.exists():
        print(f"{options.data} is not here: nothing to measure")
        return 0
    steps, labels = read(options.data)
    fold = np.random.default_rng(0).permutation(len(steps)) % FOLDS
    outcomes = {name: np.concatenate([score(steps, labels, fold == k, name) for k in range(FOLDS)]) for name in PRIORS}
    print(f"{len(steps)} rows, log-likelihood of the first error per held-out row (nats), {FOLDS} folds")
    for name, value in outcomes.items():
        print(f"  {name:34}{value.mean():8.4f} ± {value.std() / np.sqrt(len(value)):.4f}")
    p = fit([Evidence(k) for k in steps], labels).parameters
    print_shape(steps, labels, p)
    return 0


def read(path: Path) -> tuple[list[int], list[int]]:
    """(steps, first errors) of the rows whose first error is known."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    known = [(len(row["steps"]), row["first_error"]) for row in rows if row["first_error"] is not None]
    return [k for k, _ in known], [first for _, first in known]


PRIORS = ("uniform over steps and none", "defaults", "fitted, flat first step", "fitted")


def score(steps: list[int], labels: list[int], aside: Flags, name: str) -> Floats:
    """(held out,) log P(first error) of the rows set aside, by a prior fitted to the others."""
    held = np.flatnonzero(aside).tolist()
    if name == PRIORS[0]:
        return np.array([-np.log(steps[n] + 1) for n in held])
    p = DEFAULTS
    if name.startswith("fitted"):
        kept = np.flatnonzero(~aside).tolist()
        p = fit([Evidence(steps[n]) for n in kept], [labels[n] for n in kept]).parameters
        if "flat" in name:
            p = replace(p, first_step=1.0)
    found = posteriors([Evidence(steps[n]) for n in held], p)
    return np.array([np.log(q.probabilities[labels[n]]) for q, n in zip(found, held, strict=True)])


def print_shape(steps: list[int], labels: list[int], p: Parameters) -> None:
    mean = p.solve_rate[0] / sum(p.solve_rate)
    print(
        f"fitted: mean solve rate {mean:.2f}, concentration {sum(p.solve_rate):.1f}, "
        f"hazard scale {p.hazard_scale:.2f}, hazard floor {p.hazard_floor:.3f}, first step {p.first_step:.2f}"
    )
    found = [np.array(q.probabilities) for q in posteriors([Evidence(k) for k in steps], p)]
    print(f"\n{'first error':>12}{'people':>9}{'model':>9}")
    for position in range(8):
        seen = np.mean([label == position for label in labels])
        model = np.mean([q[position] if position < k else 0.0 for q, k in zip(found, steps, strict=True)])
        print(f"{position:12}{seen:9.3f}{model:9.3f}")
    print(f"\n{'none, steps':>12}{'people':>9}{'model':>9}")
    for low, high in ((2, 4), (5, 6), (7, 8), (9, 11), (12, 15), (16, 100)):
        rows = [n for n, k in enumerate(steps) if low <= k <= high]
        seen = np.mean([labels[n] == NO_ERROR for n in rows])
        print(f"{f'{low}–{high}':>12}{seen:9.3f}{np.mean([found[n][-1] for n in rows]):9.3f}")


if __name__ == "__main__":
    sys.exit(main())
