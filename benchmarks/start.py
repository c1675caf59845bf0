"""How long `make run` takes to be ready: in a fresh clone with nothing built and an empty home, and after that.

Clones this checkout's last commit into a temporary folder, so what is not committed does not count.

python -m benchmarks.start --starts 3
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
FIRST_ALLOWED, LATER_ALLOWED = 180.0, 15.0
WAIT = 600.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def start_and_stop(clone: Path, home: Path, port: int) -> tuple[float, float]:
    """Seconds until /readyz says 200, and seconds that a SIGTERM takes to end everything."""
    began = time.monotonic()
    environment = {**os.environ, "STEPWISE_HOME": str(home), "PORT": str(port)}
    with (home.parent / "run.log").open("ab") as log:
        process = subprocess.Popen(
            ["make", "run"], cwd=clone, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    while not ready(port):
        if process.poll() is not None or time.monotonic() - began > WAIT:
            raise SystemExit(f"it did not start:\n{(home.parent / 'run.log').read_text()[-2000:]}")
        time.sleep(0.1)
    took = time.monotonic() - began
    stopping = time.monotonic()
    os.kill(int((home / "run" / "supervisor.lock").read_text()), signal.SIGTERM)
    process.wait(60)
    return took, time.monotonic() - stopping


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sw-") as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", str(CHECKOUT), str(clone)], check=True)
        port = free_port()
        print(f"{'start':<24}{'ready after':>12}{'allowed':>10}{'stopped in':>12}")
        for number in range(options.starts):
            took, stopped = start_and_stop(clone, Path(folder) / "home", port)
            name, allowed = ("fresh clone", FIRST_ALLOWED) if number == 0 else (f"start {number + 1}", LATER_ALLOWED)
            print(f"{name:<24}{took:>10.1f} s{allowed:>8.0f} s{stopped:>10.1f} s", flush=True)


if __name__ == "__main__":
    main()
