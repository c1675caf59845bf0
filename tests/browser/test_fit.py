"""What the posteriors assume, on the quality page: its numbers, and a fit asked for by a press."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from annotator.models import Fit, Person, Project, Role, WorkState
from reasoning.first_error.model import DEFAULTS, Confusion
from tests import factories as make
from tests.browser.accessibility import assert_accessible
from tests.unit.annotator.quality.test_habits import REPORT

pytestmark = pytest.mark.django_db(transaction=True)
SignIn = Callable[[Person], Page]


@pytest.fixture
def project() -> Project:
    return make.make_project()


@pytest.fixture
def desk(project: Project, sign_in: SignIn) -> Page:
    return sign_in(make.make_person("mia", project=project, role=Role.MANAGER))


def test_the_numbers_of_a_fit_can_be_read_at_any_width(desk: Page, project: Project) -> None:
    rater = make.make_person("ana").work_as()
    parameters = replace(
        DEFAULTS,
        recovery=0.25,
        judges={("a-judge/with-a-rather-long-name-72b-instruct", "0123456789abcdef"): Confusion(0.7, 0.1, 0.1, 0.3)},
        raters={rater.code: Confusion(0.9, 0.05, 0.04, 0.01)},
    )
    Fit.objects.create(project=project, state=WorkState.DONE, parameters=parameters.to_json(), report=REPORT)
    for width in (1280, 360):
        desk.set_viewport_size({"width": width, "height": 900})
        desk.goto(reverse("quality", args=[project.slug]))
        section = desk.locator("#habits")
        expect(section.locator(".answer")).to_contain_text("−1.42 a solution against −1.61 with the defaults")
        section.locator("summary").click()
        expect(section.get_by_role("row", name="ana names the first error")).to_contain_text("0.900")
        assert desk.evaluate("document.documentElement.scrollWidth") <= width
        assert_accessible(desk)


def test_a_press_asks_for_a_fit(desk: Page, project: Project) -> None:
    desk.goto(reverse("quality", args=[project.slug]))
    desk.get_by_role("button", name="Fit now").click()
    expect(desk.locator("#habits .answer")).to_contain_text("A fit is under way.")
    expect(desk.get_by_role("button", name="Fit now")).to_have_count(0)
    assert Fit.objects.get(project=project).created_by == Person.objects.get(username="mia")
