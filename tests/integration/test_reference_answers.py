"""Reference answers that several give at the same moment, each over a connection of their own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from django.db import connections

from annotator import intake
from annotator.models import Event, Intake, Problem, Project, Role, WorkState
from annotator.models.problems import problem_key
from tests import factories as make
from tests.unit.annotator.api.caller import Caller, json_of, problem_of
from tests.unit.annotator.intake.rows import jsonl, native

pytestmark = pytest.mark.django_db(transaction=True)
TIMES = 4
"""Moments meet by chance."""


@pytest.fixture(autouse=True)
def files(tmp_path: Path, settings: Any) -> None:
    settings.STEPWISE_FILES = tmp_path / "files"


@pytest.fixture
def project(db: None) -> Project:
    return make.make_project()


@pytest.fixture
def managers(project: Project) -> list[Caller]:
    return [Caller(make.make_person(project=project, role=Role.MANAGER)) for _ in range(3)]


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    barrier = Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        try:
            barrier.wait(timeout=30)
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [done.result(timeout=60) for done in [pool.submit(run, act) for act in acts]]


@pytest.mark.parametrize("attempt", range(TIMES))
def test_of_answers_to_one_problem_the_later_wins_and_everybody_is_told(
    attempt: int, project: Project, managers: list[Caller]
) -> None:
    problem = make.make_problem(project, "Legs of nine birds?", answer=None)
    given = ["16", "17", "18"]
    said = at_once(
        *(
            lambda caller=caller, answer=answer: caller.patch(f"problems/{problem.code}/", {"answer": answer})
            for caller, answer in zip(managers, given, strict=True)
        )
    )
    assert [json_of(each)["answer"] for each in said] == given
    last = Event.objects.filter(kind="problem.answered").latest("pk")
    problem.refresh_from_db()
    assert problem.answer == last.data["answer"]


@pytest.mark.parametrize("attempt", range(TIMES))
def test_of_two_problems_that_would_become_one_the_first_gets_the_answer(
    attempt: int, project: Project, managers: list[Caller]
) -> None:
    twins = [make.make_problem(project, "Legs of nine birds?", answer=answer) for answer in (None, "16", "17")]
    said = at_once(
        *(
            lambda caller=caller, code=twin.code: caller.patch(f"problems/{code}/", {"answer": "18"})
            for caller, twin in zip(managers, twins, strict=True)
        )
    )
    assert sorted(each.status_code for each in said) == [200, 409, 409]
    winner = Problem.objects.get(project=project, answer="18")
    for each in said:
        if each.status_code == 409:
            assert winner.code in problem_of(each, 409)["detail"]


@pytest.mark.parametrize("attempt", range(TIMES))
def test_an_answer_that_a_manager_gives_while_a_file_brings_one_holds(
    attempt: int, project: Project, managers: list[Caller]
) -> None:
    problem = make.make_problem(project, "Legs of nine birds?", answer=None)
    Problem.objects.filter(pk=problem.pk).update(key=problem_key(problem.statement, None))
    row = native(problem=problem.statement, answer="17", steps=["One.", "Two."])
    received = intake.receive(project, [jsonl(row)], format="native")
    said, _ = at_once(
        lambda: managers[0].patch(f"problems/{problem.code}/", {"answer": "18"}), lambda: intake.read(received.pk)
    )
    assert json_of(said)["answer"] == "18"
    read = Intake.objects.get(pk=received.pk)
    assert (read.state, read.rows_new) == (WorkState.DONE, 1)
    problem.refresh_from_db()
    assert problem.answer == "18"
