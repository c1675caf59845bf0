"""Tasks at their boundary: what nobody foresaw ends the work, what will pass does not."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError

from annotator import exports, intake, tasks
from annotator.models import Export, Intake, Run, WorkState
from tests.factories import make_project, make_run

pytestmark = pytest.mark.django_db


def received() -> Intake:
    return intake.receive(make_project(), [b'{"problem": "p", "steps": ["s"]}\n'], format="native")


def breaks(error: Exception) -> Any:
    def broken(*_: object) -> None:
        raise error

    return broken


def test_what_nobody_foresaw_fails_the_work_in_words_and_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    found = received()
    monkeypatch.setattr(intake, "read", breaks(KeyError("odd\0")))
    with pytest.raises(KeyError):
        tasks.read_intake(found.pk)
    found.refresh_from_db()
    assert found.state == WorkState.FAILED
    assert found.detail.startswith("KeyError: 'odd")
    assert found.ended_at is not None


def test_a_database_that_is_away_leaves_the_work_to_the_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    found = received()
    monkeypatch.setattr(intake, "read", breaks(OperationalError("the server closed the connection")))
    with pytest.raises(OperationalError):
        tasks.read_intake(found.pk)
    found.refresh_from_db()
    assert found.state == WorkState.QUEUED


def test_an_export_that_breaks_can_be_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    project = make_project()
    wanted = exports.request(project, "native", {}, None)
    with monkeypatch.context() as broken:
        broken.setattr(exports, "build", breaks(TypeError("odd")))
        with pytest.raises(TypeError):
            tasks.build_export(wanted.pk)
    again = exports.request(project, "native", {}, None)
    assert again.pk == wanted.pk
    tasks.build_export(wanted.pk)
    wanted.refresh_from_db()
    assert wanted.state == WorkState.DONE


def test_a_run_that_was_paused_meanwhile_stays_paused(monkeypatch: pytest.MonkeyPatch) -> None:
    from annotator import preannotation

    run = make_run(make_project(), "route", state=WorkState.PAUSED)
    monkeypatch.setattr(preannotation, "advance", breaks(TypeError("odd")))
    with pytest.raises(TypeError):
        tasks.advance_run(run.pk)
    assert Run.objects.get().state == WorkState.PAUSED


def test_what_a_worker_is_at_is_neither_begun_again_nor_swept(monkeypatch: pytest.MonkeyPatch) -> None:
    file = received()
    wanted = exports.request(file.project, "native", {}, None)
    sent: list[tuple[str, int]] = []
    monkeypatch.setattr(tasks, "enqueue", lambda task, pk: sent.append((task, pk)))
    assert file.hold()
    assert wanted.hold()
    tasks.read_intake(file.pk)
    tasks.build_export(wanted.pk)
    tasks.sweep()
    file.refresh_from_db()
    wanted.refresh_from_db()
    assert (file.state, wanted.state, sent) == (WorkState.QUEUED, WorkState.QUEUED, [])
    file.let_go()
    wanted.let_go()
    tasks.sweep()
    assert sent == [("read_intake", file.pk), ("build_export", wanted.pk)]


def test_work_that_is_done_is_held_by_nobody() -> None:
    file = received()
    wanted = exports.request(file.project, "native", {}, None)
    tasks.read_intake(file.pk)
    tasks.build_export(wanted.pk)
    for work in (Intake.objects.get(), Export.objects.get()):
        assert (work.state, work.held_until) == (WorkState.DONE, None)
