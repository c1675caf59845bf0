"""What the stack is made of: which programs, in which order, with which environment."""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from annotator.embedded.broker import Broker
from annotator.embedded.errors import PortTaken
from annotator.embedded.home import CHECKOUT, LOOPBACK, Home
from annotator.embedded.postgres import Postgres, choose_binaries
from annotator.embedded.process import MARK
from annotator.embedded.program import Program

SIMULATOR: Final = "reasoning.simulator"
FIRST_MANAGER: Final = "admin"


@dataclass(frozen=True, slots=True)
class Address:
    """Where the pages are served."""

    host: str
    port: int

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Address:
        """`HOST` and `PORT`, else 127.0.0.1:8000. Raises PortTaken for a port that is none."""
        port = environ.get("PORT") or "8000"
        if not port.isdigit() or not 0 < int(port) < 65536:
            raise PortTaken(f"PORT={port} is not a port: use a number from 1 to 65535.")
        return cls(environ.get("HOST") or LOOPBACK, int(port))

    @property
    def local_host(self) -> str:
        """Under which this machine reaches it."""
        return {"0.0.0.0": LOOPBACK, "::": "::1"}.get(self.host, self.host)  # noqa: S104 - compared, not bound

    @property
    def url(self) -> str:
        host = f"[{self.local_host}]" if ":" in self.local_host else self.local_host
        return f"http://{host}:{self.port}"

    def check_free(self) -> None:
        """Raise PortTaken where it cannot be served on."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        try:
            with socket.socket(family) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((self.host, self.port))
        except PermissionError as error:
            raise PortTaken(f"Port {self.port} needs root: choose one above 1023, as in PORT=8001 make run.") from error
        except socket.gaierror as error:
            raise PortTaken(f"HOST={self.host} is not an address: {error.strerror}.") from error
        except OSError as error:
            other = self.port + 1 if self.port < 65535 else 8000
            raise PortTaken(
                f"Port {self.port} of {self.host} cannot be used ({error.strerror}): "
                f"stop what has it, or choose another, as in PORT={other} make run."
            ) from error


async def http_ok(host: str, port: int, path: str) -> bool:
    """Whether a GET is answered with 200."""
    try:
        reader, writer = await asyncio.open_connection(host, port)
        try:
            writer.write(f"GET {path} HTTP/1.0\r\nHost: {LOOPBACK}\r\n\r\n".encode())
            status = await asyncio.wait_for(reader.readline(), 5)
        finally:
            writer.close()
    except (OSError, TimeoutError):
        return False
    return b" 200 " in status


def _soon(answers: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    async def ask() -> bool:
        return answers()

    return ask


@dataclass(frozen=True, slots=True)
class Stack:
    """The programs of one home. Building one reads the environment and starts nothing."""

    home: Home
    address: Address
    environment: dict[str, str]
    password: str
    """Of the first manager, should this start be the one that makes them."""

    @classmethod
    def from_environment(cls, home: Home, environ: Mapping[str, str]) -> Stack:
        """Raises PortTaken."""
        address = Address.from_environment(environ)
        password = environ.get("STEPWISE_ADMIN_PASSWORD") or secrets.token_urlsafe(9)
        own = {
            "STEPWISE_HOME": str(home.path),
            "STEPWISE_LOG_FORMAT": "json",
            "HOST": address.host,
            "PORT": str(address.port),
            "PYTHONPATH": str(CHECKOUT),
            "PYTHONUNBUFFERED": "1",
            MARK: str(home.path),
        }
        # One thread of linear algebra per process is enough for small grids, and saves each a pool of idle ones.
        frugal = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
        return cls(home, address, {**frugal, **environ, **own}, password)

    @property
    def has_outside_database(self) -> bool:
        return bool(self.environment.get("DATABASE_URL"))

    @property
    def has_outside_broker(self) -> bool:
        return bool(self.environment.get("CELERY_BROKER_URL"))

    @property
    def simulates(self) -> bool:
        return not self.environment.get("OPENAI_BASE_URL")

    def postgres(self) -> Postgres:
        """The embedded server, its data made where there was none. Raises EmbeddedErrors."""
        binaries = choose_binaries(self.home.postgres)
        Postgres(self.home.postgres, self.home.run, binaries).prepare()
        return Postgres(self.home.postgres, self.home.socket_folder(self.home.postgres), binaries)

    def database(self, server: Postgres) -> Program:
        return Program(
            name="postgres",
            command=server.command(),
            environment={**server.environment, MARK: str(self.home.path)},
            before_start=server.before_start,
            answers=_soon(server.answers),
            stop_signal=signal.SIGINT,
            stop_within=30,
            # It reports refused rows as ERROR: those are answers to whoever asked.
            alarm=re.compile(r" (FATAL|PANIC): (?!.*(starting up|shutting down|terminating connection))"),
        )

    def broker(self) -> Program:
        self.home.broker.mkdir(exist_ok=True, mode=0o700)
        server = Broker(self.home.broker, self.home.broker_socket)
        return Program(
            name="broker",
            command=server.command(),
            environment=self.environment,
            before_start=server.before_start,
            answers=_soon(server.answers),
            alarm=re.compile(r"(?i) # .*(fatal|can't|cannot|error|failed|bad file|short read)"),
        )

    def addresses(self) -> dict[str, str]:
        """Variables that tell every program where the servers are."""
        found = {
            "DATABASE_URL": self.environment.get("DATABASE_URL") or self.home.database_url,
            "CELERY_BROKER_URL": self.environment.get("CELERY_BROKER_URL") or self.home.broker_url,
        }
        if self.simulates and (CHECKOUT / "reasoning" / "simulator" / "__main__.py").exists():
            found["STEPWISE_SIMULATOR_URL"] = f"http://{LOOPBACK}:{self.home.loopback_port('simulator')}"
        return found

    def simulator(self, environment: Mapping[str, str]) -> Program | None:
        """The built-in model server; None where a real endpoint is set."""
        if "STEPWISE_SIMULATOR_URL" not in environment:
            return None
        port = int(environment["STEPWISE_SIMULATOR_URL"].rpartition(":")[2])
        truth = environment.get("STEPWISE_SIMULATOR_TRUTH", "")
        files = [part for name in truth.split(os.pathsep) if name for part in ("--truth", str(Path(name).absolute()))]
        return Program(
            name="simulator",
            command=(sys.executable, "-m", SIMULATOR, "--host", LOOPBACK, "--port", str(port), *files),
            environment=environment,
            answers=lambda: http_ok(LOOPBACK, port, "/v1/models"),
        )

    def bootstrap(self, environment: Mapping[str, str]) -> Program:
        """Migrations, static files, first manager, sample project: each does nothing the second time."""
        first = {
            "STEPWISE_ADMIN_USER": environment.get("STEPWISE_ADMIN_USER") or FIRST_MANAGER,
            "STEPWISE_ADMIN_PASSWORD": self.password,
        }
        return Program(
            name="bootstrap",
            command=(sys.executable, str(CHECKOUT / "manage.py"), "bootstrap", "--report", str(self._report)),
            environment={**environment, **first},
            ready_within=15 * 60,  # a migration of a large database takes its time
        )

    @property
    def _report(self) -> Path:
        return self.home.run / "bootstrap.json"

    def made_first_manager(self) -> str | None:
        """Name of the manager that this start's bootstrap made, if it made one."""
        manager = json.loads(self._report.read_text()).get("first_manager")
        return str(manager) if manager else None

    def programs(self, environment: Mapping[str, str]) -> list[Program]:
        """Worker with its scheduler, and web."""
        # SIGTERM would wait for whole tasks; SIGQUIT gives them a few seconds and hands back what is unfinished.
        worker = Program(
            "worker",
            (sys.executable, "-m", "annotator.worker"),
            environment,
            stop_signal=signal.SIGQUIT,
            stop_within=12,
        )
        gunicorn = (sys.executable, "-m", "gunicorn", "--config", "python:annotator.embedded.web")
        web = Program(
            "web",
            (*gunicorn, "annotator.wsgi:application"),
            environment,
            answers=lambda: http_ok(self.address.local_host, self.address.port, "/readyz"),
            ready_within=120,
        )
        return [worker, web]
