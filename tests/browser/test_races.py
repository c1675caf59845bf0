"""A slow network, a quick hand: what is sent in an order arrives in it; a press counts once, on what was pressed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from django.conf import settings
from django.core.signals import request_started
from django.urls import reverse
from playwright.sync_api import Page, Route, expect

from annotator.models import Draft, Intake, Person, Project, Role, Run, Solution, WorkState
from tests.browser.held import Held
from tests.factories import (
    make_endpoint,
    make_judgement,
    make_person,
    make_problem,
    make_project,
    make_run,
    make_slot,
    make_solution,
)

pytestmark = pytest.mark.django_db(transaction=True)
SignIn = Callable[[Person], Page]


@pytest.fixture
def project() -> Project:
    return make_project(judge=make_endpoint(simulated=True))


@pytest.fixture
def desk(project: Project, sign_in: SignIn) -> Page:
    """The browser of somebody who manages the project."""
    return sign_in(make_person("mia", project=project, role=Role.MANAGER))


def in_while(page: Page) -> None:
    """Time in which the page would have asked for what it must not ask for; longer than a change waits to be saved."""
    page.wait_for_timeout(800)


# --- labelling -------------------------------------------------------------------------------------------------------


@pytest.fixture
def queue(project: Project) -> list[Solution]:
    """Two solutions that wait for people, the first one first."""
    found = [make_solution(problem=make_problem(project)) for _ in range(2)]
    for priority, solution in zip((2.0, 1.0), found, strict=True):
        make_slot(solution, priority=priority)
    return found


@pytest.fixture
def sheet(desk: Page, project: Project, queue: list[Solution]) -> Page:
    """The first solution on an annotator's desk."""
    desk.goto(reverse("label", args=[project.slug]))
    desk.keyboard.press("Enter")
    expect(desk.locator("h1")).to_contain_text(str(queue[0]))
    return desk


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


@pytest.mark.parametrize(("key", "ending"), [("s", "skip"), ("Enter", "submit")])
def test_an_assignment_ends_after_what_was_sent_for_it(
    sheet: Page, queue: list[Solution], key: str, ending: str
) -> None:
    held = Held(sheet, "**/draft/")
    press(sheet, "3", "1")
    held.wait()
    sheet.once("dialog", lambda dialog: dialog.accept())
    press(sheet, key)
    in_while(sheet)
    assert ending not in held.asked
    held.release()
    expect(sheet.locator("h1")).to_contain_text(str(queue[1]))
    assert held.asked.index("draft") < held.asked.index(ending)


def test_evidence_under_way_comes_before_the_end(sheet: Page, queue: list[Solution]) -> None:
    make_judgement(queue[0], first_error=1)
    held = Held(sheet, "**/evidence/**")
    press(sheet, "3", "1")
    held.wait()
    press(sheet, "Enter")
    in_while(sheet)
    assert "submit" not in held.asked
    held.release()
    expect(sheet.locator("h1")).to_contain_text(str(queue[1]))


def test_a_rating_is_taken_back_after_its_evidence_has_come(sheet: Page, queue: list[Solution]) -> None:
    """The server shows none on a step that is not rated, and would say so."""
    make_judgement(queue[0], first_error=1)
    held = Held(sheet, "**/evidence/**")
    press(sheet, "3")
    held.wait()
    drafts = held.asked.count("draft")
    press(sheet, "z")
    in_while(sheet)
    assert held.asked.count("draft") == drafts
    held.release()
    expect(sheet.locator("#save-state")).to_have_text("saved")
    expect(sheet.locator("#messages")).to_be_empty()
    assert Draft.objects.get().ratings == {}


def test_evidence_of_many_steps_does_not_keep_an_annotator_waiting(sheet: Page, queue: list[Solution]) -> None:
    make_judgement(queue[0], first_error=1)
    held = Held(sheet, "**/evidence/**")
    press(sheet, "3")
    held.wait()
    press(sheet, "3", "3", "3", "Enter")
    in_while(sheet)
    held.release()
    expect(sheet.locator("h1")).to_contain_text(str(queue[1]))
    assert len(held.kept) == 1


@pytest.mark.parametrize("key", ["s", "Enter"])
def test_what_is_rated_while_an_assignment_ends_is_not_sent(sheet: Page, queue: list[Solution], key: str) -> None:
    held = Held(sheet, "**/skip/" if key == "s" else "**/submit/")
    press(sheet, "3", "1")
    expect(sheet.locator("#save-state")).to_have_text("saved")
    sheet.once("dialog", lambda dialog: dialog.accept())
    press(sheet, key)
    held.wait()
    drafts = held.asked.count("draft")
    press(sheet, "j", "3")
    in_while(sheet)
    assert held.asked.count("draft") == drafts
    held.release()
    expect(sheet.locator("h1")).to_contain_text(str(queue[1]))
    expect(sheet.locator("#save-state")).to_have_text("saved")


@pytest.mark.parametrize("heard", ["nothing", "half of it"])
def test_a_save_whose_answer_got_lost_is_not_taken_for_another_window(
    sheet: Page, complaints: list[str], heard: str
) -> None:
    def lose(route: Route) -> None:
        response = route.fetch()
        if heard == "nothing":
            route.abort("connectionreset")
        else:
            route.fulfill(response=response, body='{"vers')

    sheet.route("**/draft/", lose, times=1)
    press(sheet, "3")
    expect(sheet.locator("#save-state")).to_have_text("not saved")
    assert set(Draft.objects.get().ratings) == {"0"}
    press(sheet, "3")
    expect(sheet.locator("#save-state")).to_have_text("saved")
    expect(sheet.locator("#refused")).to_be_empty()
    assert set(Draft.objects.get().ratings) == {"0", "1"}
    complaints.clear()  # the browser reports the connection that failed and the 409 by itself


