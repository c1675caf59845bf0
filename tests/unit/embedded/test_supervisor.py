"""The supervisor over small programs of its own."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from annotator.embedded.__main__ import greeting
from annotator.embedded.errors import HomeUnusable, PortTaken, ProgramFailed
from annotator.embedded.home import Home
from annotator.embedded.journal import Journal
from annotator.embedded.process import MARK, end_leftovers, marked, start_child
from annotator.embedded.program import Child, Program
from annotator.embedded.stack import Address, Stack
from annotator.embedded.supervisor import Supervisor


def python(name: str, code: str, **more: object) -> Program:
    return Program(name, (sys.executable, "-c", code), dict(os.environ), **more)  # type: ignore[arg-type]


def test_a_program_that_ends_is_started_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lives = tmp_path / "lives"
    program = python("mayfly", f"open({str(lives)!r}, 'a').write('x')")

    async def startup() -> None:
        await supervisor.start(program)
        while not (lives.exists() and len(lives.read_text()) >= 2):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        os.kill(os.getpid(), signal.SIGTERM)

    supervisor = Supervisor(tmp_path)
    asyncio.run(supervisor.serve(startup()))
    assert "mayfly | stopped (exit code 0: it said nothing); starts again in 1 s" in capsys.readouterr().err


def test_a_program_that_ends_before_it_answers_fails_the_start_with_its_last_words(tmp_path: Path) -> None:
    async def never() -> bool:
        return False

    program = python("web", "import sys; print('first'); sys.exit('no such module')", answers=never)
    supervisor = Supervisor(tmp_path)
    with pytest.raises(ProgramFailed, match=r"web stopped \(exit code 1: no such module\)\. Its log: .*web\.log"):
        asyncio.run(supervisor.serve(supervisor.start(program)))
    assert (tmp_path / "web.log").read_text() == "first\nno such module\n"


def test_programs_stop_in_the_opposite_order(tmp_path: Path) -> None:
    order = tmp_path / "order"
    code = (
        "import signal, sys, time\n"
        "def stop(*_):\n"
        f"    open({str(order)!r}, 'a').write(NAME + ' ')\n"
        "    sys.exit()\n"
        "signal.signal(signal.SIGTERM, stop)\n"
        "print('up', flush=True)\n"
        "time.sleep(60)\n"
    )

    async def startup() -> None:
        for name in ("database", "broker", "web"):
            log = tmp_path / f"{name}.log"

            async def up(log: Path = log) -> bool:
                return "up" in log.read_text()  # noqa: ASYNC240

            await supervisor.start(python(name, f"NAME = {name!r}\n{code}", answers=up))
        os.kill(os.getpid(), signal.SIGINT)

    supervisor = Supervisor(tmp_path)
    asyncio.run(supervisor.serve(startup()))
    assert order.read_text().split() == ["web", "broker", "database"]


def test_a_program_that_will_not_stop_is_killed(tmp_path: Path) -> None:
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"

    async def life() -> int | None:
        child = Child(python("stubborn", code, stop_within=0.2), tmp_path)
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, child.reap)
        child.start()
        while child.journal.last_line != "up":  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        await child.stop()
        child.journal.close()
        return child.exit_code

    assert asyncio.run(life()) == -signal.SIGKILL


def test_a_program_run_to_its_end_fails_with_its_last_words(tmp_path: Path) -> None:
    async def startup() -> None:
        await supervisor.run(python("bootstrap", "raise SystemExit('table is missing')"))

    supervisor = Supervisor(tmp_path)
    with pytest.raises(ProgramFailed, match=r"bootstrap failed .*table is missing"):
        asyncio.run(supervisor.serve(startup()))


def test_leftovers_of_a_killed_supervisor_are_found_by_their_mark(tmp_path: Path) -> None:
    process = start_child([sys.executable, "-c", "import time; time.sleep(60)"], environment={MARK: str(tmp_path)})
    while process.pid not in marked(tmp_path):
        assert process.poll() is None
    assert marked(tmp_path / "other") == []
    with ThreadPoolExecutor() as pool:
        ended = pool.submit(process.wait)  # as the supervisor that is gone would have: a zombie is not gone
        assert end_leftovers(tmp_path) == 1
        assert ended.result() == -signal.SIGKILL
    assert process.stdout is not None
    process.stdout.close()


def test_what_matters_reaches_the_terminal_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal = Journal(tmp_path, "web", re.compile("error"))
    journal.feed(b'fine\n{"level": "error", "event": "went wrong", "run": 7, "exception": "Trace')
    journal.feed(b'back\\nValueError: no"}\nfine ag')
    journal.feed(b"")
    journal.close()
    assert capsys.readouterr().err == "      web | error: went wrong run=7 ValueError: no\n"
    assert (tmp_path / "web.log").read_text().startswith("fine\n{")
    assert journal.last_line == "fine ag"


@pytest.mark.parametrize("port", ["0", "70000", "eighty", "-1"])
def test_a_port_that_is_none_is_told(port: str) -> None:
    with pytest.raises(PortTaken, match="is not a port"):
        Address.from_environment({"PORT": port})


def test_an_address_of_another_machine_is_told() -> None:
    with pytest.raises(PortTaken, match="cannot be used"):
        Address("192.0.2.1", 8000).check_free()


def test_outside_servers_are_recognised_and_a_real_endpoint_needs_no_simulator(tmp_path: Path) -> None:
    outside = {"DATABASE_URL": "postgresql://db", "CELERY_BROKER_URL": "amqp://mq", "OPENAI_BASE_URL": "http://models"}
    home = Home(tmp_path)
    home.prepare()
    stack = Stack.from_environment(home, outside)
    assert stack.has_outside_database
    assert stack.has_outside_broker
    assert stack.addresses() == {"DATABASE_URL": "postgresql://db", "CELERY_BROKER_URL": "amqp://mq"}
    assert stack.simulator(stack.addresses()) is None


def test_every_truth_file_reaches_the_simulator(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    stack = Stack.from_environment(home, {"STEPWISE_SIMULATOR_TRUTH": "/a.jsonl:/b.jsonl"})
    simulator = stack.simulator({**stack.environment, **stack.addresses()})
    assert simulator is not None
    assert simulator.command[-4:] == ("--truth", "/a.jsonl", "--truth", "/b.jsonl")


@pytest.mark.parametrize(("chosen", "shown_once"), [({}, True), ({"STEPWISE_ADMIN_PASSWORD": "from elsewhere"}, False)])
def test_only_a_password_that_is_shown_is_said_to_be_shown_once(
    tmp_path: Path, chosen: dict[str, str], shown_once: bool
) -> None:
    home = Home(tmp_path)
    home.prepare()
    (home.run / "bootstrap.json").write_text('{"first_manager": "admin"}')
    stack = Stack.from_environment(home, chosen)
    said = greeting(stack)
    assert ("shown this once" in said) is shown_once
    assert (stack.password in said) is shown_once


def test_a_supervisor_whose_home_was_taken_away_stops_everything_and_says_why(tmp_path: Path) -> None:
    stopped = tmp_path / "stopped"
    stays = python(
        "stays",
        "import signal, sys, time\n"
        f"signal.signal(signal.SIGTERM, lambda *_: (open({str(stopped)!r}, 'w'), sys.exit()))\n"
        "time.sleep(60)",
    )

    async def startup() -> None:
        await supervisor.start(stays, python("mayfly", "import time; time.sleep(0.5)"))

    supervisor = Supervisor(tmp_path, still_ours=lambda: False)
    with pytest.raises(HomeUnusable, match="deleted, or replaced"):
        asyncio.run(asyncio.wait_for(supervisor.serve(startup()), 30))
    assert stopped.exists()
