"""Starts programs in order, watches them, starts again what ends, and stops all of them in the opposite order."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Final

from annotator.embedded.errors import EmbeddedError, HomeUnusable, ProgramFailed
from annotator.embedded.journal import say
from annotator.embedded.program import Child, Program

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 30.0
CALM_SECONDS: Final = 60.0
"""A program that ran this long before it ended starts again after the first pause."""


class Supervisor:
    """Holds the children of one stack. Programs that are started together are stopped together."""

    def __init__(self, logs: Path, still_ours: Callable[[], bool] = lambda: True) -> None:
        """`still_ours` says whether the home still is the one that was started in; asked when a program has ended."""
        self._logs, self._still_ours = logs, still_ours
        self._groups: list[list[Child]] = []
        self._keepers: set[asyncio.Task[None]] = set()
        self._asked = asyncio.Event()
        self._lost = False

    async def serve(self, startup: Coroutine[None, None, None]) -> None:
        """Carry out `startup`, keep what it started running until a signal asks to stop, and stop it.

        Raises what `startup` raises, and HomeUnusable where the home was taken away, after everything is stopped.
        """
        with self._listening():
            starting = asyncio.create_task(startup)
            asked = asyncio.create_task(self._asked.wait())
            try:
                await asyncio.wait({starting, asked}, return_when=asyncio.FIRST_COMPLETED)
                if starting.done():
                    await starting
                    await asked
            finally:
                starting.cancel()
                asked.cancel()
                await self._stop()
        if self._lost:
            raise HomeUnusable("the home folder was deleted, or replaced, while it ran.")

    @contextlib.contextmanager
    def _listening(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        stopping = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        for number in stopping:
            loop.add_signal_handler(number, self._asked_to_stop)
        loop.add_signal_handler(signal.SIGCHLD, self._reap)
        try:
            yield
        finally:
            for number in (*stopping, signal.SIGCHLD):
                loop.remove_signal_handler(number)

    def _asked_to_stop(self) -> None:
        if self._asked.is_set():
            say("Asked twice: killing what still runs.")
            for child in self._children():
                child.kill()
        else:
            say("Stopping …")
            self._asked.set()

    def _children(self) -> list[Child]:
        return [child for group in self._groups for child in group]

    def _reap(self) -> None:
        for child in self._children():
            child.reap()

    async def start(self, *programs: Program) -> None:
        """Start these together, wait until all answer, and keep them running from then on. Raises ProgramFailed."""
        group = [Child(program, self._logs) for program in programs]
        self._groups.append(group)
        for child in group:
            child.start()
        for child in group:
            await child.ready()
            keeper = asyncio.create_task(self._keep(child))
            self._keepers.add(keeper)
            keeper.add_done_callback(self._keepers.discard)

    async def run(self, program: Program) -> None:
        """Run a program to its end. Raises ProgramFailed where it fails or takes longer than `ready_within`."""
        child = Child(program, self._logs)
        self._groups.append([child])
        child.start()
        try:
            code = await asyncio.wait_for(child.ended(), program.ready_within)
        except TimeoutError:
            raise ProgramFailed(f"{program.name} took longer than {program.ready_within:.0f} s.") from None
        if code:
            raise ProgramFailed(f"{program.name} failed ({child.why()}). Its log: {child.journal.path}")
        self._groups.remove([child])

    async def _keep(self, child: Child) -> None:
        pause = FIRST_PAUSE
        while True:
            await child.ended()
            if not self._still_ours():
                self._lost = True
                self._asked.set()
                return
            pause = FIRST_PAUSE if time.monotonic() - child.started > CALM_SECONDS else min(2 * pause, LONGEST_PAUSE)
            say(f"{child.program.name:>9} | stopped ({child.why()}); starts again in {pause:g} s")
            await asyncio.sleep(pause)
            try:
                child.start()
            except (EmbeddedError, OSError) as error:
                say(f"{child.program.name:>9} | cannot start: {error}")

    async def _stop(self) -> None:
        for keeper in self._keepers:
            keeper.cancel()
        for group in reversed(self._groups):
            await asyncio.gather(*(child.stop() for child in group))
            for child in group:
                child.journal.close()