def test_a_save_that_is_refused_is_not_sent_on_to_the_sign_in_form(sheet: Page) -> None:
    """Which sends those who have signed in meanwhile back where they came from: to save, with a GET."""
    name = settings.SESSION_COOKIE_NAME
    [session] = [cookie for cookie in sheet.context.cookies() if cookie["name"] == name]
    came: list[str] = []

    def note(environ: dict[str, str], **_: object) -> None:
        came.append(environ["PATH_INFO"])

    request_started.connect(note)
    sheet.context.clear_cookies(name=name)
    press(sheet, "3")
    expect(sheet.locator("#refused")).to_contain_text("You are signed out")
    in_while(sheet)
    assert [path.rsplit("/", 2)[-2] for path in came] == ["draft"]
    request_started.disconnect(note)
    sheet.context.add_cookies([session])  # type: ignore[list-item]
    sheet.reload()
    expect(sheet.locator("[name='rating-0'][value='1']")).to_be_checked()
    expect(sheet.locator("#save-state")).to_have_text("saved")


# --- pages that renew themselves -------------------------------------------------------------------------------------


def test_news_do_not_replace_a_button_that_is_being_pressed(desk: Page, project: Project) -> None:
    run = make_run(project, endpoint=project.judge, state=WorkState.RUNNING, total=2)
    desk.goto(reverse("run", args=[project.slug, run.code]))
    desk.get_by_role("button", name="Pause").hover()
    with desk.expect_response("**/?part=live"):
        desk.mouse.down()
    with desk.expect_response("**/?part=live"):
        pass  # by now the page has done what it does with the first
    desk.mouse.up()
    expect(desk.get_by_role("button", name="Resume")).to_be_visible()
    run.refresh_from_db()
    assert run.state == WorkState.PAUSED


def test_a_button_keeps_the_focus_when_news_come(desk: Page, project: Project) -> None:
    run = make_run(project, endpoint=project.judge, state=WorkState.RUNNING, total=2)
    desk.goto(reverse("run", args=[project.slug, run.code]))
    desk.get_by_role("button", name="Pause").focus()
    Run.objects.update(calls=7)
    expect(desk.locator("#live", has_text="calls").locator("dd", has_text="7")).to_be_visible()
    expect(desk.get_by_role("button", name="Pause")).to_be_focused()


def test_leaving_the_search_box_for_a_row_does_not_renew_the_rows(desk: Page, project: Project) -> None:
    """Or the link would be replaced between the two halves of the click."""
    make_solution(project)
    make_solution(project, source_id="needle-7")
    desk.goto(reverse("solutions", args=[project.slug]))
    desk.get_by_role("searchbox").fill("needle")
    expect(desk.locator("tbody tr")).to_have_count(1)
    held = Held(desk, "**/solutions/?**")
    desk.locator("tbody a").hover()
    desk.mouse.down()
    in_while(desk)
    desk.mouse.up()
    expect(desk.get_by_role("heading", name="needle-7")).to_be_visible()
    assert not held.kept


def test_the_first_count_of_an_export_does_not_replace_a_later_one(desk: Page, project: Project) -> None:
    make_solution(project)
    held = Held(desk, "**/exports/?part=preview")
    desk.goto(reverse("exports", args=[project.slug]))
    held.wait()
    desk.get_by_label("Format").select_option("preference")
    in_while(desk)
    held.release()
    expect(desk.locator("#preview")).to_contain_text("0 rows of 0 pairs")
    in_while(desk)
    expect(desk.locator("#preview")).to_contain_text("0 rows of 0 pairs")


# --- forms that are sent by hand -------------------------------------------------------------------------------------


def test_pressing_start_twice_starts_one_run(desk: Page, project: Project) -> None:
    make_solution(project)
    desk.goto(reverse("new_run", args=[project.slug]))
    held = Held(desk, "**/runs/start/")
    desk.get_by_role("button", name="Start").focus()
    press(desk, "Enter")
    held.wait()
    press(desk, "Enter")
    in_while(desk)
    assert len(held.kept) == 1
    held.release()
    expect(desk.get_by_role("heading", name="Judge run")).to_be_visible()
    assert Run.objects.count() == 1


def test_pressing_load_twice_loads_a_file_once(desk: Page, project: Project, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(orjson.dumps({"id": "1", "problem": "What is 1 + 1?", "steps": ["Add.", "2."]}))
    desk.goto(reverse("intakes", args=[project.slug]))
    desk.get_by_label("Drop a file here").set_input_files(file)
    expect(desk.locator("#look")).to_contain_text("Looks like native")
    held = Held(desk, "**/upload/")
    desk.get_by_role("button", name="Load").focus()
    press(desk, "Enter")
    held.wait()
    press(desk, "Enter")
    in_while(desk)
    assert len(held.kept) == 1
    held.release()
    expect(desk.get_by_role("heading", name="rows.jsonl")).to_be_visible()
    assert Intake.objects.count() == 1


def test_a_form_can_be_sent_again_after_coming_back(desk: Page, project: Project) -> None:
    make_solution(project)
    for number in (1, 2):
        desk.goto(reverse("new_run", args=[project.slug]))
        desk.get_by_role("button", name="Start").click()
        expect(desk.get_by_role("heading", name="Judge run")).to_be_visible()
        assert Run.objects.count() == number
        Run.objects.update(state=WorkState.CANCELLED)
        desk.go_back()
