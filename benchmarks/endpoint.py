"""How well one worker process uses an endpoint's slots, and how many requests a second its core can make.

The simulator runs in a process of its own; both are looked at for the same while, once all slots have been in use.
`waiting` is the share of all slots' time in which the endpoint was at work: completed requests × latency / (slots ×
seconds). `taken` also counts network and client. What `client` and `simulator` cost is processor time a request;
`others` is how many cores everything else on the machine had meanwhile: where it is not about 0, waiting is too low
by what the two had to wait for a core. The ceiling is measured with replies that take no time. Reads /proc: Linux.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Self

from reasoning.evidence.rollouts import RolloutConfig, roll
from reasoning.llm import CallRecord, Endpoint
from reasoning.llm.openai_chat import OpenAIChat
from reasoning.simulator.world import SAMPLE_PROBLEMS, SAMPLE_SEED, make_problems
from reasoning.types import Problem, Solution, Step

ROOT = Path(__file__).resolve().parents[1]
WARM_SECONDS = 1.0
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement."""

    what: str
    slots: int
    latency_ms: float
    requests: int
    seconds: float
    per_second: float
    taken: float
    waiting: float
    client_ms: float
    simulator_ms: float
    others: float


@dataclass(frozen=True, slots=True)
class Moment:
    """The time and the processor seconds used until then."""

    at: float
    client: float
    simulator: float
    machine: float

    @classmethod
    def now(cls, simulator: int) -> Self:
        fields = Path(f"/proc/{simulator}/stat").read_text().rpartition(")")[2].split()
        user, nice, system, *_ = map(int, Path("/proc/stat").read_text().split(maxsplit=8)[1:8])
        used = int(fields[11]) + int(fields[12])
        return cls(time.perf_counter(), time.process_time(), used / TICKS, (user + nice + system) / TICKS)


@contextmanager
def simulator(latency_ms: float) -> Iterator[tuple[str, int]]:
    """The base URL and the number of a simulator's process."""
    command = [sys.executable, "-m", "reasoning.simulator", "--port", "0", "--latency-ms", str(latency_ms)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        yield server.stdout.readline().split(" on ")[1].strip(), server.pid
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


async def measure(what: str, *, slots: int, latency_ms: float, seconds: float, n: int) -> Row:
    """Roll out prefixes for `seconds`, `n` rollouts a request, each graded."""
    records: list[CallRecord] = []
    config, all_solutions, turns = RolloutConfig(), solutions(), count()
    over = asyncio.Event()

    async def chain(client: OpenAIChat) -> None:
        while not over.is_set():
            turn = next(turns)
            solution = all_solutions[turn % len(all_solutions)]
            prefix = turn % (len(solution.steps) + 1)
            await roll(client, solution, prefix, samples=range(turn * n, turn * n + n), config=config)

    with simulator(latency_ms) as (url, process):
        async with OpenAIChat(Endpoint(url, "simulated/completer", slots=slots), on_call=records.append) as client:
            # more chains in flight than slots: a chain that grades or decides leaves its slot to another
            chains = asyncio.gather(*(chain(client) for _ in range(2 * slots)))
            await asyncio.sleep(WARM_SECONDS + 2 * latency_ms / 1000)
            records.clear()
            began = Moment.now(process)
            await asyncio.sleep(seconds)
            ended, done = Moment.now(process), records.copy()
            over.set()
            await chains
    return summed_up(what, slots, latency_ms, began, ended, done)


def summed_up(what: str, slots: int, latency_ms: float, began: Moment, ended: Moment, records: list[CallRecord]) -> Row:
    if failed := [record.detail for record in records if record.status != "ok"]:
        raise SystemExit(f"{len(failed)} requests failed: {failed[0]}")
    requests, seconds = len(records), ended.at - began.at
    client, simulator = ended.client - began.client, ended.simulator - began.simulator
    return Row(
        what,
        slots,
        latency_ms,
        requests,
        seconds,
        per_second=requests / seconds,
        taken=sum(record.seconds for record in records) / (slots * seconds),
        waiting=requests * latency_ms / 1000 / (slots * seconds),
        client_ms=1000 * client / requests,
        simulator_ms=1000 * simulator / requests,
        others=(ended.machine - began.machine - client - simulator) / seconds,
    )


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.endpoint",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--slots", type=int, default=64)
    parser.add_argument("--latency-ms", type=float, default=250.0)
    parser.add_argument("--seconds", type=float, default=15.0, help="how long each measurement takes")
    parser.add_argument("--n", type=int, default=4, help="rollouts a request")
    parser.add_argument("--json", type=Path, help="also write the rows there")
    options = parser.parse_args(argv)
    print(
        f"{'what':8} {'slots':>5} {'reply':>7} {'requests':>8} {'requests/s':>10} "
        f"{'taken':>7} {'waiting':>8} {'client':>8} {'simulator':>9} {'others':>11}"
    )
    rows = []
    for what, latency in (("slots", options.latency_ms), ("ceiling", 0.0)):
        row = asyncio.run(measure(what, slots=options.slots, latency_ms=latency, seconds=options.seconds, n=options.n))
        print(
            f"{row.what:8} {row.slots:5} {row.latency_ms:4.0f} ms {row.requests:8} {row.per_second:10.1f} "
            f"{row.taken:7.1%} {row.waiting:8.1%} {row.client_ms:5.2f} ms {row.simulator_ms:6.2f} ms "
            f"{row.others:5.2f} cores",
            flush=True,
        )
        rows.append(row)
    if options.json:
        options.json.write_text(json.dumps({"rows": [asdict(row) for row in rows]}, indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
