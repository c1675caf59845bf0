"""`python -m reasoning.simulator`: serve the simulated world until told to stop."""

from __future__ import annotations

import argparse
import socket
import sys
from pathlib import Path

import uvicorn

from reasoning.errors import InvalidInput
from reasoning.simulator.faults import Fault, Faults
from reasoning.simulator.law import Law
from reasoning.simulator.server import Settings, application
from reasoning.simulator.truth import Truth, read_rows
from reasoning.simulator.world import SAMPLE_PROBLEMS, SAMPLE_SEED, make_problems, native_rows


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m reasoning.simulator", description=__doc__)
    add = parser.add_argument
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=8010, help="0 takes a free one; the first line of output says which")
    add(
        "--truth",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        action="extend",
        help="native rows with first errors",
    )
    add("--problems", type=int, default=SAMPLE_PROBLEMS, help="how many problems of its own it knows")
    add("--world-seed", type=int, default=SAMPLE_SEED, help="seed of its own problems")
    add("--seed", type=int, default=0, help="seed of what the models say")
    add("--latency-ms", type=float, default=50.0, help="how long a reply takes")
    add("--api-key", default="", help="the only key that is accepted; any where empty")
    add("--faults", default="", metavar="NAME=RATE,…", help=f"names: {', '.join(Fault)}")
    add("--retry-after", type=float, default=1.0, help="seconds, sent with 429")
    add("--slow-seconds", type=float, default=30.0, help="how long a slow reply takes")
    return parser


def settings(options: argparse.Namespace) -> Settings:
    """What the command line asks for. Raises `InvalidInput`, `OSError`."""
    truth = Truth()
    truth.learn(native_rows(make_problems(options.problems, options.world_seed)))
    for path in options.truth:
        truth.learn(read_rows(path))
    return Settings(
        truth=truth,
        law=Law(seed=options.seed),
        latency=options.latency_ms / 1000,
        faults=Faults.parse(options.faults, seed=options.seed),
        retry_after=options.retry_after,
        slow=options.slow_seconds,
        api_key=options.api_key,
    )


def main(argv: list[str] | None = None) -> int:
    options = arguments().parse_args(argv)
    try:
        chosen = settings(options)
    except (InvalidInput, OSError) as error:
        sys.stderr.write(f"simulator: {error}\n")
        return 2
    config = uvicorn.Config(
        application(chosen),
        host=options.host,
        port=options.port,
        log_level="critical",  # a reply cut off on purpose would be logged as an error
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    listener = config.bind_socket()
    # uvicorn's socket does not say that it is TCP, so asyncio leaves it Nagle's 40 ms between a reply's head and body
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.listen(config.backlog)  # whoever reads the next line may connect at once
    host, port = listener.getsockname()[:2]
    sys.stdout.write(f"simulator: {len(chosen.truth):,} problems on http://{host}:{port}/v1\n")
    sys.stdout.flush()
    uvicorn.Server(config).run(sockets=[listener])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
