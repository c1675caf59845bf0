"""One folder that holds all state of an installation, and the addresses that follow from it.

STEPWISE_HOME/
  secret_key      made once, 0600
  postgres/       the database's data
  broker/         the broker's append-only file
  files/          exports and uploads
  static/         collected static files
  logs/           one rotated file per program
  run/            sockets, the lock, remembered ports
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import shutil
import socket
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final
from urllib.parse import quote

from annotator.embedded.errors import AlreadyRunning, DiskFull, HomeUnusable

CHECKOUT: Final = Path(__file__).resolve().parents[2]
DEFAULT_HOME: Final = CHECKOUT / ".stepwise"
DATABASE: Final = "stepwise"
ROLE: Final = "postgres"
LOOPBACK: Final = "127.0.0.1"

MINIMUM_FREE: Final = 256 * 2**20
"""Bytes that a new database with its first write-ahead log and some room to work takes."""

LONGEST_SOCKET_FOLDER: Final = 85
"""A socket's whole path may take 107 bytes, and PostgreSQL adds `/.s.PGSQL.5432.lock`."""


@dataclass(frozen=True, slots=True)
class Home:
    """Where one installation keeps everything. Building one touches nothing on disk."""

    path: Path

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Home:
        """The folder that `STEPWISE_HOME` names, else `.stepwise/` in the checkout."""
        chosen = (os.environ if environ is None else environ).get("STEPWISE_HOME")
        return cls(Path(chosen).expanduser().absolute() if chosen else DEFAULT_HOME)

    @property
    def postgres(self) -> Path:
        return self.path / "postgres"

    @property
    def broker(self) -> Path:
        return self.path / "broker"

    @property
    def files(self) -> Path:
        return self.path / "files"

    @property
    def static(self) -> Path:
        return self.path / "static"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def run(self) -> Path:
        return self.path / "run"

    @property
    def database_url(self) -> str:
        """Address of the embedded database, whether or not it is running."""
        return f"postgresql://{ROLE}@/{DATABASE}?host={quote(str(self.socket_folder(self.postgres)), safe='')}"

    @property
    def broker_url(self) -> str:
        """Address of the embedded broker, whether or not it is running."""
        return f"redis+socket://{self.broker_socket}"

    @property
    def broker_socket(self) -> Path:
        return self.socket_folder(self.broker) / "broker.sock"

    def socket_folder(self, data: Path) -> Path:
        """The folder for the sockets of the server over `data`.

        It is named with the data folder's inode: a server whose folder was deleted under it unlinks its socket up to a
        minute later, and must not find the one of its successor.
        """
        inode = data.stat().st_ino if data.exists() else 0
        near = self.run / f"{data.name}-{inode}"
        if len(os.fsencode(near)) <= LONGEST_SOCKET_FOLDER:
            return near
        return Path(tempfile.gettempdir()) / f"stepwise-{os.geteuid()}-{inode}"

    def prepare(self, *, minimum_free: int = MINIMUM_FREE) -> None:
        """Make the folders, and find out now rather than later that they are of no use.

        Raises HomeUnusable or DiskFull.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            for folder in (self.files, self.logs, self.run):
                folder.mkdir(exist_ok=True, mode=0o700)
            with tempfile.TemporaryFile(dir=self.path) as probe:
                probe.write(b"\0")
            free = shutil.disk_usage(self.path).free
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise DiskFull(f"No space is left where {self.path} is: free some, or set STEPWISE_HOME.") from error
            raise HomeUnusable(
                f"{self.path} cannot be written ({error.strerror}): mend its rights, or set STEPWISE_HOME."
            ) from error
        if free < minimum_free:
            raise DiskFull(
                f"Only {free >> 20} MiB are free where {self.path} is, {minimum_free >> 20} MiB are needed: "
                "free some, or set STEPWISE_HOME to another disk."
            )

    def secret_key(self) -> str:
        """The key that signs sessions and encrypts endpoint keys: made at the first call, then always the same.

        Raises HomeUnusable.
        """
        path = self.path / "secret_key"
        with contextlib.suppress(FileNotFoundError):
            return path.read_text().strip()
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, draft = tempfile.mkstemp(dir=self.path, prefix=".secret_key-")
            with os.fdopen(handle, "w") as file:
                file.write(secrets.token_urlsafe(48))
            # A link never replaces what another process made meanwhile, and is whole or absent.
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)
            os.unlink(draft)
        except OSError as error:
            raise HomeUnusable(f"No secret key can be kept in {self.path} ({error.strerror}).") from error
        return path.read_text().strip()

    @contextlib.contextmanager
    def hold(self) -> Iterator[Callable[[], bool]]:
        """Hold this home for one supervisor. Raises AlreadyRunning when another has it.

        Gives a function that says whether this home still is the one that was held: somebody may delete the folder, and
        start anew in its place.
        """
        lock = self.run / "supervisor.lock"
        with open(lock, "a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                file.seek(0)
                raise AlreadyRunning(
                    f"Stepwise is already running on {self.path} (process {file.read().strip() or 'unknown'}): "
                    "stop it first, or set STEPWISE_HOME to another folder."
                ) from error
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield lambda: _is_still(lock, file)

    def loopback_port(self, name: str) -> int:
        """A free port of the loopback interface for `name`: the remembered one while it is free, else a new one."""
        memory = self.run / f"{name}.port"
        remembered = memory.read_text().strip() if memory.exists() else ""
        for port in (int(remembered) if remembered.isdigit() else 0, 0):
            with contextlib.suppress(OSError), socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((LOOPBACK, port))
                chosen = int(probe.getsockname()[1])
                memory.write_text(f"{chosen}\n")
                return chosen
        raise HomeUnusable(f"No port of {LOOPBACK} is free for the {name}.")


def _is_still(path: Path, file: IO[str]) -> bool:
    """Does the path lead to this open file?"""
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except OSError:
        return False


def make_private(folder: Path) -> None:
    """Make a folder that is ours alone, or refuse one that another account put there first (in a shared /tmp)."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), 65534}:
        raise HomeUnusable(f"{folder} belongs to another account: remove it, or set STEPWISE_HOME to a shorter path.")
