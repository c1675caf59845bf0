"""Who may pass which door: each role, an outsider, and nobody at all; and what never opens by a link."""

from __future__ import annotations

from typing import Final

import pytest
from django.test import Client
from django.urls import reverse

from annotator.models import Project, Role
from tests.factories import make_endpoint, make_person, make_project
from tests.unit.annotator.views.doors import ROUTES, Doors, as_, parts_of

pytestmark = pytest.mark.django_db

ALL: Final = "manager reviewer trainer annotator"
SEEING: Final = "manager reviewer trainer"
LABELLING: Final = "manager reviewer annotator"
REVIEWING: Final = "manager reviewer"
EXPORTING: Final = "manager trainer"
MANAGING: Final = "manager"
DOORS: Final = {
    # methods and the route's name: roles that may, of those in the project
    "GET project": ALL,
    "GET label": LABELLING,
    "POST label_claim": LABELLING,
    "POST label_submit": LABELLING,
    "POST label_draft": LABELLING,
    "POST label_renew": LABELLING,
    "POST label_skip": LABELLING,
    "POST label_evidence": LABELLING,
    "GET disagreements": REVIEWING,
    "GET disagreement": REVIEWING,
    "POST disagreement": REVIEWING,
    "GET project_settings": MANAGING,
    "POST project_settings": MANAGING,
    "POST archive": MANAGING,
    "GET project_people": MANAGING,
    "POST project_people": MANAGING,
    "POST change_member": MANAGING,
    "POST reset_member": MANAGING,
    "GET intakes": MANAGING,
    "POST upload": MANAGING,
    "POST look": MANAGING,
    "GET intake": MANAGING,
    "GET refusals_csv": MANAGING,
    "POST withdraw": MANAGING,
    "GET solutions": SEEING,
    "GET solution": SEEING,
    "POST give_answer": MANAGING,
    "POST show_solution": SEEING,
    "POST review": REVIEWING,
    "GET runs": SEEING,
    "GET run": SEEING,
    "GET new_run": MANAGING,
    "POST start_run": MANAGING,
    "POST change_run": MANAGING,
    "GET pairs": SEEING,
    "GET exports": EXPORTING,
    "POST exports": EXPORTING,
    "GET export": EXPORTING,
    "GET export_download": EXPORTING,
    "GET quality": SEEING,
    "POST fit_now": MANAGING,
    "GET quality_csv": SEEING,
}
OF_THE_INSTALLATION: Final = {
    # those that only who runs the installation may
    "GET new_project",
    "POST new_project",
    "GET endpoints",
    "GET new_endpoint",
    "POST new_endpoint",
    "GET endpoint",
    "POST endpoint",
    "POST ask_endpoint",
    "GET endpoint_test",
    "GET people",
    "POST people",
    "POST change_person",
}
OF_EVERYBODY: Final = {
    # those of whoever is signed in
    "GET projects",
    "GET password",
    "POST password",
    "POST logout",
    "GET tokens",
    "POST tokens",
    "POST revoke_token",
}
OPEN: Final = {"GET login", "POST login"}
EVERY: Final = [*DOORS, *sorted(OF_THE_INSTALLATION), *sorted(OF_EVERYBODY)]
REFUSED: Final = (403, 404, 405)


@pytest.fixture
def project() -> Project:
    return make_project(judge=make_endpoint())


def knock(client: Client, door: str, doors: Doors) -> int:
    method, name = door.split()
    return client.generic(method, doors.to(name)).status_code


def test_every_door_is_known() -> None:
    assert {door.split()[1] for door in (*EVERY, *OPEN)} == ROUTES.keys()


@pytest.mark.parametrize("door", EVERY)
def test_a_visitor_is_sent_to_sign_in(project: Project, door: str) -> None:
    method, name = door.split()
    response = Client().generic(method, Doors(project, make_person()).to(name))
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("login"))


@pytest.mark.parametrize("door", DOORS)
def test_a_role_passes_its_own_doors_and_no_others(project: Project, door: str) -> None:
    for role in Role.values:
        person = make_person(project=project, role=role)
        status = knock(as_(person), door, Doors(project, person))
        if door == "GET export_download":  # nobody has built it
            assert (status == 404) == (role in DOORS[door].split()), role
        else:
            assert (status == 403) == (role not in DOORS[door].split()), role
            assert status == 403 or status not in REFUSED, role


@pytest.mark.parametrize("door", DOORS)
def test_an_outsider_does_not_learn_that_the_project_exists(project: Project, door: str) -> None:
    outsider = make_person(project=make_project(), role=Role.MANAGER)
    assert knock(as_(outsider), door, Doors(project, outsider)) == 404


@pytest.mark.parametrize("door", sorted(OF_THE_INSTALLATION))
def test_only_who_runs_the_installation_opens_its_pages(project: Project, door: str) -> None:
    manager, staff = make_person(project=project, role=Role.MANAGER), make_person(staff=True)
    assert knock(as_(manager), door, Doors(project, manager)) == 403
    assert knock(as_(staff), door, Doors(project, staff)) not in REFUSED


@pytest.mark.parametrize("door", DOORS)
def test_who_runs_the_installation_opens_every_project(project: Project, door: str) -> None:
    staff = make_person(staff=True)
    status = knock(as_(staff), door, Doors(project, staff))
    assert status not in REFUSED or door == "GET export_download"


@pytest.mark.parametrize("door", sorted(OF_EVERYBODY))
def test_what_is_ones_own_is_open_to_everybody_who_is_signed_in(project: Project, door: str) -> None:
    person = make_person()
    assert knock(as_(person), door, Doors(project, person)) not in REFUSED


@pytest.mark.parametrize("door", [door for door in EVERY if door.startswith("POST")])
def test_what_acts_wants_a_token_against_forgery_and_is_never_done_by_a_link(project: Project, door: str) -> None:
    person = make_person(project=project, role=Role.MANAGER, staff=True)
    doors, client = Doors(project, person), Client(enforce_csrf_checks=True)
    client.force_login(person)
    assert knock(client, door, doors) == 403
    if door.replace("POST", "GET") not in EVERY:
        assert knock(client, door.replace("POST", "GET"), doors) == 405


@pytest.mark.parametrize(
    "name", sorted(name for name in ROUTES if "code" in parts_of(name) and "slug" in parts_of(name))
)
def test_what_belongs_to_another_project_is_not_found_in_ones_own(project: Project, name: str) -> None:
    person = make_person(project=project, role=Role.MANAGER)
    elsewhere, here = Doors(make_project(), person), Doors(project, person)
    elsewhere.parts["slug"] = project.slug
    methods = [door.split()[0] for door in DOORS if door.split()[1] == name]
    for method in methods:
        assert knock(as_(person), f"{method} {name}", elsewhere) == 404
    elsewhere.codes = here.codes
    if name == "review":  # somebody's work on another solution
        assert knock(as_(person), "POST review", elsewhere) == 404


def test_an_annotator_who_opens_the_project_lands_at_the_queue(project: Project) -> None:
    person = make_person(project=project)
    response = as_(person).get(reverse("project", args=[project.slug]))
    assert response["Location"] == reverse("label", args=[project.slug])


def test_a_token_of_somebody_else_cannot_be_revoked(project: Project) -> None:
    person, other = make_person(), make_person()
    theirs = Doors(project, other).to("revoke_token")
    assert as_(person).post(theirs).status_code == 404
    assert as_(other).post(theirs).status_code == 302
