"""The parent's side of the child process: one warm child, started when first needed, killed when it takes too long.

Usable from many threads (they take turns) and after a fork (the copy forgets the child and starts its own).
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import selectors
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Final

from reasoning.equivalence.outcome import Equivalence, Relation

SECONDS: Final = 5.0
"""Time limit of one comparison."""
MEMORY: Final = 2 * 1024**3
"""Address space of the child, bytes."""
ERROR: Final = "error: "
"""What the rule of a comparison starts with that raised in the child; the exception's name follows."""
_log: Final = logging.getLogger(__name__)
_IDLE_SECONDS: Final = 300.0
_START_SECONDS: Final = 120.0
"""Importing sympy takes two seconds on a free machine and many on a busy one."""
_ROOT: Final = Path(__file__).resolve().parents[2]
_MODULE: Final = "reasoning.equivalence.worker"


class Child:
    """A handle on the process; `close` ends it, the next `compare` starts another."""

    def __init__(self, *, seconds: float = SECONDS, memory: int = MEMORY, idle_seconds: float = _IDLE_SECONDS) -> None:
        self._arguments = [str(seconds), str(memory), str(idle_seconds)]
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = os.getpid()
        self._lock = threading.Lock()

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def compare(self, answer: str, reference: str) -> Equivalence:
        """The child's outcome; UNKNOWN with rule `time` when it was killed, `died` when it fell (of memory, mostly)."""
        if os.getpid() != self._owner:
            self.forget()
        request = json.dumps([answer, reference]).encode() + b"\n"
        with self._lock:
            try:
                reply = self._ask(request)
            except TimeoutError:
                self._kill()
                return Equivalence(Relation.UNKNOWN, "time")
            except OSError:
                self._kill()
                return Equivalence(Relation.UNKNOWN, "died")
        verdict, rule = json.loads(reply)
        if rule.startswith(ERROR):
            _log.warning("The answers' child could not compare %.80r with %.80r: %s", answer, reference, rule)
        return Equivalence(Relation(verdict), rule)

    def close(self) -> None:
        """End the child, if there is one."""
        if os.getpid() != self._owner:
            self.forget()
        with self._lock:
            self._kill()

    def forget(self) -> None:
        """In a forked copy: the child and the lock belong to the parent process. Leaves the child alone."""
        process, self._process = self._process, None
        self._owner = os.getpid()
        self._lock = threading.Lock()
        if process is not None:
            _close_pipes(process)
            process.returncode = 0  # so that Popen neither waits for nor warns of another process's child

    @property
    def pid(self) -> int | None:
        """Of the child process, where one runs."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def _ask(self, request: bytes) -> bytes:
        process = self._process
        if process is None or process.poll() is not None:
            self._kill()
            process = self._start()
        assert process.stdin is not None
        process.stdin.write(request)
        process.stdin.flush()
        return _read_line(process, self._seconds)

    def _start(self) -> subprocess.Popen[bytes]:
        path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", _MODULE, *self._arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"},
            start_new_session=True,
        )
        self._process = process
        _read_line(process, _START_SECONDS)
        return process

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            _close_pipes(process)


def _close_pipes(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(BrokenPipeError):  # what was not flushed has no reader any more
        process.stdin.close()
    process.stdout.close()


def _read_line(process: subprocess.Popen[bytes], seconds: float) -> bytes:
    """One line from the child. Raises TimeoutError, or BrokenPipeError where the child ended first."""
    assert process.stdout is not None
    deadline = time.monotonic() + seconds
    line = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while not line.endswith(b"\n"):
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise TimeoutError
            part = os.read(process.stdout.fileno(), 65536)
            if not part:
                raise BrokenPipeError
            line += part
    return line
