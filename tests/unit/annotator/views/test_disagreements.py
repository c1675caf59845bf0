"""The page on which a reviewer settles a disagreement, and who may."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from annotator.models import Disagreement, Person, Project, Role
from tests.factories import make_annotation, make_person, make_project, make_solution

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    return make_project(overlap=2)


def dispute(project: Project, *people: Person) -> Disagreement:
    solution = make_solution(project, status="disputed")
    for person, ratings in zip(people, (("1", "-1"), ("1", "1", "1", "1")), strict=True):
        make_annotation(solution, person.work_as(), *ratings)
    return Disagreement.objects.create(project=project, solution=solution, reason="people differ on the first error")


def reviewer_of(project: Project) -> tuple[Person, Client]:
    person, client = make_person(project=project, role=Role.REVIEWER), Client()
    client.force_login(person)
    return person, client


def test_a_reviewer_who_is_part_of_a_disagreement_is_told_that_somebody_else_settles_it(project: Project) -> None:
    person, client = reviewer_of(project)
    disagreement = dispute(project, person, make_person(project=project))
    url = reverse("disagreement", args=[project.slug, disagreement.solution.code])
    listed = client.get(reverse("disagreements", args=[project.slug])).content.decode()
    assert "You have read it yourself" in listed
    assert url not in listed
    page = client.get(url)
    assert (page.status_code, b"somebody else settles" in page.content) == (403, True)
    ratings = {f"rating-{index}": "1" for index in range(4)}
    assert client.post(url, ratings).status_code == 403
    assert Disagreement.objects.get().settled_at is None


def test_after_one_disagreement_the_next_is_one_that_the_reviewer_may_settle(project: Project) -> None:
    person, client = reviewer_of(project)
    others = [make_person(project=project) for _ in range(2)]
    first = dispute(project, *others)
    dispute(project, person, others[0])
    last = dispute(project, *others)
    ratings = {f"rating-{index}": "1" for index in range(4)}
    answer = client.post(reverse("disagreement", args=[project.slug, first.solution.code]), ratings)
    assert answer.headers["Location"] == reverse("disagreement", args=[project.slug, last.solution.code])
