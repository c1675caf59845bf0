"""The labelling page's doors: who may enter, what they refuse, what they keep."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotator.models import Annotation, Assignment, Draft, EvidenceMode, Person, Project, Role, Solution, join
from tests.factories import (
    make_assignment,
    make_judgement,
    make_person,
    make_project,
    make_rollouts,
    make_slot,
    make_solution,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def annotator(project: Project) -> Person:
    return make_person(project=project)


@pytest.fixture
def web(annotator: Person) -> Client:
    client = Client()
    client.force_login(annotator)
    return client


@pytest.fixture
def solution(project: Project) -> Solution:
    return make_solution(project, steps=["One.", "Two.", "Three."])


@pytest.fixture
def assignment(solution: Solution, annotator: Person) -> Assignment:
    return make_assignment(make_slot(solution), annotator.work_as())


def door(name: str, assignment: Assignment, **more: Any) -> str:
    slug = assignment.solution.project.slug
    return reverse(f"label_{name}", kwargs={"slug": slug, "code": assignment.code, **more})


def send_draft(web: Client, assignment: Assignment, ratings: dict[str, Any], version: int = 0) -> Any:
    body = {"ratings": ratings, "undo": [], "comment": "", "seconds": 1, "version": version}
    return web.post(door("draft", assignment), json.dumps(body), content_type="application/json")


HTMX = {"HX-Request": "true"}


def test_visitors_are_sent_to_sign_in(project: Project) -> None:
    response = Client().get(f"/projects/{project.slug}/label/")
    assert response.status_code == 302
    assert response["Location"].startswith("/login/")


def test_a_fragment_never_becomes_the_sign_in_form(project: Project) -> None:
    response = Client().post(reverse("label_claim", args=[project.slug]), headers=HTMX)
    assert response["HX-Retarget"] == "#messages"
    assert "You are signed out" in response.content.decode()


def test_outsiders_are_told_that_there_is_nothing(project: Project) -> None:
    web = Client()
    web.force_login(make_person())
    assert web.get(f"/projects/{project.slug}/label/").status_code == 404


def test_trainers_may_not_label(project: Project) -> None:
    web = Client()
    web.force_login(make_person(project=project, role=Role.TRAINER))
    assert web.get(f"/projects/{project.slug}/label/").status_code == 403


@pytest.mark.parametrize("name", ["submit", "draft", "renew", "skip"])
def test_nobody_works_on_anothers_assignment(project: Project, assignment: Assignment, name: str) -> None:
    web = Client()
    web.force_login(make_person(project=project))
    body = {"ratings": {}, "undo": [], "comment": "", "seconds": 0, "version": 0}
    response = web.post(door(name, assignment), json.dumps(body), content_type="application/json")
    assert response.status_code == 404
    assert Assignment.objects.get().state == "open"


@pytest.mark.parametrize("name", ["submit", "draft", "renew", "skip"])
def test_acts_are_posts(web: Client, assignment: Assignment, name: str) -> None:
    assert web.get(door(name, assignment)).status_code == 405


def test_a_claim_is_a_post_and_gives_back_what_is_held(web: Client, project: Project, solution: Solution) -> None:
    make_slot(solution)
    url = reverse("label_claim", args=[project.slug])
    assert web.get(url).status_code == 405
    assert web.post(url).status_code == 302
    assert "Two." in web.post(url, headers=HTMX).content.decode()
    assert Assignment.objects.count() == 1


def test_a_draft_is_kept_by_version(web: Client, assignment: Assignment) -> None:
    assert send_draft(web, assignment, {"0": {"rating": "1"}}).json() == {"version": 1}
    stale = send_draft(web, assignment, {"0": {"rating": "-1"}})
    assert stale.status_code == 409
    assert stale.json()["kind"] == "StaleDraft"
    assert Draft.objects.get().ratings == {"0": {"rating": "1"}}


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"ratings": {}}', b'{"ratings":[],"undo":[],"comment":"","seconds":0,"version":0}', b"\xff"]
)
def test_a_draft_that_is_none_is_refused(web: Client, assignment: Assignment, body: bytes) -> None:
    response = web.post(door("draft", assignment), body, content_type="application/json")
    assert response.status_code == 422
    assert not Draft.objects.exists()


def test_evidence_waits_for_the_rating_of_its_step(web: Client, assignment: Assignment, solution: Solution) -> None:
    make_judgement(solution, 0, reason="One is wrong")
    url = door("evidence", assignment, index=0)
    assert web.post(url).status_code == 409
    send_draft(web, assignment, {"0": {"rating": "1"}})
    assert "One is wrong" in web.post(url).content.decode()
    assignment.refresh_from_db()
    assert assignment.evidence_seen_at is not None


def test_no_evidence_in_audits_nor_where_the_project_shows_none(
    web: Client, assignment: Assignment, solution: Solution, project: Project
) -> None:
    make_judgement(solution, 0)
    send_draft(web, assignment, {"0": {"rating": "1"}})
    assignment.slot.purpose = "audit"
    assignment.slot.save()
    assert web.post(door("evidence", assignment, index=0)).status_code == 403
    assignment.slot.purpose = "label"
    assignment.slot.save()
    project.evidence_mode = EvidenceMode.NEVER
    project.save()
    assert web.post(door("evidence", assignment, index=0)).status_code == 403


def test_evidence_from_the_start_stands_on_the_page_and_is_noted(
    web: Client, assignment: Assignment, solution: Solution, project: Project
) -> None:
    project.evidence_mode = EvidenceMode.ALWAYS
    project.save()
    make_rollouts(solution, 1, right=3, wrong=1)
    assert "3/4" in web.get(f"/projects/{project.slug}/label/").content.decode()
    assignment.refresh_from_db()
    assert assignment.evidence_seen_at is not None


def test_a_submission_is_refused_in_words_that_count_from_one(web: Client, assignment: Assignment) -> None:
    response = web.post(door("submit", assignment), {"rating-0": "1"}, headers=HTMX)
    assert response["HX-Retarget"] == "#refused"
    assert "steps 2, 3 are asked and not rated" in response.content.decode()
    assert not Annotation.objects.exists()


def test_the_same_submission_twice_is_one(web: Client, assignment: Assignment) -> None:
    form = {"rating-0": "1", "rating-1": "-1", "reason-1": "why", "key": "k1", "seconds": "12.5"}
    for _ in range(2):
        assert web.post(door("submit", assignment), form).status_code == 302
    annotation = Annotation.objects.get()
    assert (annotation.finish_reason, annotation.seconds) == ("found_error", 12.5)
    assert annotation.rating_rows.get(index=1).reason == "why"


@pytest.mark.parametrize(
    ("ratings", "finish", "reason"),
    [
        (("1", "1", "0"), "", "solution"),
        (("1", "unsure", "1"), "", "give_up"),
        (("1", "unsure", "-1"), "", "found_error"),
        (("1",), "bad_problem", "bad_problem"),
        ((), "give_up", "give_up"),
    ],
)
def test_the_finish_reason_is_what_the_ratings_imply_unless_said(
    web: Client, assignment: Assignment, ratings: tuple[str, ...], finish: str, reason: str
) -> None:
    form = {f"rating-{index}": rating for index, rating in enumerate(ratings)}
    web.post(door("submit", assignment), {**form, "finish": finish})
    assert Annotation.objects.get().finish_reason == reason


def test_a_plain_form_that_is_refused_is_kept_as_a_draft(web: Client, assignment: Assignment) -> None:
    response = web.post(door("submit", assignment), {"rating-0": "1", "comment": "so far"}, follow=True)
    assert "not rated" in response.content.decode()
    draft = Draft.objects.get()
    assert (draft.ratings["0"]["rating"], draft.comment) == ("1", "so far")


def test_a_skipped_solution_does_not_come_back(web: Client, project: Project, assignment: Assignment) -> None:
    assert web.post(door("skip", assignment), headers=HTMX).status_code == 200
    assert "Nothing waits for you here" in web.get(f"/projects/{project.slug}/label/").content.decode()


def test_interrupted_work_comes_before_anything_new(
    web: Client, project: Project, annotator: Person, assignment: Assignment
) -> None:
    make_slot(make_solution(project))
    interrupted = make_assignment(make_slot(make_solution(project, steps=["Half read."])), annotator.work_as())
    assert web.post(door("skip", assignment), headers=HTMX).status_code == 200
    assert "Half read." in web.get(f"/projects/{project.slug}/label/").content.decode()
    assert list(Assignment.objects.filter(state="open")) == [interrupted]


def test_the_page_keeps_its_promise_to_run_nothing_inline(
    web: Client, project: Project, assignment: Assignment
) -> None:
    response = web.get(f"/projects/{project.slug}/label/")
    page = response.content.decode()
    assert " style=" not in page
    assert " onclick=" not in page
    assert "script-src 'self'" in response["Content-Security-Policy"]


@pytest.mark.parametrize("name", ["submit", "renew", "skip", "draft"])
def test_an_assignment_answers_at_its_own_project_alone(
    web: Client, annotator: Person, assignment: Assignment, name: str
) -> None:
    elsewhere = make_project()
    join(annotator, elsewhere, Role.ANNOTATOR)
    where = reverse(f"label_{name}", kwargs={"slug": elsewhere.slug, "code": assignment.code})
    assert web.post(where, {f"rating-{index}": "1" for index in range(3)}).status_code == 404
    assert not Annotation.objects.exists()


def test_a_project_with_open_evidence_does_not_show_that_of_another(
    web: Client, annotator: Person, assignment: Assignment, solution: Solution
) -> None:
    Project.objects.filter(pk=solution.project_id).update(evidence_mode=EvidenceMode.NEVER)
    make_judgement(solution, 1)
    elsewhere = make_project(evidence_mode=EvidenceMode.ALWAYS)
    join(annotator, elsewhere, Role.ANNOTATOR)
    where = reverse("label_evidence", kwargs={"slug": elsewhere.slug, "code": assignment.code, "index": 1})
    assert web.post(where).status_code == 404
