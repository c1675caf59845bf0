"""What comes after a submission stands on its own: nothing of the solution before it is left on the desk."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from annotator.models import Person, Routing
from tests.factories import make_person, make_problem, make_project, make_slot, make_solution

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_next_solution_asks_for_its_own_steps(sign_in: Callable[[Person], Page]) -> None:
    project = make_project()
    for number, asked in enumerate(([0, 1], [2])):
        solution = make_solution(steps=4, problem=make_problem(project))
        make_slot(solution, priority=-number)
        Routing.objects.create(solution=solution, destination="people", reason="unsure", asked=asked, threshold=0.9)
    page = sign_in(make_person(project=project))
    page.goto(f"/projects/{project.slug}/label/")
    page.keyboard.press("Enter")
    expect(page.locator("#verdict")).to_have_text("2 to rate")
    page.keyboard.press("1")
    with page.expect_response("**/submit/"):
        page.keyboard.press("Enter")
    expect(page.locator("#verdict")).to_have_text("1 to rate")
    expect(page.locator(".step[aria-current]")).to_have_attribute("data-index", "2")
    expect(page.locator(".step.after")).to_have_count(0)
    page.keyboard.press("3")
    expect(page.locator("#verdict")).to_have_text("no step is wrong")
