"""What fitting by the app is worth: first errors and their certainty, before and after, where there are no labels.

Each case is a world of its own on the real stack: a simulator with other habits than the defaults assume, solutions of
which half of the problems come with labels, a judge run, a rollout run, then a fit by the API. What the posteriors
say of the other half is held against what is true there, with the defaults and with what was fitted. The last case is
real rows, each with an error, whose truth only the simulator knows.

python -m benchmarks.fit --cases weak-judge real
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import tempfile
import time
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.first_error.metrics import calibration_error
from benchmarks.pipeline import ROWS, Driver, Stack, fetch, free_port
from reasoning.simulator.law import JudgeRates, Law
from reasoning.simulator.world import make_problems, native_rows

FIT_WITHIN = 900.0
THRESHOLD = 0.95


@dataclass(frozen=True)
class Case:
    """One world. `labels` is the share of problems that come with their labels."""

    law: Law = field(default_factory=Law)
    labels: float = 0.5
    real: bool = False


WEAK = JudgeRates(hit=0.4, near=0.2, miss=0.2, false_alarm=0.4)
CASES = {
    "as-assumed": Case(),
    "weak-judge": Case(Law(judge=WEAK)),
    "weak-judge-unlabelled": Case(Law(judge=WEAK), labels=0.0),
    "other-policy": Case(Law(solve=(5.0, 1.5), recovery=0.3, noise=1.2)),
    "real": Case(real=True),
}


def serve(case: Case, rows: list[dict[str, Any]], port: int) -> None:
    """A simulator that knows these rows, in a process of its own."""
    import uvicorn

    from reasoning.simulator.server import Settings, application
    from reasoning.simulator.truth import Truth

    truth = Truth()
    truth.learn(rows)
    settings = Settings(truth=truth, law=case.law, latency=0.0)
    uvicorn.run(application(settings), port=port, log_level="critical", access_log=False, lifespan="off")


@contextmanager
def simulator(case: Case, rows: list[dict[str, Any]]) -> Iterator[str]:
    port = free_port()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(case, rows, port), daemon=True)
    process.start()
    url = f"http://127.0.0.1:{port}"
    try:
        while not _answers(url):
            time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        process.join(10)


def _answers(url: str) -> bool:
    try:
        fetch(f"{url}/health")
    except (urllib.error.URLError, OSError):
        return False
    return True


def rows_of(case: Case, problems: int, seed: int) -> list[dict[str, Any]]:
    """Native rows with their first errors, each with a reference answer."""
    if not case.real:
        return native_rows(make_problems(problems, seed, law=case.law))
    from reasoning import answers

    found = []
    for line in (line for file in ROWS for line in Path(file).read_text().split("\n") if line):
        row = json.loads(line)
        known = answers.reference(row.get("answer"), (row.get("meta") or {}).get("reference_solution"))
        if known is not None and row.get("first_error") is not None:
            found.append({key: row[key] for key in ("id", "problem", "steps", "first_error")} | {"answer": known})
    return found


def labelled(row: dict[str, Any], share: float) -> bool:
    """By a hash of the problem, so that all solutions of one problem go together."""
    digest = hashlib.sha256(row["problem"].encode()).digest()
    return int.from_bytes(digest[:4], "big") < share * 2**32


@dataclass(frozen=True)
class Measured:
    """The posteriors of the solutions without labels, against the truth."""

    solutions: int
    exact: float
    ece: float
    log_score: float
    """Mean natural log of the probability that the true first error was given."""
    certain: int
    certain_right: float


def measured(solutions: list[dict[str, Any]], truth: dict[str, int]) -> Measured:
    pairs = [(s["posterior"], truth[s["source_id"]]) for s in solutions if s["source_id"] in truth and s["posterior"]]
    certainty = np.array([p["certainty"] for p, _ in pairs])
    right = np.array([p["first_error"] == first for p, first in pairs])
    given = np.array([p["probabilities"][first] for p, first in pairs])  # −1, none, is the last
    sure = certainty >= THRESHOLD
    return Measured(
        len(pairs),
        float(right.mean()),
        calibration_error(certainty, right),
        float(np.log(np.maximum(given, 1e-9)).mean()),
        int(sure.sum()),
        float(right[sure].mean()) if sure.any() else float("nan"),
    )


def measure(name: str, problems: int, seed: int) -> None:
    case = CASES[name]
    rows = rows_of(case, problems, seed)
    truth = {row["id"]: row["first_error"] for row in rows if not labelled(row, case.labels)}
    with tempfile.TemporaryDirectory(prefix="sw-") as folder, simulator(case, rows) as endpoint:
        file = Path(folder) / "rows.jsonl"
        file.write_text("".join(json.dumps(row | _hidden(row, truth)) + "\n" for row in rows))
        stack = Stack(Path(folder) / "home", endpoint, free_port())
        stack.start()
        try:
            driver = _prepared(stack, file)
            for kind in ("judge", "rollouts"):
                driver.run(kind, None)
            assert not driver.call("projects/pipeline/fits/")["results"], "a fit of its own was quicker"
            before = measured(driver.solutions(), truth)
            fit, seconds = fitted(driver)
            after = measured(driver.solutions(), truth)
        finally:
            stack.stop()
    report = fit["report"]
    print(f"\n{name}: {len(rows)} solutions, {report['labels']} labels, fit in {seconds:.0f} s: {report['reason']}")
    print(f"  held-out log-likelihood {report['log_likelihood_before']:.2f} → {report['log_likelihood']:.2f}")
    for words, one in (("defaults", before), ("fitted", after)):
        print(
            f"  {words:9} of {one.solutions}: exact {one.exact:.3f}  ECE {one.ece:.3f}  log score {one.log_score:.3f}  "
            f"certain {one.certain}, right {one.certain_right:.3f}"
        )


def _hidden(row: dict[str, Any], truth: dict[str, int]) -> dict[str, Any]:
    return {"first_error": None} if row["id"] in truth else {}


def _prepared(stack: Stack, file: Path) -> Driver:
    token = stack.manage("create_token", "manager", "--scope", "read,manage").splitlines()[-1]
    driver = Driver(stack, token)
    settings = {"slug": "pipeline", "name": "Fit", "audit_share": 0.0, "threshold": THRESHOLD}
    driver.call("projects/", settings)
    stack.manage("load", str(file), "--project", "pipeline", "--format", "native")
    return driver


def fitted(driver: Driver) -> tuple[dict[str, Any], float]:
    """A fit by the API, and the routing that follows it."""
    began = time.monotonic()
    code = driver.call("projects/pipeline/fits/", {})["code"]
    while (fit := driver.call(f"fits/{code}/"))["state"] in ("queued", "running"):
        if time.monotonic() - began > FIT_WITHIN:
            raise SystemExit(f"the fit did not end within {FIT_WITHIN:.0f} s")
        time.sleep(0.5)
    seconds = time.monotonic() - began
    if fit["state"] != "done":
        raise SystemExit(f"the fit {fit['state']}: {fit['detail']}")
    while any(run["state"] in ("queued", "running") for run in driver.call("projects/pipeline/runs/")["results"]):
        time.sleep(0.5)
    return fit, seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="+", choices=list(CASES), default=list(CASES))
    parser.add_argument("--problems", type=int, default=200, help="problems of a simulated case, three solutions each")
    parser.add_argument("--seed", type=int, default=7, help="seed of the simulated problems")
    options = parser.parse_args()
    for name in options.cases:
        if CASES[name].real and not all(Path(file).is_file() for file in ROWS):
            print(f"\n{name}: nothing measured; {ROWS[0]} is not there")
            continue
        measure(name, options.problems, options.seed)


if __name__ == "__main__":
    main()
