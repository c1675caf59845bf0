"""The child process: killed when slow, replaced when dead, shared by threads, forgotten by a fork."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from reasoning.equivalence import Child, Equivalence, Relation, close, equal, equal_async, grade_async, worker
from reasoning.types import Verdict

SLOW = (r"\prod_{k=1}^{9999999} k!!", "5")


def test_a_comparison_past_its_time_is_killed_and_the_next_one_works() -> None:
    with Child(seconds=1.0) as child:
        assert child.compare(r"\pi", "3").verdict is Relation.UNEQUAL
        first = child.pid
        start = time.monotonic()
        assert equal(*SLOW, child=child) == Equivalence(Relation.UNKNOWN, "time")
        assert time.monotonic() - start < 60
        assert child.pid is None
        assert child.compare("x+1", "1+x").verdict is Relation.EQUAL
        assert child.pid != first


def test_a_child_that_died_is_replaced() -> None:
    with Child() as child:
        child.compare(r"\pi", "3")
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        assert child.compare(r"\pi", r"2\pi/2").verdict in (Relation.EQUAL, Relation.UNKNOWN)
        assert child.compare(r"\pi", r"2\pi/2").verdict is Relation.EQUAL
    assert child.pid is None


def test_a_child_without_memory_is_unknown() -> None:
    with Child(memory=40 * 1024**2) as child:
        outcome = child.compare(r"\sum_{k=1}^{3} k", "6")
    assert outcome.verdict is Relation.UNKNOWN
    assert outcome.rule == "died" or outcome.rule.startswith("error")


def test_what_raises_in_the_child_is_unknown_by_its_name_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    with Child() as child:
        outcome = child.compare("{" * 900 + "5" + "}" * 900, "5")
        assert outcome == Equivalence(Relation.UNKNOWN, "error: RecursionError")
        assert child.compare("x+1", "1+x").verdict is Relation.EQUAL
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "RecursionError" in caplog.text


def test_threads_take_turns_with_one_child() -> None:
    with Child() as child, ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda n: child.compare(rf"{n}\pi", rf"\pi\cdot {n + n % 2}"), range(1, 41)))
    assert [outcome.verdict for outcome in outcomes] == [
        Relation.UNEQUAL if n % 2 else Relation.EQUAL for n in range(1, 41)
    ]


async def test_the_event_loop_goes_on_while_the_child_works() -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0.01)

    ticking = asyncio.create_task(tick())
    with Child(seconds=1.0) as child:
        assert (await equal_async(*SLOW, child=child)).rule == "time"
        assert await grade_async(r"\frac{\pi}{2}", r"0.5\pi", child=child) == (Verdict.RIGHT, "numeric")
    ticking.cancel()
    assert ticks > 10


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_fork_starts_a_child_of_its_own_and_leaves_the_parents_alone() -> None:
    with Child() as child:
        child.compare(r"\pi", "3")
        before = child.pid
        copy = os.fork()
        if copy == 0:
            ok = child.compare("x+1", "1+x").verdict is Relation.EQUAL and child.pid != before
            child.close()
            os._exit(0 if ok else 1)
        _, status = os.waitpid(copy, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert child.pid == before
        assert child.compare("x+1", "1+x").verdict is Relation.EQUAL


def test_what_a_fork_does_to_the_handle(monkeypatch: pytest.MonkeyPatch) -> None:
    child = Child()
    child.compare(r"\pi", "3")
    theirs = child.pid
    assert theirs is not None
    monkeypatch.setattr(child, "_owner", -1)
    child.close()
    os.kill(theirs, signal.SIGKILL)
    os.waitpid(theirs, 0)
    monkeypatch.setattr(child, "_owner", -1)
    assert child.compare(r"\pi", "3").verdict is Relation.UNEQUAL
    child.close()


def test_closing_twice_is_fine() -> None:
    close()
    close()


def test_the_worker_reads_until_its_input_ends_or_is_idle() -> None:
    reading, writing = os.pipe()
    with open(reading, encoding="utf-8") as source:
        os.write(writing, b"one\n")
        found = worker.lines(source, 0.05)
        assert next(iter(found)) == "one\n"
        assert list(worker.lines(source, 0.0)) == []  # idle
        os.close(writing)
        assert list(worker.lines(source, 60.0)) == []  # ended


def test_the_worker_limits_itself_and_serves_its_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    limits: list[tuple[int, tuple[int, int]]] = []
    monkeypatch.setattr("resource.setrlimit", lambda what, limit: limits.append((what, limit)))
    reading, writing = os.pipe()
    os.write(writing, b'["1/2", "0.5"]\n')
    os.close(writing)
    with open(reading, encoding="utf-8") as source:
        monkeypatch.setattr("sys.stdin", source)
        worker.main(["30", str(2**31), "60"])
    assert capsys.readouterr().out.splitlines() == [worker.READY, '["equal", "rational"]']
    assert limits == [(resource.RLIMIT_AS, (2**31, 2**31)), (resource.RLIMIT_CORE, (0, 0))]
