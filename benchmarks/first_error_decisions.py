"""python -m benchmarks.first_error_decisions: what one decision of the planner costs, and the memory of many chains.

A decision is everything between a rollout's grade and the next request: update, look, choose. Outcomes come from a
coin, so no chain settles early. `round` is how many rollouts are recorded between two calls of `next`. Times are the
process's own on one core, so that a busy machine does not count.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one core, before numpy is loaded

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from reasoning.first_error import Chain, Planner
from reasoning.types import Evidence, Verdict


@dataclass(frozen=True)
class Case:
    name: str
    steps: tuple[int, int]
    chains: int
    per_round: int
    decisions: int
    target_ms: float


CASES = (
    Case("K ≤ 15, rounds of 1000", (2, 15), 10_000, 1000, 60_000, 0.05),
    Case("K ≤ 15, rounds of 64", (2, 15), 10_000, 64, 12_800, 0.05),
    Case("K ≤ 40, rounds of 1000", (2, 40), 10_000, 1000, 40_000, 0.12),
    Case("K ≤ 40, rounds of 64", (2, 40), 10_000, 64, 6_400, 0.12),
    Case("518 steps, one chain", (518, 518), 1, 1, 60, 10.0),
)


@dataclass(frozen=True)
class Measured:
    first_ms: float
    decision_ms: float
    mebibytes: float


def measure(case: Case) -> Measured:
    """In a process of its own: memory is the peak over the bare import."""
    before = resident()
    g = np.random.default_rng(0)
    lengths = g.integers(case.steps[0], case.steps[1] + 1, case.chains).tolist()
    start = time.process_time()
    planner = Planner([Chain(n, Evidence(k, Verdict.WRONG)) for n, k in enumerate(lengths)], price=0.0)
    requests = planner.next(case.per_round)
    first = time.process_time() - start
    coins = g.random(case.decisions + case.per_round) < 0.5
    taken = 0
    seconds = -1.0
    while taken < case.decisions:
        for request in requests:
            planner.record(*request, Verdict.RIGHT if coins[taken] else Verdict.WRONG)
            taken += 1
        requests = planner.next(case.per_round)
        if seconds < 0:  # the first round makes the tables
            seconds, warm, started = 0.0, taken, time.process_time()
    seconds = time.process_time() - started
    return Measured(1e3 * first, 1e3 * seconds / max(taken - warm, 1), resident() - before)


def resident() -> float:
    """Peak resident memory of this process in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def main(arguments: Sequence[str] | None = None) -> int:
    argparse.ArgumentParser(prog="python -m benchmarks.first_error_decisions", description=__doc__).parse_args(
        arguments
    )
    print(f"{'case':28}{'chains':>8}{'first plan ms':>15}{'decision ms':>13}{'target':>8}{'memory MiB':>12}")
    for case in CASES:
        with get_context("spawn").Pool(1) as pool:
            found = pool.apply(measure, (case,))
        print(
            f"{case.name:28}{case.chains:8}{found.first_ms:15.1f}{found.decision_ms:13.4f}{case.target_ms:8.2f}"
            f"{found.mebibytes:12.0f}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
