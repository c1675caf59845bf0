"""Projects: create, read, change settings; the quality figures."""

from __future__ import annotations

from typing import Any

import pytest

from annotator import quality
from annotator.models import Event, Membership, Project, Role
from tests import factories as make
from tests.unit.annotator.api.caller import Caller, fields_of, json_of, problem_of


def test_a_project_is_created_with_the_promised_defaults_and_its_maker_as_manager(admin: Caller) -> None:
    made = json_of(admin.post("projects/", {"slug": "gsm", "name": "GSM"}), 201)
    assert (made["slug"], made["name"], made["overlap"], made["audit_share"]) == ("gsm", "GSM", 1, 0.05)
    assert Membership.objects.get(project__slug="gsm").role == Role.MANAGER
    assert json_of(admin.get("projects/gsm/")) == made


def test_settings_may_come_along_when_a_project_is_created(admin: Caller) -> None:
    judge = make.make_endpoint("judge")
    body = {"slug": "a", "name": "A", "threshold": 0.8, "overlap": 3, "audit_share": 0, "judge": judge.name}
    made = json_of(admin.post("projects/", body), 201)
    assert made.items() >= body.items()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "A"}, "slug"),
        ({"slug": "a"}, "name"),
        ({"slug": "no slug", "name": "A"}, "slug"),
        ({"slug": "a\0", "name": "A"}, "slug"),
        ({"slug": "new", "name": "A"}, "slug"),
        ({"slug": "a", "name": "\ud800"}, "name"),
        ({"slug": "a" * 61, "name": "A"}, "slug"),
        ({"slug": "a", "name": "A", "treshold": 0.9}, "treshold"),
    ],
)
def test_a_project_that_cannot_be_names_the_field(admin: Caller, body: dict[str, Any], field: str) -> None:
    assert set(fields_of(admin.post("projects/", body))) == {field}
    assert not Project.objects.exists()


def test_a_slug_is_given_once(admin: Caller, project: Project) -> None:
    assert fields_of(admin.post("projects/", {"slug": project.slug, "name": "A"})) == ["slug"]


def test_only_those_who_run_the_installation_create_projects(manager: Caller) -> None:
    problem_of(manager.post("projects/", {"slug": "a", "name": "A"}), 403)


def test_one_sees_the_projects_that_one_is_in(manager: Caller, outsider: Caller, project: Project) -> None:
    assert [each["slug"] for each in json_of(manager.get("projects/"))["results"]] == [project.slug]
    assert project.slug not in [each["slug"] for each in json_of(outsider.get("projects/"))["results"]]


def test_settings_change_one_by_one_and_the_change_is_logged_once(manager: Caller, project: Project) -> None:
    path = f"projects/{project.slug}/"
    before = json_of(manager.get(path))
    changed = {"threshold": 0.9, "evidence_mode": "never", "token_budget": 10**12}
    assert json_of(manager.patch(path, changed)) == before | changed
    assert json_of(manager.patch(path, changed)) == before | changed
    event = Event.objects.get(kind="project.changed")
    assert event.data == {"fields": sorted(changed)}
    assert event.actor == manager.person


def test_what_was_read_can_be_sent_back(manager: Caller, project: Project) -> None:
    path = f"projects/{project.slug}/"
    before = json_of(manager.get(path))
    assert json_of(manager.patch(path, before)) == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("threshold", 0.2),
        ("threshold", 1.5),
        ("threshold", True),
        ("threshold", "NaN"),
        ("threshold", "high"),
        ("threshold", None),
        ("audit_share", -0.1),
        ("audit_share", "Infinity"),
        ("overlap", 0),
        ("overlap", 21),
        ("overlap", 1.5),
        ("evidence_mode", "sometimes"),
        ("lease_minutes", 0),
        ("judge", "nobody"),
        ("judge", "\0"),
        ("judge", 5),
        ("judge_votes", 0),
        ("rollout_price", -1),
        ("rollout_cap", 40_000),
        ("stand_ins", "perhaps"),
        ("stand_in_samples", 7),
        ("stand_in_samples", 65),
        ("token_budget", -1),
        ("token_budget", 10**30),
        ("money_budget", "Infinity"),
        ("slug", "other"),
        ("name", ""),
        ("guidelines", "\0"),
        ("audit_seed", "mine"),
    ],
)
def test_a_bad_setting_is_named_and_nothing_changes(
    manager: Caller, project: Project, field: str, value: object
) -> None:
    path = f"projects/{project.slug}/"
    before = json_of(manager.get(path))
    assert fields_of(manager.patch(path, {"description": "new", field: value})) == [field]
    assert json_of(manager.get(path)) == before


def test_a_number_that_no_float_holds_is_named(manager: Caller, project: Project) -> None:
    response = manager.client.patch(f"/api/v1/projects/{project.slug}/", b'{"money_budget": 1e999}', "application/json")
    assert fields_of(response) == ["money_budget"]


def test_quality_is_every_figure_of_the_dashboards(manager: Caller, project: Project) -> None:
    assert manager.person is not None
    solution = make.make_solution(project)
    make.make_judgement(solution, 1)
    make.make_annotation(solution, manager.person.work_as(), "1", "-1")
    figures = json_of(manager.get(f"projects/{project.slug}/quality/"))
    assert list(figures) == list(quality.FIGURES)
    assert all({"question", "answer", "values", "table", "chart"} <= figure.keys() for figure in figures.values())


def test_quality_of_an_empty_project_is_told_too(manager: Caller, project: Project) -> None:
    assert json_of(manager.get(f"projects/{project.slug}/quality/")).keys() == quality.FIGURES.keys()
