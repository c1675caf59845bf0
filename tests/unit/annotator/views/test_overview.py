"""A project's own page: what it says needs doing, and how fast people read."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotator.models import Project, Role, Settlement, Solution, SolutionStatus, Source
from tests.factories import make_annotation, make_person, make_posterior, make_rater, make_solution

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(project: Project) -> Client:
    client = Client()
    client.force_login(make_person("mia", project=project, role=Role.MANAGER))
    return client


def by_people(solution: Solution) -> Settlement:
    return Settlement.objects.create(solution=solution, source=Source.HUMAN, step_count=2, first_error=-1)


def by_machines(solution: Solution) -> Settlement:
    posterior = make_posterior(solution, [0.1, 0.1, 0.8])
    return Settlement.objects.create(
        solution=solution, source=Source.MACHINE, provisional=True, step_count=2, first_error=-1, posterior=posterior
    )


def todo(client: Client, project: Project) -> list[str]:
    return [line["text"] for line in client.get(reverse("project", args=[project.slug])).context["todo"]]


def test_labels_that_stay_provisional_are_told_apart_from_those_that_go_out(client: Client, project: Project) -> None:
    for _ in range(2):
        by_machines(make_solution(project, steps=2, status=SolutionStatus.MACHINE))
    assert todo(client, project) == ["2 provisional labels by machines, exported only when asked for"]
    by_people(make_solution(project, steps=2, status=SolutionStatus.SETTLED))
    assert todo(client, project) == ["1 labelled solution not exported yet; 2 more are provisional"]


def test_without_provisional_labels_none_are_spoken_of(client: Client, project: Project) -> None:
    for _ in range(3):
        by_people(make_solution(project, steps=2, status=SolutionStatus.SETTLED))
    assert todo(client, project) == ["3 labelled solutions not exported yet"]


@pytest.mark.parametrize(("age", "a_day"), [(0, "7.0"), (6, "1.0"), (13, "0.5"), (90, "0.5")])
def test_the_pace_is_by_the_days_that_the_project_exists_at_most_fourteen(
    client: Client, project: Project, age: int, a_day: str
) -> None:
    Project.objects.update(created_at=timezone.now() - timedelta(days=age))
    ana = make_rater()
    for _ in range(7):
        make_annotation(make_solution(project), ana, "1")
    assert client.get(reverse("project", args=[project.slug])).context["read_a_day"] == a_day
