"""Pages that show majority answers: both themes, both widths, and the mark in words."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from annotator import grading, routing
from annotator.models import Person, Problem, Project, Role, Rollout, Solution
from tests.browser.accessibility import assert_accessible
from tests.factories import (
    make_endpoint,
    make_judgement,
    make_person,
    make_problem,
    make_project,
    make_solution,
    make_stand_in,
)
from tests.unit.annotator.exports.exported import made

pytestmark = pytest.mark.django_db(transaction=True)
SignIn = Callable[[Person], Page]
WIDTHS = (1280, 360)


@pytest.fixture
def project() -> Project:
    return make_project(stand_ins=True, threshold=0.6, judge=make_endpoint(), completer=make_endpoint("completer"))


@pytest.fixture
def solution(project: Project) -> Solution:
    """Labelled by machines, by rollouts that a majority answer has graded."""
    problem = make_problem(project, "A statement whose answer nobody gave: $3 \\cdot 6$?", answer=None)
    found = make_solution(problem=problem, steps=4)
    make_stand_in(problem, answer="\\frac{36}{2}")
    Rollout.objects.bulk_create(
        Rollout(
            solution=found,
            prefix=prefix,
            step_count=4,
            model="test/completer",
            parameters="t1",
            sample=sample,
            answer="18" if prefix == 2 else "17",
        )
        for prefix in (2, 3)
        for sample in range(12)
    )
    make_judgement(found, 2)
    grading.grade_answers([found])
    routing.route([found])
    return found


@pytest.fixture
def desk(project: Project, sign_in: SignIn) -> Page:
    return sign_in(make_person("mia", project=project, role=Role.MANAGER))


def test_every_page_with_a_majority_answer_is_accessible_and_fits(
    desk: Page, project: Project, solution: Solution
) -> None:
    export = made(project, "native", provisional=True)
    places = [("solution", solution.code), ("export", export.code), ("project_settings", ""), ("solutions", "")]
    for name, code in [*places, ("exports", "")]:
        for width in WIDTHS:
            desk.set_viewport_size({"width": width, "height": 900})
            desk.goto(reverse(name, args=[project.slug, *filter(None, [code])]))
            assert desk.evaluate("document.documentElement.scrollWidth") <= width, f"{name} at {width}"
            if name != "project_settings":
                expect(desk.locator("main")).to_contain_text("majority answer")
            assert_accessible(desk)


def test_a_manager_opts_in_and_sees_what_it_costs_in_trust(desk: Page, project: Project) -> None:
    Project.objects.update(stand_ins=False)
    desk.goto(reverse("project_settings", args=[project.slug]))
    choice = desk.get_by_label("Let the majority answer stand in")
    expect(choice).not_to_be_checked()
    expect(desk.locator("main")).to_contain_text("stays provisional")
    choice.check()
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_text("Saved.")).to_be_visible()
    assert Project.objects.get().stand_ins


def test_the_reference_answer_is_given_where_the_majority_stands(desk: Page, solution: Solution) -> None:
    desk.goto(reverse("solution", args=[solution.project.slug, solution.code]))
    expect(desk.get_by_text("14 of 16 sampled answers agree")).to_be_visible()
    desk.get_by_text("Give a reference answer").click()
    desk.get_by_label("Reference answer").fill("18")
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_text("reference answer 18")).to_be_visible()
    expect(desk.get_by_text("14 of 16")).to_have_count(0)
    assert Problem.objects.get().answer == "18"
