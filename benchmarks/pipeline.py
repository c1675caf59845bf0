"""The whole pipeline on real rows: judge, then rollouts, on the real stack, killed in the middle and started again.

The simulator stands outside the stack as somebody's endpoint: it knows the rows' labels, plays judge and completer with
its error rates, and counts what it is asked, so that what was paid for can be held against what was stored. The rows
go in without their labels; what comes out is compared with them.

python -m benchmarks.pipeline --rows FILE.jsonl [FILE.jsonl …]
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

PYTHON = sys.executable
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
ROWS = [str(DATA / f"{name}.public.jsonl") for name in ("stepverify", "mr_gsm8k")]
READY_WITHIN = 120.0
RUN_WITHIN = 900.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def fetch(url: str, *, token: str = "", body: bytes | None = None) -> Any:
    """JSON of one call. Raises urllib.error.HTTPError with the problem's own words."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=60) as reply:  # noqa: S310
        return json.loads(reply.read() or b"null")


@contextmanager
def simulator(truth: list[str], latency: int) -> Iterator[str]:
    command = [PYTHON, "-m", "reasoning.simulator", "--port", "0", "--latency-ms", str(latency), "--truth", *truth]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        yield server.stdout.readline().split(" on ")[1].strip().removesuffix("/v1")
    finally:
        server.terminate()
        server.wait(10)


