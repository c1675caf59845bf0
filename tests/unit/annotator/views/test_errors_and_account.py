"""What people see when something fails, and how they sign in."""

from __future__ import annotations

import pytest
from django.template.loader import render_to_string
from django.test import Client

from annotator.models import Person, Role
from tests.factories import PASSWORD, make_person, make_project


def test_the_page_of_a_failed_server_needs_nothing_of_it() -> None:
    assert "The server failed on this page" in render_to_string("500.html")


@pytest.mark.django_db
def test_a_form_without_its_token_is_told_what_to_do() -> None:
    response = Client(enforce_csrf_checks=True).post("/login/", {"username": "a", "password": "b"})
    assert response.status_code == 403
    assert "This form is too old to be sent" in response.content.decode()


@pytest.mark.django_db
def test_members_without_the_right_are_told_whom_to_ask() -> None:
    project = make_project()
    web = Client()
    web.force_login(make_person(project=project))
    response = web.get(f"/projects/{project.slug}/disagreements/")
    assert response.status_code == 403
    assert "You may not open this" in response.content.decode()


@pytest.mark.django_db
def test_a_password_that_was_handed_out_is_changed_first() -> None:
    person = make_person()
    person.must_change_password = True
    person.save()
    web = Client()
    response = web.post("/login/", {"username": person.username, "password": PASSWORD})
    assert response["Location"] == "/password/"
    new = "an entirely different horse"
    response = web.post("/password/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new})
    assert response["Location"] == "/"
    person.refresh_from_db()
    assert person.check_password(new)
    assert not person.must_change_password


@pytest.mark.django_db
def test_signing_in_leads_nowhere_else() -> None:
    person = make_person()
    form = {"username": person.username, "password": PASSWORD, "next": "https://elsewhere.example/"}
    assert Client().post("/login/", form)["Location"] == "/"


@pytest.mark.django_db
def test_a_password_that_was_handed_out_opens_nothing_but_its_own_change(client: Client) -> None:
    person = make_person()
    Person.objects.filter(pk=person.pk).update(must_change_password=True)
    client.force_login(person)
    assert client.get("/").headers["Location"] == "/password/"
    assert client.get("/password/").status_code == 200
    assert client.post("/logout/").headers["Location"] == "/login/"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["solutions/?status=%00", "solutions/?before=%00", "runs/?before=%00", "solutions/%00/"]
)
def test_an_address_that_holds_nul_is_refused(path: str) -> None:
    project = make_project()
    client = Client()
    client.force_login(make_person(project=project, role=Role.MANAGER))
    assert client.get(f"/projects/{project.slug}/{path}").status_code == 400


@pytest.mark.django_db
def test_an_address_that_cannot_be_read_is_answered_in_words(client: Client) -> None:
    client.force_login(make_person())
    response = client.get("/projects/%00/")
    assert response.status_code == 400
    assert "This address cannot be read" in response.content.decode()
