"""The child process: reads one JSON list [answer, reference] a line, writes one [verdict, rule] a line.

`python -m reasoning.equivalence.worker SECONDS MEMORY_BYTES IDLE_SECONDS`. It ends itself when its input ends, when it
was idle for long, and, should its parent be gone, a little after the time limit of a comparison.
"""

from __future__ import annotations

import importlib
import json
import resource
import select
import signal
import sys
from collections.abc import Iterable
from typing import TextIO

from reasoning.equivalence.child import ERROR
from reasoning.equivalence.deep import decide_deeply
from reasoning.equivalence.outcome import Equivalence, Relation

READY = '["ready", ""]'


def serve(requests: Iterable[str], replies: TextIO, seconds: float) -> None:
    """Answer line by line. Past twice the time limit the process kills itself by SIGALRM: nobody waits any more."""
    print(READY, file=replies, flush=True)
    for line in requests:
        answer, reference = json.loads(line)
        signal.setitimer(signal.ITIMER_REAL, 2 * seconds)
        outcome = guarded(answer, reference)
        signal.setitimer(signal.ITIMER_REAL, 0)
        print(json.dumps([outcome.verdict, outcome.rule]), file=replies, flush=True)


def guarded(answer: str, reference: str) -> Equivalence:
    """`decide_deeply`, where whatever sympy, mpmath or math-verify raise on strange input is UNKNOWN.

    Their exceptions cannot be named: latex2sympy raises bare `Exception` in some twenty places and sympy anything from
    AttributeError to MemoryError. This is the task boundary: the reply carries the exception's name as the rule across
    to the parent, which logs it (`Child.compare`) and hands it on, so nothing is swallowed.
    """
    try:
        return decide_deeply(answer, reference)
    except Exception as error:  # noqa: BLE001 - see above
        return Equivalence(Relation.UNKNOWN, f"{ERROR}{type(error).__name__}")


def lines(source: TextIO, idle_seconds: float) -> Iterable[str]:
    """The lines of `source` until it ends, or until none came for `idle_seconds`."""
    while select.select([source], [], [], idle_seconds)[0]:
        line = source.readline()
        if not line:
            return
        yield line


def main(arguments: list[str]) -> None:
    seconds, memory, idle = float(arguments[0]), int(arguments[1]), float(arguments[2])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    importlib.import_module("reasoning.equivalence.symbolic")  # now, not within somebody's time limit
    serve(lines(sys.stdin, idle), sys.stdout, seconds)


if __name__ == "__main__":  # pragma: no cover - runs in the child process, out of the coverage tool's sight
    main(sys.argv[1:])
