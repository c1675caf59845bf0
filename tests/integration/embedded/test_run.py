"""The whole stack as `make run` starts it: it comes up, finds its data again, and says why when it cannot."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from annotator.embedded.home import CHECKOUT, Home
from annotator.embedded.process import marked
from tests.fixtures.broker import eventually
from tests.fixtures.stack import LiveStack, new_stack

pytestmark = pytest.mark.xdist_group("stack")


@pytest.fixture
def stack() -> Iterator[LiveStack]:
    """A stack that was never started."""
    with new_stack(STEPWISE_SAMPLE="0") as fresh:
        yield fresh


@pytest.fixture(scope="module")
def _lasting() -> Iterator[LiveStack]:
    """Most of a first start is migrations, so one home serves all who do not need a fresh one."""
    with new_stack(STEPWISE_SAMPLE="0") as made:
        made.password = ""
        half_made(made).mkdir(parents=True)
        (half_made(made) / "PG_VERSION").write_text("18\n")
        yield made


def half_made(stack: LiveStack) -> Path:
    """Where the database of a first start lies until it is whole."""
    return stack.home / "postgres.making"


@pytest.fixture
def running(_lasting: LiveStack) -> LiveStack:
    """A stack that runs, on a home whose first start was interrupted and which was given no password."""
    if _lasting.process is None or _lasting.process.poll() is not None:
        _lasting.start()
    _lasting.wait_ready()
    return _lasting


def get(stack: LiveStack, path: str) -> tuple[int, str]:
    with urllib.request.urlopen(f"{stack.url}{path}", timeout=10) as answer:
        return answer.status, answer.read().decode()


def refused(stack: LiveStack) -> str:
    """What a start says that must fail: one line, and nothing left running."""
    stack.start()
    assert stack.process is not None
    assert stack.process.wait(60) == 1
    assert marked(stack.home) == []
    last = stack.said().splitlines()[-1]
    assert last.startswith("Stepwise cannot run: ")
    assert "Traceback" not in stack.said()
    return last


def test_a_half_made_database_is_made_anew(running: LiveStack) -> None:
    assert (running.home / "postgres" / "PG_VERSION").exists()
    assert not half_made(running).exists()


def test_a_random_password_is_shown_once_and_kept_out_of_the_logs(running: LiveStack) -> None:
    eventually(lambda: "to stop" in running.said(), what="the greeting")
    shown = next(line for line in running.said().splitlines() if line.strip().startswith("password")).split()[1]
    assert len(shown) >= 12
    for log in (running.home / "logs").iterdir():
        assert shown not in log.read_text()
    check = f"from django.contrib.auth import authenticate; print(authenticate(username='admin', password={shown!r}))"
    assert running.manage("shell", "--no-imports", "-c", check).strip() == "admin"


def test_a_second_supervisor_on_the_same_home_is_refused(running: LiveStack) -> None:
    second = LiveStack(running.home, extra=running.extra)
    done = subprocess.run(
        [sys.executable, "-m", "annotator.embedded"],
        cwd=CHECKOUT,
        env=second.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert f"already running on {running.home}" in done.stderr
    assert running.is_ready()


def test_it_starts_stops_on_sigterm_and_finds_its_data_again(running: LiveStack) -> None:
    assert json.loads(get(running, "/readyz")[1]) == {
        "status": "ready",
        "database": "ok",
        "broker": "ok",
        "worker": "ok",
    }
    assert get(running, "/healthz")[0] == 200
    assert "stepwise_http_requests_total" in get(running, "/metrics")[1]
    assert running.manage("create_user", "ada", "--password", "difference-engine") == ""
    token = running.manage("create_token", "ada", "--scope", "read,label").splitlines()[-1]
    assert token.startswith("sw_")

    assert running.stop(signal.SIGTERM) == 0
    assert marked(running.home) == []
    assert not Home(running.home).broker_socket.exists()

    running.start()
    running.wait_ready()
    users = (
        "from annotator.models import Person; print(*Person.objects.values_list('username', flat=True).order_by('pk'))"
    )
    assert running.manage("shell", "--no-imports", "-c", users).split() == [running.user, "ada"]
    assert running.said().count("sign in as") == 1
    assert running.stop(signal.SIGINT) == 0


def test_kill_of_the_whole_group_leaves_nothing_running_and_loses_nothing(running: LiveStack) -> None:
    running.manage("create_user", "grace", "--password", "nanoseconds-are-long")
    running.kill()
    eventually(lambda: not marked(running.home), what="the end of all children")
    running.start()
    running.wait_ready()
    query = "from annotator.models import Person; print(Person.objects.filter(username='grace').count())"
    assert running.manage("shell", "--no-imports", "-c", query).strip() == "1"


def test_a_killed_worker_and_a_killed_database_come_back(running: LiveStack) -> None:
    for name, pattern in (("worker", b"annotator.worker"), ("postgres", b"postgres\0-D")):
        (killed,) = heads(running, pattern)
        os.kill(killed, signal.SIGKILL)
        said = f"{name} | stopped (killed by signal 9"
        eventually(lambda said=said: said in running.said(), what="the loss being noticed")  # type: ignore[misc]
        eventually(lambda p=pattern, k=killed: heads(running, p) - {k}, what="its return")  # type: ignore[misc]
        running.wait_ready()


def heads(stack: LiveStack, pattern: bytes) -> set[int]:
    """Processes of this stack with `pattern` in their command line whose parent is none of them: not its children.

    By parent, because process numbers wrap around: the smallest need not be the eldest.
    """
    found = {
        int(process.name)
        for process in Path("/proc").glob("[0-9]*")
        if pattern in _read(process / "cmdline") and str(stack.home).encode() in _read(process / "environ", "cmdline")
    }
    return {process for process in found if _parent(process) not in found}


def _parent(process: int) -> int | None:
    fields = _read(Path(f"/proc/{process}/stat")).rpartition(b")")[2].split()
    return int(fields[1]) if fields else None


def _read(path: Path, *siblings: str) -> bytes:
    parts = []
    for one in (path, *(path.with_name(name) for name in siblings)):
        try:
            parts.append(one.read_bytes())
        except OSError:
            continue
    return b"".join(parts)


def test_a_taken_port_is_told_before_anything_is_made(stack: LiveStack) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", stack.port))
        other.listen()
        assert f"Port {stack.port} of 127.0.0.1 cannot be used" in refused(stack)
    assert not (stack.home / "postgres").exists()


def test_an_unwritable_home_is_told(stack: LiveStack) -> None:
    stack.home = Path("/proc/stepwise")
    done = subprocess.run(
        [sys.executable, "-m", "annotator.embedded"],
        cwd=CHECKOUT,
        env=stack.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Stepwise cannot run: /proc/stepwise cannot be written")
    assert len(done.stderr.splitlines()) == 1


def test_data_of_another_version_is_told(stack: LiveStack) -> None:
    (stack.home / "postgres").mkdir(parents=True)
    (stack.home / "postgres" / "PG_VERSION").write_text("9\n")
    assert "was written by PostgreSQL 9" in refused(stack)


def test_stop_while_it_starts_stops_everything(stack: LiveStack) -> None:
    stack.start()
    eventually((stack.home / "logs" / "bootstrap.log").exists, what="the start of the bootstrap")
    assert stack.stop() == 0
    assert marked(stack.home) == []
