"""How well one worker process uses an endpoint's slots, and how many requests a second one core can make.

The simulator runs in a process of its own. Shares are of the wall-clock time of all slots together:
`taken`: a request is out; `waiting`: the endpoint is at work on it (requests × latency), the rest of `taken` being
network and client. The ceiling is measured with replies that take no time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from reasoning.evidence.rollouts import RolloutConfig, roll
from reasoning.llm import CallRecord, Endpoint
from reasoning.llm.openai_chat import OpenAIChat
from reasoning.simulator.world import SAMPLE_PROBLEMS, SAMPLE_SEED, make_problems
from reasoning.types import Problem, Solution, Step

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement; `cpu` is this process's CPU seconds per second."""

    what: str
    slots: int
    latency_ms: float
    requests: int
    seconds: float
    per_second: float
    taken: float
    waiting: float
    cpu: float


@contextmanager
def simulator(latency_ms: float) -> Iterator[str]:
    """The base URL of a simulator in a process of its own."""
    command = [sys.executable, "-m", "reasoning.simulator", "--port", "0", "--latency-ms", str(latency_ms)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        yield server.stdout.readline().split(" on ")[1].strip()
    finally:
        server.terminate()
        server.wait()


def solutions() -> list[Solution]:
    """The sample project's solutions."""
    out = []
    for problem in make_problems(SAMPLE_PROBLEMS, SAMPLE_SEED):
        for made in problem.solutions:
            at, placed = 0, []
            for index, text in enumerate(made.steps):
                placed.append(Step(index, text, at, at + len(text)))
                at += len(text) + 2
            out.append(Solution(Problem(problem.statement, problem.answer), "\n\n".join(made.steps), tuple(placed)))
    return out


async def measure(what: str, url: str, *, slots: int, latency_ms: float, requests: int, n: int) -> Row:
    """Roll out `requests` prefixes, `n` rollouts a request, every solution its own adaptive chain of calls."""
    records: list[CallRecord] = []
    todo = iter(range(requests))
    config, all_solutions = RolloutConfig(), solutions()
    async with OpenAIChat(Endpoint(url, "simulated/completer", slots=slots), on_call=records.append) as client:
        warm = [roll(client, all_solutions[0], 0, samples=[i], config=config) for i in range(slots)]
        await asyncio.gather(*warm)
        records.clear()

        async def chain() -> None:
            for turn in todo:
                solution = all_solutions[turn % len(all_solutions)]
                prefix = turn % (len(solution.steps) + 1)
                await roll(client, solution, prefix, samples=range(turn * n, turn * n + n), config=config)

        cpu, started = _cpu(), time.perf_counter()
        # more chains in flight than slots: a chain that grades or decides leaves its slot to another
        await asyncio.gather(*(chain() for _ in range(2 * slots)))
        seconds = time.perf_counter() - started
    taken = sum(record.seconds for record in records) / (slots * seconds)
    waiting = requests * latency_ms / 1000 / (slots * seconds)
    return Row(what, slots, latency_ms, requests, seconds, requests / seconds, taken, waiting, (_cpu() - cpu) / seconds)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.endpoint", description=__doc__)
    parser.add_argument("--slots", type=int, default=64)
    parser.add_argument("--latency-ms", type=float, default=250.0)
    parser.add_argument("--seconds", type=float, default=15.0, help="about how long each measurement takes")
    parser.add_argument("--n", type=int, default=4, help="rollouts a request")
    parser.add_argument("--json", type=Path, help="also write the rows there")
    options = parser.parse_args(argv)
    wanted = int(options.seconds * options.slots * 1000 / options.latency_ms)
    rows = []
    for what, latency, requests in (("slots", options.latency_ms, wanted), ("ceiling", 0.0, 3000)):
        with simulator(latency) as url:
            rows.append(
                asyncio.run(measure(what, url, slots=options.slots, latency_ms=latency, requests=requests, n=options.n))
            )
    print(
        f"{'what':8} {'slots':>5} {'reply':>7} {'requests':>8} {'requests/s':>10} "
        f"{'taken':>7} {'waiting':>8} {'cpu':>6}"
    )
    for row in rows:
        print(
            f"{row.what:8} {row.slots:5} {row.latency_ms:4.0f} ms {row.requests:8} {row.per_second:10.1f} "
            f"{row.taken:7.1%} {row.waiting:8.1%} {row.cpu:6.0%}"
        )
    if options.json:
        options.json.write_text(json.dumps({"rows": [asdict(row) for row in rows]}, indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
