"""Pages with lists take as many queries however many their rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotator.models import Export, Project, Role, Snapshot, Token
from tests import factories as make
from tests.unit.annotator.views.doors import Doors, as_

pytestmark = pytest.mark.django_db


def _project(project: Project, number: int) -> None:
    other = make.make_project(judge=make.make_endpoint(), completer=make.make_endpoint("completer"))
    make.make_solution(other)
    make.make_certificate(other)


def _solution(project: Project, number: int) -> None:
    solution = make.make_solution(project)
    make.make_judgement(solution, -1)
    make.make_rollouts(solution, 1, right=1, wrong=1)
    make.make_posterior(solution, [1 / (solution.step_count + 1)] * (solution.step_count + 1))
    make.make_annotation(solution, make.make_rater(), "1", "-1")


def _disagreement(project: Project, number: int) -> None:
    solution = make.make_solution(project)
    solution.disagreements.create(project=project, reason=f"people differ on step {number}")


def _run(project: Project, number: int) -> None:
    run = make.make_run(project, "search", endpoint=make.make_endpoint("completer"), created_by=make.make_person())
    run.items.create(solution=make.make_solution(project), state="failed", detail=f"reason {number}")


def _refusal(project: Project, number: int) -> None:
    intake = make.make_intake(project, created_by=make.make_person())
    intake.refusals.create(line=number + 1, field=f"field {number}", reason=f"reason {number}")


def _pair(project: Project, number: int) -> None:
    make.make_preference(make.make_solution(project), make.make_run(project, "search"))


def _export(project: Project, number: int) -> None:
    snapshot = Snapshot.objects.create(project=project, cutoff=timezone.now())
    chosen = {"format": "trl", "choices_hash": "x", "choices": {}, "created_by": make.make_person()}
    Export.objects.create(project=project, snapshot=snapshot, **chosen)


def _member(project: Project, number: int) -> None:
    person = make.make_person(project=project, role=Role.REVIEWER)
    make.make_annotation(make.make_solution(project), person.work_as(), "1", "-1")


def _account(project: Project, number: int) -> None:
    make.make_person(project=make.make_project())


def _endpoint(project: Project, number: int) -> None:
    make.make_project(judge=make.make_endpoint())


ROWS: Final[dict[str, Callable[[Project, int], Any]]] = {
    "projects": _project,
    "project": _member,
    "solutions": _solution,
    "disagreements": _disagreement,
    "runs": _run,
    "intakes": _refusal,
    "pairs": _pair,
    "exports": _export,
    "project_people": _member,
    "people": _account,
    "endpoints": _endpoint,
    "quality": _member,
}


@pytest.mark.parametrize("name", ROWS)
def test_a_page_takes_as_many_queries_however_many_its_rows(name: str) -> None:
    project = make.make_project()
    person = make.make_person(project=project, role=Role.MANAGER, staff=True)
    address, client = Doors(project, person).to(name), as_(person)
    assert _queries(client, address)  # the first visit makes up what later ones find
    taken = []
    for number in range(6):
        ROWS[name](project, number)
        if number in (1, 5):
            taken.append(_queries(client, address))
    assert len(taken[0]) == len(taken[1]), "\n".join(taken[1])


def test_ones_tokens_take_as_many_queries_however_many() -> None:
    person = make.make_person()
    taken = []
    for number in range(6):
        Token.issue(person, ["read"], f"number {number}")
        taken.append(len(_queries(as_(person), "/tokens/")))
    assert len(set(taken)) == 1


def _queries(client: Client, address: str) -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return [query["sql"] for query in queries]
