"""Fits on the real worker: machines look, people read, what is assumed follows; killed ones are taken up again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connections
from django.utils import timezone

from annotator import beliefs, enqueue, fitting, queue, runs, tasks
from annotator.embedded.home import CHECKOUT
from annotator.models import Fit, Person, Posterior, Project, Rater, Run, Solution, SolutionStatus, WorkState
from reasoning.simulator.world import SAMPLE_PROBLEMS, SAMPLE_SEED, make_problems, native_rows
from tests import factories as make
from tests.fixtures.broker import eventually
from tests.fixtures.database import current_url

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = native_rows(make_problems(SAMPLE_PROBLEMS, SAMPLE_SEED))[:72]


@pytest.fixture
def project(url: str) -> Project:
    judge = make.make_endpoint("judge", base_url=url, model="simulated/judge", slots=8)
    completer = make.make_endpoint("completer", base_url=url, model="simulated/completer", slots=8)
    project = make.make_project(judge=judge, completer=completer, threshold=0.9)
    problems = {}
    for row in ROWS:
        statement = row["problem"]
        if statement not in problems:
            problems[statement] = make.make_problem(project, statement, answer=row["answer"])
        make.make_solution(
            project, problem=problems[statement], steps=row["steps"], source_id=row["id"], own_answer=None
        )
    return project


def carried_out(run: Run) -> None:
    eventually(lambda: Run.objects.get(pk=run.pk).state == WorkState.DONE, within=120, what=f"the end of {run}")


def read(project: Project, rater: Rater, number: int) -> None:
    """A person who is always right reads what is served."""
    truth = {row["id"]: row["first_error"] for row in ROWS}
    for _ in range(number):
        assignment = queue.claim(project, rater)
        assert assignment is not None
        first = truth[assignment.solution.source_id or ""]
        end = assignment.solution.step_count if first < 0 else first
        ratings = tuple(queue.RatingInput(index, "1") for index in range(end))
        ratings += () if first < 0 else (queue.RatingInput(first, "-1"),)
        reason = "solution" if first < 0 else "found_error"
        queue.submit(assignment.code, rater, queue.Submission(ratings, reason))


def test_once_machines_looked_and_people_read_a_fit_changes_what_is_believed(worker: Path, project: Project) -> None:
    for kind in ("judge", "rollouts"):
        carried_out(runs.start(project, kind))
    person: Person = make.make_person(project=project)
    waiting = Solution.objects.filter(project=project, status=SolutionStatus.QUEUED).count()
    read(project, person.work_as(), min(waiting, 12))
    machine = Solution.objects.filter(project=project, status=SolutionStatus.MACHINE).values("pk")
    before = dict(Posterior.objects.filter(solution__in=machine, superseded_at=None).values_list("solution", "pk"))
    assert before

    assert fitting.due() == [project]
    tasks.fit_when_due()
    fit = Fit.objects.get()
    eventually(lambda: Fit.objects.get(pk=fit.pk).state == WorkState.DONE, within=120, what="the fit")
    fit.refresh_from_db()
    assert fit.created_by is None
    assert fit.report["fell_back"] is False, fit.report
    assert fit.report["solutions"] == len(ROWS)
    assert fit.report["told"] == min(waiting, 12)
    assert fit.report["log_likelihood"] is not None
    assert fit.report["held_out"] > 0
    assert [judge["model"] for judge in fit.parameters["judges"]] == ["simulated/judge"]  # type: ignore[index]
    assert person.work_as().code in beliefs.parameters_of(project).raters

    again = Run.objects.get(project=project, kind="route")
    carried_out(again)
    after = Posterior.objects.filter(solution__in=before, superseded_at=None)
    assert {row.fit for row in after} == {fit}
    assert not set(before.values()) & {row.pk for row in after}
    assert fitting.due() == []


def test_a_fit_that_was_killed_is_taken_up_again(worker: Path, project: Project) -> None:
    for solution in Solution.objects.filter(project=project):
        make.make_judgement(solution, -1)
        make.make_rollouts(solution, 1, right=1, wrong=2)
    fit = Fit.objects.create(project=project)
    program = (
        "import django; django.setup()\n"
        "from annotator import fitting\n"
        f"fitting.carry_out({fit.pk}, lambda project: None)\n"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "annotator.settings", "DATABASE_URL": current_url()}
    process = subprocess.Popen([sys.executable, "-c", program], cwd=CHECKOUT, env=environment)
    eventually(lambda: Fit.objects.get(pk=fit.pk).state == WorkState.RUNNING, within=60, what="the fit's begin")
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    fit.refresh_from_db()
    assert (fit.state, fit.parameters) == (WorkState.RUNNING, None)
    tasks.sweep()
    assert Fit.unattended() == []  # its worker may yet be at it

    Fit.objects.filter(pk=fit.pk).update(held_until=timezone.now() - timedelta(seconds=1))
    tasks.sweep()
    eventually(lambda: Fit.objects.get(pk=fit.pk).state == WorkState.DONE, within=120, what="the fit")
    assert Fit.objects.get() == beliefs.current_fit(project)


def test_two_who_ask_at_once_are_given_one_fit(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enqueue, "_send", lambda name, ids: None)  # a worker would be done with it in between

    def ask(_: int) -> int:
        try:
            return fitting.request(project).pk
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(ask, range(16)))
    assert found == {Fit.objects.get().pk}
