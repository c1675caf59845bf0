"""One program of the stack: what it is, and one life of it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from annotator.embedded.errors import ProgramFailed
from annotator.embedded.journal import ALARM, Journal
from annotator.embedded.process import start_child


async def always() -> bool:
    """The readiness of a program that is ready as soon as it runs."""
    return True


def nothing() -> None:
    """No preparation."""


@dataclass(frozen=True, slots=True)
class Program:
    """What to run, how to see that it is ready, and how to stop it."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    before_start: Callable[[], None] = nothing
    """Called before every start, after a crash too."""
    answers: Callable[[], Awaitable[bool]] = always
    ready_within: float = 60.0
    """Seconds from the start until `answers`."""
    stop_signal: signal.Signals = signal.SIGTERM
    stop_within: float = 10.0
    """Seconds after `stop_signal` before it is killed."""
    alarm: re.Pattern[str] = ALARM


class Child:
    """A program with its journal; it can be started again after it ended."""

    def __init__(self, program: Program, logs: Path) -> None:
        self.program = program
        self.journal = Journal(logs, program.name, program.alarm)
        self.started = 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = asyncio.Event()

    @property
    def exit_code(self) -> int | None:
        """None while it runs or before it ever did; negative is a signal's number."""
        return self._process.returncode if self._process else None

    def start(self) -> None:
        """Start it. Its output is read from now on by the running event loop."""
        self.program.before_start()
        process = start_child(self.program.command, environment=self.program.environment)
        self._process = process
        self._ended.clear()
        self.started = time.monotonic()
        assert process.stdout is not None
        output = process.stdout.fileno()
        os.set_blocking(output, False)
        asyncio.get_running_loop().add_reader(output, self._read, output)

    def _read(self, output: int) -> None:
        try:
            data = os.read(output, 65536)
        except BlockingIOError:
            return
        self.journal.feed(data)
        if not data:
            self._stop_reading()

    def _stop_reading(self) -> None:
        if self._process and self._process.stdout and not self._process.stdout.closed:
            asyncio.get_running_loop().remove_reader(self._process.stdout.fileno())
            self._process.stdout.close()

    def reap(self) -> None:
        """Find out whether it ended: to be called whenever the kernel says that some child did."""
        if self._process and not self._ended.is_set() and self._process.poll() is not None:
            with contextlib.suppress(BlockingIOError, ValueError):
                while self._process.stdout and (rest := os.read(self._process.stdout.fileno(), 65536)):
                    self.journal.feed(rest)
            self.journal.feed(b"")
            self._stop_reading()
            self._ended.set()

    async def ended(self) -> int:
        """Wait for its end; the exit code."""
        await self._ended.wait()
        assert self.exit_code is not None
        return self.exit_code

    async def ready(self) -> None:
        """Wait until it answers. Raises ProgramFailed when it ends before, or takes too long."""
        deadline = self.started + self.program.ready_within
        while not await self.program.answers():
            if self.exit_code is not None:
                raise ProgramFailed(f"{self.program.name} stopped ({self.why()}). Its log: {self.journal.path}")
            if time.monotonic() > deadline:
                raise ProgramFailed(
                    f"{self.program.name} did not answer within {self.program.ready_within:.0f} s "
                    f"({self.journal.last_line}). Its log: {self.journal.path}"
                )
            await asyncio.sleep(0.2)

    def why(self) -> str:
        """Why it ended, in a few words."""
        code = self.exit_code
        how = f"killed by signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        return f"{how}: {self.journal.last_line}"

    async def stop(self) -> None:
        """Ask it to stop, and kill it and its helpers when it does not."""
        if self._process is None or self._ended.is_set():
            return
        self._process.send_signal(self.program.stop_signal)
        try:
            await asyncio.wait_for(self.ended(), self.program.stop_within)
        except TimeoutError:
            self.kill()
            await self.ended()

    def kill(self) -> None:
        """Kill it and everything that it started in its group."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