@dataclass
class Stack:
    """The real thing in a home of its own, a process group of its own."""

    home: Path
    endpoint: str
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "STEPWISE_HOME": str(self.home),
            "PORT": str(self.port),
            "STEPWISE_ADMIN_USER": "manager",
            "STEPWISE_ADMIN_PASSWORD": "a-password-for-a-benchmark",
            "OPENAI_BASE_URL": f"{self.endpoint}/v1",
            "STEPWISE_JUDGE_MODEL": "simulated/judge",
            "STEPWISE_COMPLETER_MODEL": "simulated/completer",
        }

    def start(self) -> float:
        """Seconds until /readyz says 200."""
        began = time.monotonic()
        log = (self.home.parent / "stack.log").open("ab")
        self.process = subprocess.Popen(
            [PYTHON, "-m", "annotator.embedded"],
            env=self.environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        while not self._ready():
            if self.process.poll() is not None or time.monotonic() - began > READY_WITHIN:
                raise SystemExit(f"the stack did not start: {(self.home.parent / 'stack.log').read_text()[-2000:]}")
            time.sleep(0.1)
        return time.monotonic() - began

    def _ready(self) -> bool:
        try:
            fetch(f"{self.url}/readyz")
        except (urllib.error.URLError, OSError):
            return False
        return True

    def kill(self) -> None:
        """kill −9 of the whole process group."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        assert self.process is not None
        self.process.terminate()
        self.process.wait(60)

    def manage(self, *words: str) -> str:
        command = [PYTHON, "manage.py", *words]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=True)
        return done.stdout.strip()


def prepare(files: list[str], count: int, target: Path) -> dict[str, int]:
    """Write `count` rows without labels; returns what their labels said, by id."""
    from reasoning import answers

    truth: dict[str, int] = {}
    with target.open("w") as out:
        for line in (line for file in files for line in Path(file).read_text().split("\n") if line):
            row = json.loads(line)
            known = answers.reference(row.get("answer"), (row.get("meta") or {}).get("reference_solution"))
            if row.get("first_error") is None or known is None or len(truth) == count:
                continue
            truth[row["id"]] = row["first_error"]
            kept = {key: row[key] for key in ("id", "problem", "steps", "generator") if row.get(key) is not None}
            out.write(json.dumps(kept | {"answer": known}) + "\n")
    return truth


@dataclass
class Driver:
    stack: Stack
    token: str
    asked: list[tuple[float, int]] = field(default_factory=list)
    """Of the run that was last made: when it was looked at, and how many requests the endpoint had had by then."""

    def call(self, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        return fetch(f"{self.stack.url}/api/v1/{path}", token=self.token, body=data)

    def run(self, kind: str, kill_at: float | None) -> tuple[dict[str, Any], float]:
        """Start a run and wait for its end; kill and restart the stack once when `kill_at` of it is done."""
        began = time.monotonic()
        self.asked = []
        code = self.call("projects/pipeline/runs/", {"kind": kind})["code"]
        while time.monotonic() - began < RUN_WITHIN:
            self.asked.append((time.monotonic(), fetch(f"{self.stack.endpoint}/health")["requests"]))
            found: dict[str, Any] = self.call(f"runs/{code}/")
            progress = found["progress"]
            if found["state"] in ("done", "failed", "paused", "cancelled"):
                return found, time.monotonic() - began
            if kill_at is not None and progress["done"] >= kill_at * progress["total"]:
                kill_at = None
                self.stack.kill()
                print(f"  killed at {progress['done']} of {progress['total']}; up again in {self.stack.start():.1f} s")
            time.sleep(0.25)
        raise SystemExit(f"the {kind} run did not end within {RUN_WITHIN:.0f} s: {found}")

    def waiting(self, slots: int, latency: float) -> float:
        """The share of all slots' time in which the endpoint was at work, over the run's middle: without the first and
        last fifth of its requests, when solutions are being planned for the first time, or few are left.
        """
        first, last = self.asked[0][1], self.asked[-1][1]
        edges = [first + share * (last - first) for share in (0.2, 0.8)]
        middle = [look for look in self.asked if edges[0] <= look[1] <= edges[1]]
        if len(middle) < 2:
            return float("nan")
        (began, before), (ended, after) = middle[0], middle[-1]
        return (after - before) * latency / (slots * (ended - began))

    def solutions(self) -> list[dict[str, Any]]:
        found, path = [], "projects/pipeline/solutions/?page_size=500"
        while path:
            page = self.call(path)
            found += page["results"]
            path = (page["next"] or "").rpartition("/api/v1/")[2]
        return found


def judged(solutions: list[dict[str, Any]], truth: dict[str, int]) -> list[tuple[str, str]]:
    """How the posterior's first errors and the machines' labels stand against the rows' own labels."""
    believed = [(s["posterior"], truth[s["source_id"]]) for s in solutions if s["posterior"]]
    exact = sum(p["first_error"] == label for p, label in believed)
    sure = sum(p["certainty"] for p, _ in believed)
    settled = [(s["settlement"], truth[s["source_id"]]) for s in solutions if s["settlement"]]
    right = sum(s["first_error"] == label for s, label in settled)
    people = sum(s["status"] == "queued" for s in solutions)
    return [
        ("posteriors", f"{len(believed)}"),
        ("exact first error of the posterior", f"{exact / max(len(believed), 1):.3f}"),
        ("mean max P (calibrated: equal to the line above)", f"{sure / max(len(believed), 1):.3f}"),
        ("labelled by machines", f"{len(settled)}"),
        ("exact first error of those labels", f"{right / max(len(settled), 1):.3f}"),
        ("sent to people", f"{people}"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="+", default=ROWS, metavar="FILE", help="native rows with first errors")
    parser.add_argument("--count", type=int, default=400, help="rows with a reference answer to use")
    parser.add_argument("--latency-ms", type=int, default=50)
    parser.add_argument("--slots", type=int, default=32, help="requests in flight at once")
    parser.add_argument("--kill-at", type=float, default=0.5, help="share of each run; negative: never")
    options = parser.parse_args()
    if missing := [file for file in options.rows if not Path(file).is_file()]:
        print(f"nothing measured: {missing[0]} is not there; name files with --rows")
        return
    kill_at = options.kill_at if options.kill_at >= 0 else None
    with tempfile.TemporaryDirectory(prefix="sw-") as folder, simulator(options.rows, options.latency_ms) as endpoint:
        file = Path(folder) / "rows.jsonl"
        truth = prepare(options.rows, options.count, file)
        stack = Stack(Path(folder) / "home", endpoint, free_port())
        print(f"first start of the stack: {stack.start():.1f} s")
        try:
            stack.manage(
                "shell", "-c", f"from annotator.models import Endpoint as E; E.objects.update(slots={options.slots})"
            )
            use = partial(Driver.waiting, slots=options.slots, latency=options.latency_ms / 1000)
            table = measure(stack, file, truth, kill_at, use)
        finally:
            stack.stop()
    width = max(len(name) for name, _ in table)
    for name, value in table:
        print(f"{name:<{width}}  {value}")


def measure(
    stack: Stack, file: Path, truth: dict[str, int], kill_at: float | None, waiting: Callable[[Driver], float]
) -> list[tuple[str, str]]:
    token = stack.manage("create_token", "manager", "--scope", "read,manage").splitlines()[-1]
    driver = Driver(stack, token)
    driver.call("projects/", {"slug": "pipeline", "name": "Pipeline", "audit_share": 0.0})
    stack.manage("load", str(file), "--project", "pipeline", "--format", "native")
    table: list[tuple[str, str]] = [("rows", str(len(truth)))]
    began = time.monotonic()
    for kind in ("judge", "rollouts"):
        before = fetch(f"{stack.endpoint}/health")
        run, seconds = driver.run(kind, kill_at)
        after = fetch(f"{stack.endpoint}/health")
        stored = (
            run["cost"]["rollouts"]
            if kind == "rollouts"
            else sum(s["evidence"]["judgements"] for s in driver.solutions())
        )
        paid = after["completions"] - before["completions"]
        table += [
            (f"{kind}: state", f"{run['state']} {run['detail']}".strip()),
            (f"{kind}: seconds", f"{seconds:.1f}"),
            (f"{kind}: done, failed, waiting", "{done}, {failed}, {waiting}".format(**run["progress"])),
            (f"{kind}: requests", str(after["requests"] - before["requests"])),
            (f"{kind}: slots' time spent waiting for the endpoint, its middle", f"{waiting(driver):.1%}"),
            (f"{kind}: stored", str(stored)),
            (
                f"{kind}: asked of the endpoint, not stored (in flight at the kill, or of no use)",
                str(paid - stored),
            ),
        ]
    table.append(("judge and rollouts together, with the restarts: seconds", f"{time.monotonic() - began:.1f}"))
    return table + judged(driver.solutions(), truth)


if __name__ == "__main__":
    main()
