"""Adding people, handing out passwords, API tokens, endpoints' keys: what is shown once, and what never."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from annotator.models import Endpoint, Membership, Person, Project, Role, Token
from tests.factories import PASSWORD, make_endpoint, make_person, make_project

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager(project: Project) -> Person:
    return make_person("mia", project=project, role=Role.MANAGER)


@pytest.fixture
def client(manager: Person) -> Client:
    client = Client()
    client.force_login(manager)
    return client


def shown_password(response: object) -> str:
    found = re.search(r'id="fresh-password">([^<]+)<', response.content.decode())  # type: ignore[attr-defined]
    assert found, "no password on the page"
    return found[1]


def test_a_new_person_gets_a_password_that_is_shown_once_and_must_be_changed(client: Client, project: Project) -> None:
    where = reverse("project_people", args=[project.slug])
    response = client.post(where, {"username": "ana", "role": "annotator"})
    password = shown_password(response)
    assert "no-store" in response["Cache-Control"]
    assert password not in client.get(where).content.decode()
    ana = Person.objects.get(username="ana")
    assert ana.check_password(password)
    assert ana.must_change_password
    assert Membership.objects.get(person=ana, project=project).role == Role.ANNOTATOR


def test_somebody_who_has_an_account_keeps_their_password(client: Client, project: Project) -> None:
    make_person("bob")
    response = client.post(reverse("project_people", args=[project.slug]), {"username": "bob", "role": "reviewer"})
    assert response.status_code == 302
    assert Person.objects.get(username="bob").check_password(PASSWORD)


def test_nobody_is_added_twice(client: Client, project: Project) -> None:
    make_person("bob", project=project)
    response = client.post(reverse("project_people", args=[project.slug]), {"username": "bob", "role": "manager"})
    assert response.status_code == 422
    assert "in this project already" in response.content.decode()
    assert Membership.objects.get(person__username="bob").role == Role.ANNOTATOR


def test_a_reset_password_ends_the_sessions_of_its_owner(client: Client, project: Project) -> None:
    ana = make_person("ana", project=project)
    theirs = Client()
    theirs.force_login(ana)
    password = shown_password(client.post(reverse("reset_member", args=[project.slug, "ana"])))
    ana.refresh_from_db()
    assert ana.check_password(password)
    assert theirs.get(reverse("projects")).status_code == 302


def test_a_manager_cannot_open_other_projects_by_resetting_a_password(client: Client, project: Project) -> None:
    ana = make_person("ana", project=project)
    Membership.objects.create(person=ana, project=make_project(), role=Role.MANAGER)
    assert client.post(reverse("reset_member", args=[project.slug, "ana"])).status_code == 403
    root = make_person("root", project=project, staff=True)
    assert client.post(reverse("reset_member", args=[project.slug, "root"])).status_code == 403
    ana.refresh_from_db()
    root.refresh_from_db()
    assert ana.check_password(PASSWORD)
    assert root.check_password(PASSWORD)


def test_the_only_manager_can_neither_leave_nor_step_down(client: Client, project: Project) -> None:
    for role in ("", "annotator"):
        response = client.post(reverse("change_member", args=[project.slug, "mia"]), {"role": role})
        assert response.status_code == 409
    assert Membership.objects.get(person__username="mia").role == Role.MANAGER


def test_whoever_is_removed_no_longer_finds_the_project(client: Client, project: Project) -> None:
    ana = make_person("ana", project=project)
    client.post(reverse("change_member", args=[project.slug, "ana"]))
    theirs = Client()
    theirs.force_login(ana)
    assert theirs.get(reverse("project", args=[project.slug])).status_code == 404


def test_a_closed_account_cannot_sign_in_until_it_is_opened_again() -> None:
    staff = Client()
    staff.force_login(make_person(staff=True))
    make_person("ana")
    for act, works in (("close", False), ("open", True)):
        staff.post(reverse("change_person", args=["ana"]), {"do": act})
        assert Client().login(username="ana", password=PASSWORD) is works


def test_a_tokens_secret_is_shown_once_and_opens_until_it_is_revoked(client: Client, manager: Person) -> None:
    response = client.post(reverse("tokens"), {"name": "cluster", "scopes": ["read", "export"]})
    found = re.search(r'id="secret"[^>]*>([^<]+)<', response.content.decode())
    assert found
    assert found[1] not in client.get(reverse("tokens")).content.decode()
    token = Token.objects.find(found[1])
    assert token is not None
    assert (token.person, token.scopes) == (manager, ["read", "export"])
    client.post(reverse("revoke_token", args=[token.pk]))
    assert Token.objects.find(found[1]) is None


def test_nobody_revokes_somebody_elses_token(client: Client) -> None:
    token, _ = Token.issue(make_person(), ["read"])
    assert client.post(reverse("revoke_token", args=[token.pk])).status_code == 404


ENDPOINT = {
    "name": "Cluster",
    "kind": "judge",
    "base_url": "https://one.example.org/v1",
    "model": "m",
    "slots": 8,
    "temperature": 0.5,
    "max_tokens": 100,
    "timeout_seconds": 10,
}


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(make_person(staff=True))
    return client


def test_an_endpoints_key_goes_in_and_never_comes_out(staff: Client) -> None:
    staff.post(reverse("new_endpoint"), ENDPOINT | {"key": "sk-very-secret"})
    endpoint = Endpoint.objects.get(name="Cluster")
    assert endpoint.reveal_key() == "sk-very-secret"
    for page in (reverse("endpoints"), reverse("endpoint", args=[endpoint.code])):
        assert "sk-very-secret" not in staff.get(page).content.decode()


def test_saving_without_a_key_keeps_the_one_that_is_there(staff: Client) -> None:
    staff.post(reverse("new_endpoint"), ENDPOINT | {"key": "sk-1"})
    endpoint = Endpoint.objects.get(name="Cluster")
    staff.post(reverse("endpoint", args=[endpoint.code]), ENDPOINT | {"slots": 9})
    endpoint.refresh_from_db()
    assert (endpoint.slots, endpoint.reveal_key()) == (9, "sk-1")


def test_another_base_url_forgets_the_key_and_says_so(staff: Client) -> None:
    staff.post(reverse("new_endpoint"), ENDPOINT | {"key": "sk-1"})
    endpoint = Endpoint.objects.get(name="Cluster")
    moved = ENDPOINT | {"base_url": "https://two.example.org/v1"}
    response = staff.post(reverse("endpoint", args=[endpoint.code]), moved, follow=True)
    endpoint.refresh_from_db()
    assert endpoint.reveal_key() == ""
    assert "its key was forgotten" in response.content.decode()


def test_an_endpoint_that_leaves_the_simulator_is_no_longer_called_simulated(staff: Client) -> None:
    endpoint = make_endpoint(simulated=True, name="Cluster")
    staff.post(reverse("endpoint", args=[endpoint.code]), ENDPOINT)
    endpoint.refresh_from_db()
    assert not endpoint.simulated


def test_the_test_button_waits_for_a_worker_and_then_shows_the_endpoints_own_words(staff: Client) -> None:
    endpoint = make_endpoint()
    staff.post(reverse("ask_endpoint", args=[endpoint.code]))
    where = reverse("endpoint_test", args=[endpoint.code])
    assert "hx-trigger" in staff.get(where).content.decode()
    endpoint.refresh_from_db()
    assert endpoint.test_asked_at is not None
    endpoint.test_answered_at, endpoint.test_ok = endpoint.test_asked_at, False
    endpoint.test_answer = "401: <b>no such key</b>"
    endpoint.save()
    page = staff.get(where).content.decode()
    assert "401: &lt;b&gt;no such key&lt;/b&gt;" in page
    assert "hx-trigger" not in page
