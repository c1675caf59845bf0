"""Junk in the addresses of pages: a page that says what is wrong, or the page without it; never a fault of ours."""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import quote

import pytest
from django.test import Client

from annotator.models import Person, Project, Role
from tests.factories import make_endpoint, make_person, make_project
from tests.unit.annotator.views.doors import Doors, as_, parts_of
from tests.unit.annotator.views.test_access_to_pages import EVERY, OPEN

pytestmark = pytest.mark.django_db

READ: Final = sorted(door.split()[1] for door in (*EVERY, *OPEN) if door.startswith("GET"))
VALUES: Final = ("%00", "%ED%A0%80", "9" * 5000, "-1", "abc", "", "nan")
"""NUL, half a character, numbers beyond all measure, what no list of choices has."""
PARAMETERS: Final = {
    "solutions": ("before", "after", "status", "source", "error", "route", "intake", "search", "q"),
    "pairs": ("before", "after", "search", "q"),
    "runs": ("before", "after", "part"),
    "run": ("part",),
    "new_run": ("part", "kind", "status", "intake", "limit", "again", "votes", "temperature", "cap", "seed"),
    "intakes": ("before", "after", "part"),
    "intake": ("part",),
    "exports": ("before", "after", "part", "format", "split", "min_source", "neutral", "container"),
    "export": ("part",),
    "quality": ("seen",),
    "project": ("part",),
    "people": ("q",),
    "login": ("next",),
}
SENT: Final[dict[str, dict[str, str]]] = {
    "login": {"username": "a", "password": "b"},
    "password": {"old_password": "a", "new_password1": "b", "new_password2": "b"},
    "tokens": {"name": "a", "scopes": "read"},
    "new_project": {"slug": "another", "name": "Another", "description": ""},
    "new_endpoint": {"name": "a", "kind": "judge", "base_url": "http://127.0.0.1:9/v1", "model": "m", "slots": "1"},
    "people": {"username": "a"},
    "change_person": {"do": "open"},
    "project_settings": {"name": "Another", "threshold": "0.9", "overlap": "1", "lease_minutes": "30"},
    "archive": {"put": "back"},
    "project_people": {"username": "a", "role": "annotator"},
    "change_member": {"role": "annotator"},
    "upload": {"format": "native", "source": "a", "splitter": "auto"},
    "look": {"format": "native", "source": "a", "splitter": "auto"},
    "give_answer": {"answer": "18"},
    "review": {"verdict": "accept", "comment": "good"},
    "start_run": {"kind": "judge", "limit": "1", "votes": "1", "temperature": "0.5", "intake": ""},
    "exports": {"format": "trl", "split": "0.1", "min_source": "machine"},
    "label_submit": {"rating-0": "1", "reason-0": "a", "finish": "give_up", "comment": "a", "seconds": "1", "key": ""},
    "disagreement": {"rating-0": "1", "reason-0": "a", "finish": "give_up", "comment": "a", "seconds": "1"},
}
"""Forms as pages send them."""
_DRAFT: Final = {"ratings": {}, "undo": [], "comment": "", "seconds": 1.5, "version": 0}
DRAFTS: Final = [
    b"",
    b"[]",
    b"{",
    b"\xff",
    b"[" * 100_000,
    *(
        json.dumps(_DRAFT | {name: junk}).encode()
        for name in _DRAFT
        for junk in (None, True, -1, 10**30, "\0", "\ud800", ["\0"], {"0": "\0"}, {"\0": {"rating": "1"}}, float("inf"))
    ),
]
BESIDE: Final = {"new_run": "kind=judge&part=estimate&", "exports": "format=trl&part=preview&"}
"""What a form's parameters come with, so that they are looked at."""


@pytest.fixture
def project() -> Project:
    return make_project(judge=make_endpoint())


@pytest.fixture
def person(project: Project) -> Person:
    return make_person(project=project, role=Role.MANAGER, staff=True)


def page_or_words(response: Any) -> int:
    """The status of an answer that is whole: a page, a fragment or somewhere to go."""
    assert response.status_code in (200, 204, 302, 400, 404, 405, 409, 422)
    if response.status_code in (400, 404):
        assert "<h1>" in response.content.decode()
    return int(response.status_code)


def test_every_parameter_and_form_belongs_to_a_page() -> None:
    assert set(READ) >= PARAMETERS.keys()
    assert {door.split()[1] for door in (*EVERY, *OPEN) if door.startswith("POST")} >= SENT.keys()


@pytest.mark.parametrize("name", READ)
def test_parameters_of_junk_break_no_page(project: Project, person: Person, name: str) -> None:
    client: Client = Client() if name == "login" else as_(person)
    address = Doors(project, person).to(name)
    for parameter in PARAMETERS.get(name, ()):
        for value in VALUES:
            page_or_words(client.get(f"{address}?{BESIDE.get(name, '')}{parameter}={value}"))
    page_or_words(client.get(f"{address}?unknown=%ED%A0%80&%ED%A0%80=b&=&&&{'a' * 3000}"))
    assert page_or_words(client.get(f"{address}?unknown=%00")) == 400


@pytest.mark.parametrize("name", [name for name in READ if parts_of(name)])
def test_an_address_of_junk_leads_to_a_page_that_says_so(project: Project, person: Person, name: str) -> None:
    doors, client = Doors(project, person), as_(person)
    for part in parts_of(name):
        address = doors.to(name, **{part: 987654})
        for word in ("%00", "%FF%FE", "%ED%A0%80", "9" * 5000, "-1", "None", "%F0%9F%98%80", "a%0Ab"):
            assert page_or_words(client.get(address.replace("987654", word))) in (400, 404)


@pytest.mark.parametrize("name", SENT)
def test_forms_of_junk_break_no_page(project: Project, person: Person, name: str) -> None:
    doors, client = Doors(project, person), as_(person)
    address, whole = doors.to(name), SENT[name]
    for headers in ({}, {"HX-Request": "true"}):
        for field in whole:
            for value in VALUES:
                client.force_login(person)
                body = "&".join(f"{key}={value if key == field else quote(known)}" for key, known in whole.items())
                sent = client.post(address, body, "application/x-www-form-urlencoded", headers=headers)
                page_or_words(sent)


@pytest.mark.parametrize("body", DRAFTS, ids=lambda body: body[:60].decode("latin-1"))
def test_a_draft_of_junk_is_kept_or_refused_in_words(project: Project, person: Person, body: bytes) -> None:
    response = as_(person).post(Doors(project, person).to("label_draft"), body, "application/json")
    assert response.status_code in (200, 409, 422)
    assert response.json()
