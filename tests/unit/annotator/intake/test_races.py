"""Two readers at once, each with a connection of its own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from annotator import intake
from annotator.intake import reading
from annotator.models import Intake, Solution, WorkState
from tests import factories as make
from tests.unit.annotator.intake.rows import counts, jsonl, native

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def small_batches(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.STEPWISE_FILES = tmp_path / "files"
    monkeypatch.setattr(reading, "BATCH", 5)


def at_once(*acts: Callable[[], Intake]) -> None:
    def run(act: Callable[[], Intake]) -> None:
        try:
            act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        for done in [pool.submit(run, act) for act in acts]:
            done.result()


ROWS = [native(f"r{number}", steps=[f"step {number}"], first_error=0) for number in range(60)]


def test_one_file_read_twice_at_once_counts_every_row_once() -> None:
    received = intake.receive(make.make_project(), [jsonl(*ROWS)], format="native")
    at_once(*[lambda: intake.read(received.pk)] * 3)
    # A reader that was overtaken leaves the rest to the one that overtook it.
    read = intake.read(received.pk)
    assert (read.state, counts(read)) == (WorkState.DONE, (60, 60, 0, 0))
    assert Solution.objects.count() == 60


def test_two_files_with_the_same_rows_add_each_row_once() -> None:
    project = make.make_project()
    received = [intake.receive(project, [jsonl(*ROWS)], format="native") for _ in range(2)]
    at_once(*(lambda pk=each.pk: intake.read(pk) for each in received))
    read = [Intake.objects.get(pk=each.pk) for each in received]
    assert [each.state for each in read] == [WorkState.DONE] * 2
    assert sum(each.rows_new for each in read) == sum(each.rows_known for each in read) == 60
    assert Solution.objects.count() == 60
