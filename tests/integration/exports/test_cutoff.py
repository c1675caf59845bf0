"""An export's cutoff against changes that are under way, each on a connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from annotator import changes, exports, grading, intake, queue, settlement, stand_ins
from annotator.errors import Conflict
from annotator.models import Export, Grade, OwnGrade, Project, Solution
from annotator.queue import RatingInput, Submission
from tests import factories as make
from tests.unit.annotator.exports.exported import rows_of

pytestmark = pytest.mark.django_db(transaction=True)
RIGHT = Submission((RatingInput(0, "1"), RatingInput(1, "1")), "solution")


@pytest.fixture(autouse=True)
def files(tmp_path: Path, settings: Any) -> None:
    settings.STEPWISE_FILES = tmp_path


@pytest.fixture
def project() -> Project:
    return make.make_project()


def elsewhere(act: Callable[[], Any]) -> Future[Any]:
    """Start an act on a connection of its own."""

    def run() -> Any:
        try:
            return act()
        finally:
            connection.close()

    pool = ThreadPoolExecutor(1)
    try:
        return pool.submit(run)
    finally:
        pool.shutdown(wait=False)


@contextmanager
def uncommitted(act: Callable[[], Any]) -> Iterator[Callable[[], None]]:
    """Carry an act out in a transaction that stays open until the given function is called, or the block ends."""
    done, commit = threading.Event(), threading.Event()

    def run() -> None:
        with transaction.atomic():
            act()
            done.set()
            assert commit.wait(30)

    work = elsewhere(run)

    def end() -> None:
        commit.set()
        work.result(30)

    try:
        assert done.wait(30) or work.done()
        yield end
    finally:
        end()


def until_somebody_waits() -> None:
    """Until a connection waits for an advisory lock."""
    ends = monotonic() + 30
    while monotonic() < ends:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            if cursor.fetchone() != (0,):
                return
        sleep(0.01)
    raise AssertionError("nobody waits")


def held_by(project: Project, solution: Solution) -> tuple[str, Any]:
    rater = make.make_person(project=project).work_as()
    return make.make_assignment(make.make_slot(solution), rater).code, rater


def export_of(project: Project) -> Export:
    return exports.make(project, "native", {}, None)


def test_an_export_waits_for_work_that_is_being_handed_in(project: Project) -> None:
    early, late = (make.make_solution(project, steps=2) for _ in range(2))
    code, rater = held_by(project, early)
    with uncommitted(lambda: queue.submit(code, rater, RIGHT)) as commit:
        settlement.settle_imported(late, -1, None, None)  # stamped later, committed first
        exporting = elsewhere(lambda: export_of(project))
        until_somebody_waits()
        commit()
        export = exporting.result(30)
    assert {row["id"] for row in rows_of(export)} == {early.source_id, late.source_id}
    assert export_of(project) == export


def test_an_export_waits_for_grades_and_withdrawals(project: Project) -> None:
    file = make.make_intake(project)
    solution = make.make_solution(project, steps=2, intake=file)
    for act in (lambda: grading.grade_answers([solution]), lambda: intake.withdraw(file, None)):
        with uncommitted(act) as commit:
            exporting = elsewhere(lambda: export_of(project))
            until_somebody_waits()
            commit()
            exporting.result(30)


@pytest.mark.parametrize("table", [OwnGrade, Grade])
def test_grades_that_wait_for_a_cutoff_are_stamped_after_it(project: Project, table: type[OwnGrade | Grade]) -> None:
    solution = make.make_solution(project, steps=2, own_answer="18" if table is OwnGrade else None)
    if table is Grade:
        make.make_rollouts(solution, 1, right=1)
    stand_ins.answer(solution.problem, "19", "another key")
    solution.refresh_from_db()
    with uncommitted(lambda: changes.wait_for_none(project)) as cutoff:
        grading_it = elsewhere(lambda: grading.grade_answers([solution]))
        until_somebody_waits()
        passed = timezone.now()
        cutoff()
        assert grading_it.result(30) == 1
    assert table._default_manager.get(reference="19").created_at > passed


def test_changes_of_labels_do_not_wait_for_each_other(project: Project) -> None:
    first, second = (make.make_solution(project, steps=2) for _ in range(2))
    (one, rater), (other, another) = held_by(project, first), held_by(project, second)
    make.make_slot(make.make_solution(project))
    with uncommitted(lambda: queue.submit(one, rater, RIGHT)):
        elsewhere(lambda: queue.submit(other, another, RIGHT)).result(30)
        assert elsewhere(lambda: queue.claim(project, rater)).result(30) is not None


def test_claims_do_not_wait_for_a_cutoff(project: Project) -> None:
    make.make_slot(make.make_solution(project))
    rater = make.make_rater()
    with uncommitted(lambda: changes.wait_for_none(project)):
        assert elsewhere(lambda: queue.claim(project, rater)).result(30) is not None


def test_a_change_that_takes_too_long_is_told(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "_PATIENCE", "100ms")
    with uncommitted(lambda: changes.announce_in(project.pk)), pytest.raises(Conflict, match="again in a minute"):
        export_of(project)
    assert not Export.objects.exists()


def test_another_project_is_not_waited_for(project: Project) -> None:
    with uncommitted(lambda: changes.announce_in(make.make_project().pk)):
        assert export_of(project).rows == 0


def test_an_answer_that_was_given_since_makes_another_export(project: Project) -> None:
    problem = make.make_problem(project, answer=None)
    settlement.settle_imported(make.make_solution(problem=problem, own_answer=None), -1, None, None)
    before = export_of(project)
    assert [row["answer"] for row in rows_of(before)] == [None]
    stand_ins.give_answer(problem, "18", None)
    after = export_of(project)
    assert [row["answer"] for row in rows_of(after)] == ["18"]
    assert after != before
