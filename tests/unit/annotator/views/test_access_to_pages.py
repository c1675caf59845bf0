"""Three actors at every door: a manager, a team mate who annotates, an outsider; and nobody at all."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotator.models import Person, Project, Role
from tests.factories import make_endpoint, make_intake, make_person, make_project, make_run, make_solution

pytestmark = pytest.mark.django_db

PAGES = ["project_settings", "project_people", "intakes", "solutions", "runs", "pairs", "new_run", "exports", "quality"]
MANAGER_ONLY = ["project_settings", "project_people", "intakes", "new_run"]
POST_ONLY = {
    "archive": {},
    "upload": {},
    "look": {},
    "start_run": {},
    "change_member": {"username": "somebody"},
    "reset_member": {"username": "somebody"},
    "withdraw": {"code": "CODE"},
    "change_run": {"code": "CODE", "act": "pause"},
}


@pytest.fixture
def project() -> Project:
    return make_project(judge=make_endpoint())


def as_(person: Person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def address(project: Project, name: str, **more: Any) -> str:
    return reverse(name, kwargs={"slug": project.slug, **more})


@pytest.mark.parametrize("name", PAGES)
def test_a_manager_opens_every_page(project: Project, name: str) -> None:
    manager = as_(make_person(project=project, role=Role.MANAGER))
    assert manager.get(address(project, name)).status_code == 200


@pytest.mark.parametrize("name", PAGES)
def test_an_annotator_of_the_team_is_refused(project: Project, name: str) -> None:
    annotator = as_(make_person(project=project))
    assert annotator.get(address(project, name)).status_code == 403


@pytest.mark.parametrize("name", ["project", *PAGES])
def test_an_outsider_does_not_learn_that_the_project_exists(project: Project, name: str) -> None:
    outsider = as_(make_person(project=make_project(), role=Role.MANAGER))
    assert outsider.get(address(project, name)).status_code == 404


@pytest.mark.parametrize("name", ["project", *PAGES])
def test_a_visitor_is_sent_to_sign_in(project: Project, name: str) -> None:
    response = Client().get(address(project, name))
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("login"))


@pytest.mark.parametrize(
    ("role", "name", "status"),
    [
        (Role.REVIEWER, "solutions", 200),
        (Role.REVIEWER, "quality", 200),
        (Role.REVIEWER, "exports", 403),
        (Role.TRAINER, "exports", 200),
        (Role.TRAINER, "runs", 200),
        (Role.TRAINER, "pairs", 200),
        *((role, name, 403) for role in (Role.REVIEWER, Role.TRAINER) for name in MANAGER_ONLY),
    ],
)
def test_roles_between_see_what_is_theirs(project: Project, role: str, name: str, status: int) -> None:
    assert as_(make_person(project=project, role=role)).get(address(project, name)).status_code == status


def test_an_annotator_who_opens_the_project_lands_at_the_queue(project: Project) -> None:
    response = as_(make_person(project=project)).get(address(project, "project"))
    assert response["Location"] == address(project, "label")


@pytest.mark.parametrize("name", POST_ONLY)
def test_what_acts_is_never_done_by_a_link(project: Project, name: str) -> None:
    manager = as_(make_person(project=project, role=Role.MANAGER))
    assert manager.get(address(project, name, **POST_ONLY[name])).status_code == 405


@pytest.mark.parametrize("name", POST_ONLY)
def test_what_acts_wants_a_token_against_forgery(project: Project, name: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_person(project=project, role=Role.MANAGER))
    assert client.post(address(project, name, **POST_ONLY[name])).status_code == 403


@pytest.mark.parametrize("name", POST_ONLY)
def test_acts_are_closed_to_annotators_and_unknown_to_outsiders(project: Project, name: str) -> None:
    where = address(project, name, **POST_ONLY[name])
    assert as_(make_person(project=project)).post(where).status_code == 403
    assert as_(make_person()).post(where).status_code == 404


def test_what_belongs_to_another_project_is_not_found_in_ones_own(project: Project) -> None:
    other = make_project()
    manager = as_(make_person(project=project, role=Role.MANAGER))
    rows = {"solution": make_solution(other), "run": make_run(other), "intake": make_intake(other)}
    for name, row in rows.items():
        assert manager.get(address(project, name, code=row.code)).status_code == 404


@pytest.mark.parametrize("name", ["endpoints", "new_endpoint", "people", "new_project"])
def test_only_who_runs_the_installation_opens_its_pages(project: Project, name: str) -> None:
    assert as_(make_person(project=project, role=Role.MANAGER)).get(reverse(name)).status_code == 403
    assert as_(make_person(staff=True)).get(reverse(name)).status_code == 200


@pytest.mark.parametrize("name", ["project", *PAGES])
def test_who_runs_the_installation_opens_every_project(project: Project, name: str) -> None:
    assert as_(make_person(staff=True)).get(address(project, name)).status_code == 200
