"""Small facts about operating-system processes that the standard library leaves out."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Final

MARK: Final = "STEPWISE_SUPERVISED_BY"
"""Environment variable that every program of the stack carries: the home that it belongs to."""

_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent() -> None:
    """Ask the kernel to kill this process when the one that started it is gone. Does nothing where there is no way."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def start_child(
    command: Sequence[str], *, environment: Mapping[str, str], output: IO[bytes] | int = subprocess.PIPE
) -> subprocess.Popen[bytes]:
    """Start a program that ends with us however we end, and that a Ctrl-C in our terminal does not reach.

    Only for a process with one thread: between fork and exec nothing else may hold a lock.
    """
    return subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=die_with_parent,  # noqa: PLW1509
    )


def _environment(process: Path) -> list[bytes]:
    with contextlib.suppress(OSError):
        return (process / "environ").read_bytes().split(b"\0")
    return []


def marked(home: Path) -> list[int]:
    """Ids of the live processes that belong to `home`, except this one. Empty where there is no /proc."""
    wanted = f"{MARK}={home}".encode()
    own = os.getpid()
    return [
        int(process.name)
        for process in Path("/proc").glob("[0-9]*")
        if int(process.name) != own and wanted in _environment(process)
    ]


def end_leftovers(home: Path, *, patience: float = 10.0) -> int:
    """Kill what a killed supervisor left behind, and wait until it is gone. Returns how many there were."""
    found = marked(home)
    for process in found:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process, signal.SIGKILL)
    deadline = time.monotonic() + patience
    while marked(home) and time.monotonic() < deadline:
        time.sleep(0.05)
    return len(found)
