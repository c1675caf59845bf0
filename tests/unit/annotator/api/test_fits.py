"""Fits: asked for, listed, told. What they compute is tested with fitting."""

from __future__ import annotations

import pytest

from annotator import fitting
from annotator.models import Fit, Project, WorkState
from tests import factories as make
from tests.unit.annotator.api.caller import Caller, json_of, problem_of


def test_a_fit_is_asked_for_and_told_once_it_is_done(manager: Caller, project: Project) -> None:
    answer = json_of(manager.post(f"projects/{project.slug}/fits/"), 202)
    fit = Fit.objects.get(code=answer["code"])
    assert fit.created_by == manager.person
    told = json_of(manager.get(f"fits/{fit.code}/"))
    assert (told["state"], told["in_force"], told["report"], told["parameters"]) == ("queued", False, {}, None)
    fitting.carry_out(fit.pk, lambda _: None)
    told = json_of(manager.get(f"fits/{fit.code}/"))
    assert (told["state"], told["in_force"]) == ("done", True)
    assert told["report"]["fell_back"] is True
    assert told["report"]["reason"].endswith("50 are needed")
    assert told["parameters"] == told["defaults"]
    assert json_of(manager.get(f"projects/{project.slug}/fits/"))["results"] == [told]


def test_the_fit_under_way_is_given_again(manager: Caller, project: Project) -> None:
    ids = {json_of(manager.post(f"projects/{project.slug}/fits/"), 202)["code"] for _ in range(2)}
    assert len(ids) == 1


def test_one_in_force_at_most_and_newest_first(manager: Caller, project: Project) -> None:
    for _ in range(2):
        fitting.carry_out(fitting.request(project).pk, lambda _: None)
    Fit.objects.create(project=project, state=WorkState.FAILED, detail="KeyError: 'odd'")
    found = json_of(manager.get(f"projects/{project.slug}/fits/"))["results"]
    assert [(fit["state"], fit["in_force"]) for fit in found] == [("failed", False), ("done", True), ("done", False)]
    assert found[0]["detail"] == "KeyError: 'odd'"


@pytest.mark.parametrize("path", ["fits/nothing/", "fits/{other}/"])
def test_another_projects_fit_is_not_to_be_found(path: str, manager: Caller) -> None:
    other = Fit.objects.create(project=make.make_project())
    problem_of(manager.get(path.format(other=other.code)), 404)


def test_an_archived_project_is_not_fitted(manager: Caller, project: Project) -> None:
    project.archive()
    assert "archived" in problem_of(manager.post(f"projects/{project.slug}/fits/"), 409)["detail"]
