"""What is there before anybody did anything, and how a project begins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from annotator import preannotation, queue, routing, setup
from annotator.errors import Invalid
from annotator.models import Endpoint, Membership, Project, Role, SolutionStatus
from tests import factories as make
from tests.factories import make_endpoint, make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def simulator(settings: Any) -> Any:
    settings.OPENAI_BASE_URL, settings.STEPWISE_SIMULATOR_URL = "", "http://127.0.0.1:5555"
    return settings


def test_without_a_real_endpoint_the_simulator_serves_and_is_known_as_such(simulator: Any) -> None:
    endpoints = setup.ensure_endpoints()
    assert [(each.kind, each.simulated) for each in endpoints] == [("judge", True), ("completer", True)]
    assert {each.base_url for each in endpoints} == {"http://127.0.0.1:5555/v1"}


def test_the_simulator_is_found_again_where_it_moved(simulator: Any) -> None:
    setup.ensure_endpoints()
    simulator.STEPWISE_SIMULATOR_URL = "http://127.0.0.1:6666"
    setup.ensure_endpoints()
    assert set(Endpoint.objects.values_list("base_url", flat=True)) == {"http://127.0.0.1:6666/v1"}


def test_the_environments_endpoints_take_its_key_and_come_before_the_simulators(simulator: Any) -> None:
    setup.ensure_endpoints()
    simulator.OPENAI_BASE_URL, simulator.OPENAI_API_KEY = "https://models.example/v1", "sk-secret"
    simulator.STEPWISE_JUDGE_MODEL = simulator.STEPWISE_COMPLETER_MODEL = "some-model"
    setup.ensure_endpoints()
    project = setup.create_project("one", "One", None)
    assert project.judge is not None
    assert (project.judge.name, project.judge.reveal_key()) == ("Environment judge", "sk-secret")
    assert not project.rests_on_simulator


def test_whoever_makes_a_project_is_its_manager() -> None:
    person = make_person(staff=True)
    project = setup.create_project("one", "One", person)
    assert Membership.objects.get(project=project).role == Role.MANAGER


@pytest.mark.parametrize(
    ("slug", "fields", "field"),
    [
        ("new", {}, "slug"),
        ("taken", {}, "slug"),
        ("white space", {}, "slug"),
        ("fine", {"threshold": 1.5}, "threshold"),
        ("fine", {"overlap": 0}, "overlap"),
    ],
)
def test_a_project_is_refused_by_the_name_of_the_field(slug: str, fields: dict[str, float], field: str) -> None:
    setup.create_project("taken", "Taken", None)
    with pytest.raises(Invalid) as refused:
        setup.create_project(slug, "Name", None, **fields)
    assert refused.value.field == field
    assert Project.objects.count() == 1


def test_the_sample_is_loaded_once_in_an_installations_life(simulator: Any, settings: Any, tmp_path: Path) -> None:
    settings.STEPWISE_FILES = tmp_path
    setup.ensure_endpoints()
    project = setup.load_sample(make_person(staff=True))
    assert project is not None
    assert project.rests_on_simulator
    assert project.solutions.filter(status=SolutionStatus.NEW).count() == project.solutions.count() > 100
    assert setup.load_sample(None) is None


def test_a_project_takes_an_endpoint_that_somebody_added() -> None:
    endpoint = make_endpoint("judge")
    assert setup.create_project("one", "One", None).judge == endpoint


def test_a_new_overlap_reaches_what_waits_for_people_and_leaves_alone_what_is_new() -> None:
    project = make.make_project()
    fresh, waiting = make.make_solution(project), make.make_solution(project)
    routing.route([waiting])
    run = setup.change_project(project, None, {"overlap": 3})
    assert run is not None
    preannotation.advance(run.pk)
    assert (waiting.slots.count(), fresh.slots.count()) == (3, 0)
    fresh.refresh_from_db()
    assert fresh.status == SolutionStatus.NEW


def test_a_lower_overlap_settles_what_enough_people_have_read() -> None:
    project = make.make_project(overlap=2)
    solution = make.make_solution(project, steps=2)
    routing.route([solution])
    rater = make.make_rater()
    assignment = queue.claim(project, rater)
    assert assignment is not None
    right = queue.Submission((queue.RatingInput(0, "1"), queue.RatingInput(1, "1")), "solution")
    queue.submit(assignment.code, rater, right)
    run = setup.change_project(project, None, {"overlap": 1})
    assert run is not None
    preannotation.advance(run.pk)
    solution.refresh_from_db()
    assert solution.status == SolutionStatus.SETTLED
    assert queue.free_count(project, make.make_rater()) == 0


@pytest.mark.parametrize("change", [{"threshold": 0.95}, {"description": "x"}])
def test_what_changes_no_rule_decides_nothing_again(change: dict[str, Any]) -> None:
    project = make.make_project()
    make.make_solution(project, status=SolutionStatus.QUEUED)
    assert setup.change_project(project, None, change) is None
