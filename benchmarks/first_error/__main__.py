"""python -m benchmarks.first_error: every method on every regime of a file, as tables and as JSON."""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one process a regime instead, before numpy is loaded

import argparse
import json
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.first_error.figures import CEILINGS, Result, figures
from benchmarks.first_error.harness import UNLIMITED, Row, rows_of
from benchmarks.first_error.ranges import random_regimes
from benchmarks.first_error.worlds import Regime, read_regimes

CASES = Path(__file__).parents[1] / "cases" / "first_error_regimes.json"


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    regimes = random_regimes(options.random, options.seed) if options.random else read_regimes(options.regimes)
    if options.only:
        regimes = [regime for regime in regimes if regime.name in options.only]
    started = time.perf_counter()
    rows: list[Row] = []
    with ProcessPoolExecutor(options.jobs) as pool:
        jobs = [pool.submit(rows_of, regime, options.chains, options.seed, options.fit) for regime in regimes]
        for regime, job in zip(regimes, jobs, strict=True):
            found = job.result()
            rows += found
            print_regime(regime, found)
    if options.json:
        write_json(options.json, options.seed, options.chains, rows)
    print_figures(figures(regimes, rows))
    print(
        f"\n{len(regimes)} regimes × {options.chains} chains, seed {options.seed}, fit on {options.fit}: "
        f"{time.perf_counter() - started:.0f} s"
    )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.first_error", description=__doc__)
    parser.add_argument("--regimes", type=Path, default=CASES, help="JSON list of regimes (default: our own)")
    parser.add_argument("--random", type=int, default=0, metavar="N", help="N regimes drawn by the seed, and no file")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only these regimes of the file")
    parser.add_argument("--chains", type=int, default=1000, help="chains per regime")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fit", type=int, default=300, help="labelled chains to fit on, 0 for none")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write every row to this file")
    return parser


def print_regime(regime: Regime, rows: Iterable[Row]) -> None:
    """The best setting of every method at no more than 10 rollouts a chain, and what the planner does at 5, 10, 20."""
    print(f"\n{regime.name}")
    head = f"  {'method':28}{'setting':38}{'F1':>6}  {'95% interval':14}{'wrong':>6}{'right':>6}"
    print(f"{head}{'rollouts':>9}{'tokens':>8}{'ECE':>7}{'ms':>7}")
    by_method: dict[str, list[Row]] = {}
    for row in rows:
        by_method.setdefault(row.method, []).append(row)
    for method, mine in by_method.items():
        if method.startswith("posterior") or method == "genie":
            shown = [row for row in mine if row.setting in ("budget=5", "budget=10", "budget=20")]
        elif method in CEILINGS:
            shown = mine
        else:
            cheap = [row for row in mine if row.rollouts <= 10] or mine[:1]
            shown = [max(cheap, key=lambda row: row.f1)]
            shown += [row for row in mine if row.setting == "N=8" and row not in shown]
        for row in shown:
            print(_line(row))


def _line(row: Row) -> str:
    ece = "" if row.ece is None else f"{row.ece:.3f}"
    ms = "" if row.decision_ms is None else f"{row.decision_ms:.3f}"
    paid = ["all", "all"] if row.rollouts >= UNLIMITED else [f"{row.rollouts:.1f}", f"{row.step_tokens:.1f}"]
    return (
        f"  {row.method:28}{row.setting:38}{100 * row.f1:6.1f}  [{100 * row.f1_low:4.1f}, {100 * row.f1_high:5.1f}] "
        f"{100 * row.accuracy_wrong:6.1f}{100 * row.accuracy_right:6.1f}{paid[0]:>9}{paid[1]:>8}{ece:>7}{ms:>7}"
    )


def print_figures(results: Iterable[Result]) -> None:
    print(f"\n{'figure':68}{'median':>8}{'target':>8}  {'worst':>8}{'target':>8}  at")
    for result in results:
        name, worst = result.worst
        median_met, each_met = ("" if met else " missed" for met in result.met)
        print(
            f"{result.figure.name:68}{result.median:8.3g}{result.figure.targets[0]:8.3g}{median_met}  "
            f"{worst:8.3g}{result.figure.targets[1]:8.3g}{each_met}  {name}"
        )


def write_json(path: Path, seed: int, chains: int, rows: Iterable[Row]) -> None:
    try:
        release = version("stepwise")
    except PackageNotFoundError:
        release = "source"
    document = {"seed": seed, "chains": chains, "version": release, "rows": [row.to_json() for row in rows]}
    path.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
