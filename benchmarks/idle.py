"""What the running stack takes when nobody works: memory (PSS) and processor time of every process.

python -m benchmarks.idle --seconds 60
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from annotator.embedded.home import CHECKOUT, LOOPBACK, Home
from annotator.embedded.stack import http_ok

MEBIBYTES_ALLOWED = 500
PERCENT_ALLOWED = 5.0
SETTLING_SECONDS = 15.0
"""After the start, until the last import is done and the first sweep is over."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One process at one moment."""

    name: str
    pss: int
    """Bytes; pages shared by n processes count 1/n."""
    ticks: int
    """Processor time in clock ticks, user and system."""


def read(process: int) -> Reading:
    """Raises OSError for a process that is gone."""
    folder = Path("/proc") / str(process)
    rollup = (folder / "smaps_rollup").read_text()
    pss = next(int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:"))
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    return Reading(_name(folder), pss, int(fields[11]) + int(fields[12]))


def _name(folder: Path) -> str:
    command = (folder / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ").strip()
    for word in ("annotator.worker", "gunicorn", "reasoning.simulator", "annotator.embedded", "redis", "valkey"):
        if word in command:
            return word
    return command[:40] if command.startswith("postgres:") else Path(command.split()[0]).name


def _parents() -> dict[int, int]:
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            found[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    return found


def processes(home: Path) -> list[int]:
    """The supervisor of `home` and everything below it. Empty when it is not running."""
    lock = home / "run" / "supervisor.lock"
    parents = _parents()
    family = [int(lock.read_text())] if lock.exists() and int(lock.read_text()) in parents else []
    for process in family:  # grows while it is walked
        family.extend(child for child, parent in parents.items() if parent == process)
    return family if len(family) > 1 else []


def readings(ids: list[int]) -> Mapping[int, Reading]:
    found = {}
    for process in ids:
        try:
            found[process] = read(process)
        except OSError:
            continue
    return found


@contextlib.contextmanager
def _stack(home: Path) -> Iterator[Path]:
    """The home of a running stack: this one, or a new one that ends with the block."""
    if processes(home):
        yield home
        return
    with tempfile.TemporaryDirectory(prefix="sw-idle-") as folder, socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port = str(probe.getsockname()[1])
        probe.close()
        environment = {**os.environ, "STEPWISE_HOME": folder, "HOST": LOOPBACK, "PORT": port}
        command = [sys.executable, "-m", "annotator.embedded"]
        supervisor = subprocess.Popen(command, env=environment, cwd=CHECKOUT, stdin=subprocess.DEVNULL)
        try:
            while not asyncio.run(http_ok(LOOPBACK, int(port), "/readyz")):
                if supervisor.poll() is not None:
                    sys.exit("The stack did not start; why is said above.")
                time.sleep(1)
            time.sleep(SETTLING_SECONDS)
            yield Path(folder)
        finally:
            supervisor.terminate()
            supervisor.wait(60)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, default=Home.from_environment().path, help="of the running stack")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to watch")
    options = parser.parse_args()
    with _stack(options.home.absolute()) as home:
        return measure(home, options.seconds)


def measure(home: Path, seconds: float) -> int:
    """Print the table of `seconds` of idling; 0 when it is within the budgets."""
    before = readings(processes(home))
    time.sleep(seconds)
    after = readings(list(before))
    per_second = os.sysconf("SC_CLK_TCK") * seconds
    print(f"{'process':<40} {'PSS MiB':>9} {'CPU %':>7}")
    for process, reading in sorted(after.items(), key=lambda item: -item[1].pss):
        used = 100 * (reading.ticks - before[process].ticks) / per_second
        print(f"{reading.name:<40} {reading.pss / 2**20:>9.1f} {used:>7.2f}")
    memory = sum(reading.pss for reading in after.values()) / 2**20
    share = 100 * sum(after[process].ticks - before[process].ticks for process in after) / per_second
    print(f"{'all':<40} {memory:>9.1f} {share:>7.2f}")
    print(f"{'allowed':<40} {MEBIBYTES_ALLOWED:>9.1f} {PERCENT_ALLOWED:>7.2f}")
    return 0 if memory <= MEBIBYTES_ALLOWED and share <= PERCENT_ALLOWED else 1


if __name__ == "__main__":
    sys.exit(main())
