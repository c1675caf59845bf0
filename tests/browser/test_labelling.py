"""An annotator at work: keyboard only, drafts, evidence, lost leases, no connection."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Page, Route, expect

from annotator.models import Annotation, Assignment, AssignmentState, Draft, Person, Project, Rating, Routing, Solution
from tests.browser.accessibility import assert_accessible
from tests.factories import (
    make_annotation,
    make_judgement,
    make_person,
    make_problem,
    make_project,
    make_rollouts,
    make_slot,
    make_solution,
)

pytestmark = pytest.mark.django_db(transaction=True)
SignIn = Callable[[Person], Page]
STEPS = ["There are $16 - 3 - 4 = 9$ eggs.", "She earns $9 \\times 2 = 17$ dollars.", "That is $17 a day.", "So 17."]


def queued(project: Project, steps: Any = STEPS, *, priority: float = 0.0, **fields: Any) -> Solution:
    """A solution that waits for people, the most urgent first."""
    solution = make_solution(steps=steps, problem=make_problem(project), **fields)
    make_slot(solution, priority=priority)
    return solution


@pytest.fixture
def project() -> Project:
    return make_project()


@pytest.fixture
def desk(project: Project, sign_in: SignIn) -> Page:
    """The labelling page of a signed-in annotator, nothing claimed."""
    page = sign_in(make_person(project=project))
    page.goto(f"/projects/{project.slug}/label/")
    return page


def start(page: Page) -> None:
    page.reload()
    page.keyboard.press("Enter")
    expect(page.locator("form#work")).to_be_visible()


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def current(page: Page) -> Any:
    return page.locator(".step[aria-current]")


def ratings(solution: Solution) -> list[tuple[int, str]]:
    return list(Rating.objects.filter(solution=solution).order_by("index").values_list("index", "rating"))


def saved(page: Page) -> None:
    expect(page.locator("#save-state")).to_have_text("saved")


def test_three_solutions_are_labelled_by_keyboard_alone(project: Project, desk: Page) -> None:
    first, second, third = (queued(project, priority=3 - number) for number in range(3))
    start(desk)
    expect(desk.locator("h1")).to_contain_text(str(first))
    press(desk, "3", "1", "Enter")
    expect(desk.locator("h1")).to_contain_text(str(second))
    assert desk.evaluate("scrollY") == 0
    expect(current(desk)).to_have_attribute("data-index", "0")
    press(desk, "g", "j", "g", "j", "g", "j", "g", "Enter")
    expect(desk.locator("h1")).to_contain_text(str(third))
    press(desk, "j", "j", "e", "Enter")
    expect(desk.locator(".idle h1")).to_have_text("Nothing waits for you here")

    assert ratings(first) == [(0, "1"), (1, "-1")]
    assert ratings(second) == [(0, "1"), (1, "1"), (2, "1"), (3, "1")]
    assert ratings(third) == [(0, "1"), (1, "1"), (2, "-1")]
    reasons = Annotation.objects.order_by("pk").values_list("finish_reason", flat=True)
    assert list(reasons) == ["found_error", "solution", "found_error"]


def test_a_get_takes_nothing(project: Project, desk: Page) -> None:
    queued(project)
    desk.reload()
    expect(desk.locator(".idle h1")).to_have_text("1 solution waits for you")
    assert not Assignment.objects.exists()


def test_a_missing_rating_is_named_and_gone_to(project: Project, desk: Page) -> None:
    queued(project)
    start(desk)
    press(desk, "j", "j", "3", "Enter")
    expect(desk.locator("#verdict")).to_have_text("Step 1 is not rated yet, nor 2 more")
    expect(current(desk)).to_have_attribute("data-index", "0")
    assert not Annotation.objects.exists()


def test_drafts_survive_a_reload_with_their_undo_log(project: Project, desk: Page) -> None:
    solution = queued(project)
    start(desk)
    press(desk, "3", "1", "x")
    desk.keyboard.type("9 × 2 is 18")
    press(desk, "Escape", "w")
    desk.keyboard.type("!")
    press(desk, "Escape")
    saved(desk)
    desk.reload()
    expect(desk.locator("[name='rating-1'][value='-1']")).to_be_checked()
    expect(desk.locator("[name='reason-1']")).to_have_value("9 × 2 is 18")
    expect(desk.locator("[name='correction-1']")).to_have_value(STEPS[1] + "!")
    press(desk, "z", "z", "z")
    expect(desk.locator("[name='reason-1']")).to_have_count(0)
    expect(desk.locator("[name='rating-1']:checked")).to_have_count(0)
    expect(desk.locator("[name='rating-0'][value='1']")).to_be_checked()
    saved(desk)
    draft = Draft.objects.get(assignment__solution=solution)
    assert draft.ratings == {"0": {"rating": "1"}}
    assert len(draft.undo) == 1


def test_reasons_and_corrections_are_handed_in(project: Project, desk: Page) -> None:
    solution = queued(project)
    start(desk)
    press(desk, "e", "x")
    desk.keyboard.type("It is 18")
    press(desk, "Escape", "w")
    desk.locator("[name='correction-0']").fill("There are 9 eggs.")
    press(desk, "Escape", "Enter")
    expect(desk.locator(".idle")).to_be_visible()
    rating = Rating.objects.get(solution=solution)
    assert (rating.rating, rating.reason, rating.correction) == ("-1", "It is 18", "There are 9 eggs.")


def test_the_footer_shows_only_keys_that_act_now(project: Project, desk: Page) -> None:
    queued(project)
    start(desk)

    def shown() -> list[str]:
        return desk.locator(".foot-acts .act:visible").all_inner_texts()

    assert [words.split()[0] for words in shown()] == ["e", "s", "?"]
    press(desk, "1")
    assert [words.split()[0] for words in shown()] == ["z", "w", "x", "s", "?"]


def test_evidence_opens_after_the_rating_and_is_not_in_the_page_before(project: Project, desk: Page) -> None:
    solution = queued(project)
    make_judgement(solution, 1, reason="The judge's secret reason")
    make_rollouts(solution, 1, right=7, wrong=1)
    make_rollouts(solution, 2, right=1, wrong=7)
    start(desk)
    assert "secret reason" not in desk.content()
    press(desk, "3")
    expect(desk.locator("#evidence-0")).to_contain_text("7/8")
    assert "secret reason" not in desk.content()
    press(desk, "1")
    expect(desk.locator("#evidence-1")).to_contain_text("The judge's secret reason")
    expect(desk.locator("#evidence-1")).to_contain_text("rollouts after step 2")
    press(desk, "Enter")
    expect(desk.locator(".idle")).to_be_visible()
    assert Annotation.objects.get().blind is False


def test_audits_show_no_evidence_and_say_nothing_of_it(project: Project, desk: Page) -> None:
    solution = make_solution(steps=STEPS, problem=make_problem(project))
    make_slot(solution, purpose="audit")
    make_judgement(solution, 1)
    Routing.objects.create(solution=solution, destination="audit", reason="drawn as an audit", asked=[], threshold=0.9)
    start(desk)
    press(desk, "3", "1")
    saved(desk)
    assert "audit" not in desk.content()
    press(desk, "Enter")
    expect(desk.locator(".idle")).to_be_visible()
    assert Annotation.objects.get().blind is True


def test_only_asked_steps_are_asked_for(project: Project, desk: Page) -> None:
    solution = queued(project)
    Routing.objects.create(
        solution=solution, destination="people", reason="judge and rollouts disagree", asked=[1, 2], threshold=0.9
    )
    start(desk)
    expect(current(desk)).to_have_attribute("data-index", "1")
    expect(desk.locator(".why-text:visible")).to_have_text(": judge and rollouts disagree")
    press(desk, "3", "3", "Enter")
    expect(desk.locator(".idle")).to_be_visible()
    assert ratings(solution) == [(1, "1"), (2, "1")]


def test_a_lost_lease_is_told_and_the_ratings_stand(project: Project, desk: Page, complaints: list[str]) -> None:
    queued(project)
    start(desk)
    Assignment.objects.update(state=AssignmentState.RELEASED, ended_at="2030-01-01T00:00Z")
    press(desk, "3")
    expect(desk.locator("#refused")).to_contain_text("this assignment was given back")
    expect(desk.locator("#save-state")).to_have_text("not saved")
    expect(desk.locator("[name='rating-0'][value='1']")).to_be_checked()
    complaints.clear()  # the browser reports every 409 by itself


def test_no_connection_loses_nothing(project: Project, desk: Page, complaints: list[str]) -> None:
    solution = queued(project)
    start(desk)

    def cut(route: Route) -> None:
        route.abort("connectionfailed")

    desk.context.route("**/*", cut)
    press(desk, "3", "3")
    expect(desk.locator("#save-state")).to_have_text("not saved")
    expect(desk.locator("#connection")).to_contain_text("does not answer")
    desk.context.unroute("**/*", cut)
    saved(desk)
    expect(desk.locator("#connection")).to_be_hidden()
    assert set(Draft.objects.get(assignment__solution=solution).ratings) == {"0", "1"}
    complaints.clear()  # what the browser says of connections that fail


def test_who_was_signed_out_finds_the_ratings_again(project: Project, desk: Page, complaints: list[str]) -> None:
    queued(project)
    start(desk)
    cookies = desk.context.cookies()
    desk.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    press(desk, "3", "3")
    expect(desk.locator("#refused")).to_contain_text("You are signed out")
    desk.context.add_cookies(cookies)  # type: ignore[arg-type]
    desk.reload()
    expect(desk.locator("[name='rating-1'][value='1']")).to_be_checked()
    saved(desk)
    assert set(Draft.objects.get().ratings) == {"0", "1"}


def test_another_window_is_not_overwritten(project: Project, desk: Page, complaints: list[str]) -> None:
    queued(project)
    start(desk)
    press(desk, "3")
    saved(desk)
    Draft.objects.update(version=9)
    press(desk, "3")
    expect(desk.locator("#refused")).to_contain_text("changed in another window")
    complaints.clear()


def test_skipping_asks_once_and_goes_on(project: Project, desk: Page) -> None:
    first, second = queued(project, priority=2), queued(project, priority=1)
    start(desk)
    expect(desk.locator("h1")).to_contain_text(str(first))
    press(desk, "3")
    desk.once("dialog", lambda dialog: dialog.accept())
    press(desk, "s")
    expect(desk.locator("h1")).to_contain_text(str(second))
    assert not Annotation.objects.exists()


def test_a_skip_that_fails_leaves_the_sheet_at_work(project: Project, desk: Page, complaints: list[str]) -> None:
    queued(project)
    start(desk)
    desk.route("**/skip/", lambda route: route.abort())
    press(desk, "s")
    expect(desk.locator("#connection")).to_be_visible()
    desk.unroute("**/skip/")
    press(desk, "3")
    saved(desk)
    complaints.clear()  # what the browser says of connections that fail


def test_a_faulty_problem_needs_no_ratings(project: Project, desk: Page) -> None:
    queued(project)
    start(desk)
    press(desk, "p", "Enter")
    expect(desk.locator(".idle")).to_be_visible()
    assert Annotation.objects.get().finish_reason == "bad_problem"


def test_the_pointer_does_what_keys_do(project: Project, desk: Page) -> None:
    solution = queued(project)
    start(desk)
    desk.locator("#step-1 .is-good").click()
    desk.locator("#step-2 .is-bad").click()
    desk.locator("#step-1 .is-good").click()
    expect(desk.locator("[name='rating-0']:checked")).to_have_count(0)
    desk.get_by_role("button", name="good").click()
    desk.get_by_role("button", name="Submit").click()
    expect(desk.locator(".idle")).to_be_visible()
    assert ratings(solution) == [(0, "1"), (1, "-1")]


def test_the_current_step_stays_in_the_middle_third(project: Project, desk: Page) -> None:
    queued(project, 120)
    start(desk)
    press(desk, *["3"] * 60)
    top = current(desk).evaluate("step => step.getBoundingClientRect().top / innerHeight")
    assert 0.25 < top < 0.7
    expect(current(desk)).to_have_attribute("data-index", "60")


def test_a_long_step_folds_after_twenty_lines(project: Project, desk: Page) -> None:
    queued(project, ["\n".join(f"line {number}" for number in range(400)), "end"])
    start(desk)
    expect(desk.locator(".unfold-label")).to_have_text(re.compile("… 380 more lines"))
    box = desk.locator("#step-1 .passage")
    folded = box.evaluate("text => text.clientHeight")
    press(desk, "o")
    expect(box).to_have_text(re.compile("line 399"))
    assert box.evaluate("text => text.clientHeight") > 10 * folded


def test_it_works_without_scripts(project: Project, desk: Page, browser: Any, base_url: str) -> None:
    solution = queued(project)
    plain = browser.new_context(
        java_script_enabled=False, storage_state=desk.context.storage_state(), base_url=base_url
    )
    page = plain.new_page()
    page.goto(f"/projects/{project.slug}/label/")
    page.get_by_role("button", name="Start labelling").click()
    page.locator("[name='rating-0'][value='1']").check()
    page.get_by_role("button", name="Submit").click()
    expect(page.locator(".message.error")).to_contain_text("steps 2, 3, 4 are asked and not rated")
    expect(page.locator("[name='rating-0'][value='1']")).to_be_checked()
    page.locator("[name='rating-1'][value='-1']").check()
    page.get_by_role("button", name="Submit").click()
    expect(page.locator(".idle")).to_be_visible()
    assert ratings(solution) == [(0, "1"), (1, "-1")]
    plain.close()


@pytest.mark.parametrize("width", [360, 1280])
def test_it_is_accessible_and_fits(project: Project, desk: Page, width: int) -> None:
    solution = queued(project)
    make_judgement(solution, 1)
    make_rollouts(solution, 1, right=7, wrong=1)
    desk.set_viewport_size({"width": width, "height": 800})
    desk.reload()
    assert_accessible(desk)
    start(desk)
    assert_accessible(desk)
    press(desk, "3", "1", "x")
    expect(desk.locator("#evidence-1")).to_contain_text("judge")
    assert_accessible(desk)
    assert desk.evaluate("document.documentElement.scrollWidth <= innerWidth")
    press(desk, "Escape", "?")
    assert_accessible(desk)


def test_a_reviewer_settles_a_disagreement(project: Project, sign_in: SignIn) -> None:
    solution = make_solution(steps=STEPS, problem=make_problem(project), status="disputed")
    for verdict in ("1", "-1"):
        make_annotation(solution, make_person(project=project).work_as(), "1", verdict)
    project.disagreements.create(solution=solution, reason="people differ on the first error: step 2 or none")
    page = sign_in(make_person(project=project, role="reviewer"))
    page.goto(f"/projects/{project.slug}/disagreements/")
    assert_accessible(page)
    page.get_by_role("link", name=str(solution)).click()
    expect(page.locator("#step-2 .opinion")).to_have_count(2)
    assert_accessible(page)
    press(page, "3", "1", "Enter")
    expect(page.get_by_role("heading", name="Nobody disagrees")).to_be_visible()
    solution.refresh_from_db()
    assert solution.status == "settled"


def test_signing_in_and_the_pages_around_it_are_accessible(page: Page, complaints: list[str], project: Project) -> None:
    person = make_person(project=project, password="a long enough password")
    page.goto("/login/")
    assert_accessible(page)
    page.get_by_label("Username").fill(person.username)
    page.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.locator(".message.error")).to_be_visible()
    assert_accessible(page)
    page.get_by_label("Password").fill("a long enough password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("banner")).to_contain_text(person.username)
    page.goto("/password/")
    assert_accessible(page)
    page.goto("/projects/elsewhere/label/")
    expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()
    assert_accessible(page)
    page.goto(f"/projects/{project.slug}/disagreements/")
    expect(page.get_by_role("heading", name="You may not open this")).to_be_visible()
    assert_accessible(page)
    complaints.clear()  # the browser reports every 403 and 404 by itself


def test_the_theme_switch_is_remembered(project: Project, desk: Page) -> None:
    desk.locator(".top-end summary").click()
    desk.get_by_role("button", name="Theme").click()
    desk.get_by_role("button", name="Theme").click()
    desk.reload()
    assert desk.evaluate("document.documentElement.dataset.theme") == "dark"
