"""What a search made and found, in a real browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from annotator.models import Person, Project, Role, Run, RunItem, Selection, Solution, WorkState
from tests.browser.accessibility import assert_accessible
from tests.factories import (
    make_endpoint,
    make_own_grade,
    make_person,
    make_posterior,
    make_preference,
    make_problem,
    make_project,
    make_rollouts,
    make_run,
    make_solution,
)

pytestmark = pytest.mark.django_db(transaction=True)
SignIn = Callable[[Person], Page]
WIDTHS = (1280, 360)
STATEMENT = "Maya's shop sells 14 jars with 12 marbles each, and 9 bags with $5$ marbles. How many marbles is that?"
STEPS = ("The jars hold $14 \\times 12 = 168$ marbles.", "The bags hold $9 \\times 5 = 45$ marbles.", "So $213$.")


@pytest.fixture
def project() -> Project:
    return make_project(name="Marbles", completer=make_endpoint("completer", simulated=True, model="simulated/m"))


@pytest.fixture
def desk(project: Project, sign_in: SignIn) -> Page:
    return sign_in(make_person("mia", project=project, role=Role.MANAGER, staff=True))


@pytest.fixture
def parent(project: Project) -> Solution:
    parent = make_solution(problem=make_problem(project, STATEMENT, answer="213"), steps=STEPS)
    make_rollouts(parent, 0, right=5, wrong=2)
    make_rollouts(parent, 1, right=5, wrong=1)
    return parent


@pytest.fixture
def run(project: Project, parent: Solution) -> Run:
    """A search that is through: two new solutions, two pairs of steps."""
    run = make_run(project, "search", endpoint=project.completer, state=WorkState.DONE, total=2, rollouts=13, calls=9)
    RunItem.objects.create(run=run, solution=parent, state="done")
    unanswered = make_solution(problem=make_problem(project, answer=None))
    RunItem.objects.create(run=run, solution=unanswered, state="skipped", detail="the problem has no reference answer")
    for number, step in enumerate(("The bags hold $9 + 5 = 14$ marbles.", "We leave the bags out.")):
        [rollout] = make_rollouts(parent, 1, wrong=1)
        fork = make_solution(
            problem=parent.problem,
            steps=[STEPS[0], step, "So $182$."],
            forked_from=parent,
            forked_at=1,
            source="search",
            source_id=None,
            status="queued",
            generator="simulated/m",
        )
        make_own_grade(fork, "wrong")
        make_posterior(fork, [0.02, 0.9 - number / 4, 0.04 + number / 4, 0.04])
        Selection.objects.create(run=run, rollout=rollout, solution=fork)
        make_preference(fork, run, chosen=STEPS[1], rejected=step, simulated=True)
    return run


def test_the_pages_of_a_search_are_accessible_and_fit_their_width(
    desk: Page, project: Project, parent: Solution, run: Run
) -> None:
    fork = parent.live_forks[0]
    addresses = [
        reverse("pairs", args=[project.slug]),
        reverse("run", args=[project.slug, run.code]),
        reverse("runs", args=[project.slug]),
        reverse("solution", args=[project.slug, parent.code]),
        reverse("solution", args=[project.slug, fork.code]),
        f"{reverse('new_run', args=[project.slug])}?kind=search",
        f"{reverse('pairs', args=[project.slug])}?q=nothing",
    ]
    for address in addresses:
        for width in WIDTHS:
            desk.set_viewport_size({"width": width, "height": 900})
            desk.goto(address)
            assert desk.evaluate("document.documentElement.scrollWidth") <= width, f"{address} at {width}"
        assert_accessible(desk)


def test_from_a_run_one_comes_to_what_it_made_and_found(
    desk: Page, project: Project, parent: Solution, run: Run
) -> None:
    desk.goto(reverse("run", args=[project.slug, run.code]))
    expect(desk.locator("#live")).to_contain_text("the problem has no reference answer")
    desk.get_by_role("link", name="2 new solutions").click()
    expect(desk.locator("tbody tr")).to_have_count(2)
    desk.go_back()
    desk.get_by_role("link", name="2 pairs of steps").click()
    expect(desk.locator(".pairs > li")).to_have_count(2)
    desk.locator(".pairs summary").first.click()
    expect(desk.locator(".pairs .before").first).to_be_visible()
    desk.locator(".pairs .of a").first.click()
    fork = parent.live_forks.last()
    assert fork is not None
    expect(desk.get_by_role("heading", name=fork.code)).to_be_visible()
    expect(desk.locator(".steps-list > li").first).to_contain_text("5/8")
    desk.locator(".solution-facts").get_by_role("link", name=str(parent)).click()
    expect(desk.locator(".solution-facts")).to_contain_text("Branches")


def test_only_what_a_search_knows_is_asked_for_it(desk: Page, project: Project, parent: Solution) -> None:
    desk.goto(reverse("new_run", args=[project.slug]))
    desk.get_by_label("Search:").check()
    desk.get_by_text("Options").click()
    expect(desk.get_by_label("New solutions a problem, at most")).to_be_visible()
    expect(desk.get_by_label("Votes")).to_be_hidden()
    expect(desk.locator("#estimate")).to_contain_text("problems")
    expect(desk.locator("#estimate")).to_contain_text("about 104")
    desk.get_by_label("New solutions a problem, at most").fill("1")
    expect(desk.locator("#estimate")).to_contain_text("about 20")
    desk.get_by_label("α").fill("7")
    expect(desk.locator("#estimate")).to_contain_text("alpha: must be a number from 0.001 to 1")
