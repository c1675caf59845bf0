"""Managers' pages in a real browser: live fragments, accessibility, every character of the stress rows."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from annotator import intake
from annotator.models import Audit, Intake, Person, Project, Role, Run, RunItem, Solution, Step, WorkState
from annotator.settlement import settle_imported
from reasoning.characters import unescape
from tests.browser.accessibility import assert_accessible
from tests.factories import (
    make_annotation,
    make_endpoint,
    make_intake,
    make_judgement,
    make_person,
    make_posterior,
    make_project,
    make_rollouts,
    make_run,
    make_solution,
)

pytestmark = pytest.mark.django_db(transaction=True)
SignIn = Callable[[Person], Page]
STRESS = Path(__file__).resolve().parents[3] / "shared" / "data" / "stress_cases.public.jsonl"
WIDTHS = (1280, 360)


@pytest.fixture
def project() -> Project:
    return make_project(judge=make_endpoint(simulated=True), completer=make_endpoint("completer"))


@pytest.fixture
def desk(project: Project, sign_in: SignIn) -> Page:
    """The browser of somebody who manages the project and runs the installation."""
    return sign_in(make_person("mia", project=project, role=Role.MANAGER, staff=True))


def fill(project: Project) -> dict[str, str]:
    """One of everything; codes of what has a page of its own."""
    ana = make_person("ana", project=project)
    loaded = make_intake(project, rows_read=2, rows_new=2)
    for first_error in (1, -1, 2):
        solution = make_solution(project, intake=loaded, steps=["Put $x = 2$.", "So $$x^2 = 5$$", "and 7.", "Done."])
        make_judgement(solution, first_error)
        make_rollouts(solution, 1, right=6, wrong=2)
        make_posterior(solution, [0.05, 0.8, 0.05, 0.05, 0.05])
        make_annotation(solution, ana.rater, "1", "-1", comment="See step 2.")
        settle_imported(solution, first_error, None, loaded)
    run = make_run(project, endpoint=project.judge, state=WorkState.PAUSED, detail="out of budget", total=1)
    RunItem.objects.create(run=run, solution=solution, state="failed", detail="the reply held no JSON")
    return {"solution": solution.code, "run": run.code, "intake": loaded.code}


def waiting_audit(project: Project) -> Solution:
    """Its page hides what machines say."""
    solution = make_solution(project, status="queued")
    make_posterior(solution, [0.05, 0.8, 0.05, 0.05, 0.05])
    Audit.objects.create(project=project, solution=solution, share=0.05)
    return solution


def test_every_page_is_accessible_and_fits_its_width(desk: Page, project: Project) -> None:
    codes = fill(project)
    names = ["project", "project_settings", "project_people", "intakes", "solutions", "runs", "new_run"]
    addresses = [reverse(name, args=[project.slug]) for name in (*names, "exports", "quality")]
    addresses += [reverse(name, args=[project.slug, code]) for name, code in codes.items()]
    addresses += [reverse(name) for name in ("projects", "new_project", "endpoints", "people", "tokens")]
    assert project.judge is not None
    addresses.append(reverse("endpoint", args=[project.judge.code]))
    addresses.append(reverse("solution", args=[project.slug, waiting_audit(project).code]))
    for address in addresses:
        for width in WIDTHS:
            desk.set_viewport_size({"width": width, "height": 900})
            desk.goto(address)
            assert desk.evaluate("document.documentElement.scrollWidth") <= width, f"{address} at {width}"
        assert_accessible(desk)


def test_a_run_moves_on_the_open_page_without_a_reload(desk: Page, project: Project) -> None:
    run = make_run(project, endpoint=project.judge, state=WorkState.RUNNING, total=2)
    items = [RunItem.objects.create(run=run, solution=make_solution(project)) for _ in range(2)]
    desk.goto(reverse("run", args=[project.slug, run.code]))
    expect(desk.locator("#live")).to_contain_text("0 of 2")
    desk.evaluate("window.same = true")
    RunItem.objects.filter(pk=items[0].pk).update(state="done")
    expect(desk.locator("#live")).to_contain_text("1 of 2")
    RunItem.objects.filter(pk=items[1].pk).update(state="failed", detail="429: slow down")
    Run.objects.filter(pk=run.pk).update(state=WorkState.DONE)
    expect(desk.locator("#live")).to_contain_text("429: slow down")
    expect(desk.get_by_role("button", name="Try the failed ones again")).to_be_visible()
    assert desk.evaluate("window.same")


def test_the_estimate_follows_the_choices(desk: Page, project: Project) -> None:
    make_solution(project)
    desk.goto(reverse("new_run", args=[project.slug]))
    expect(desk.locator("#estimate")).to_contain_text("about 1")
    desk.get_by_text("Options").click()
    expect(desk.get_by_label("Price of a rollout")).to_be_hidden()
    desk.get_by_label("Votes").fill("4")
    expect(desk.locator("#estimate")).to_contain_text("about 4")
    desk.get_by_label("Route").check()
    expect(desk.locator("#estimate")).to_contain_text("none")
    expect(desk.get_by_label("Votes")).to_be_hidden()


def test_a_dropped_file_shows_its_first_rows_and_is_loaded(desk: Page, project: Project, tmp_path: Path) -> None:
    rows = [{"id": str(i), "problem": f"What is {i} + 1?", "steps": ["Add.", "Done."]} for i in range(3)]
    file = tmp_path / "rows.jsonl"
    file.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    desk.goto(reverse("intakes", args=[project.slug]))
    desk.get_by_label("Drop a file here").set_input_files(file)
    expect(desk.locator("#look")).to_contain_text("Looks like native")
    expect(desk.locator("#look")).to_contain_text("What is 0 + 1?")
    desk.get_by_role("button", name="Load").click()
    expect(desk.get_by_role("heading", name="rows.jsonl")).to_be_visible()
    intake.read(Intake.objects.get().pk)
    expect(desk.locator("#live")).to_contain_text("done")
    expect(desk.locator("#live")).to_contain_text("3")


def test_withdrawing_asks_once_by_name(desk: Page, project: Project) -> None:
    loaded = make_intake(project, name="spring.jsonl")
    make_solution(project, intake=loaded)
    desk.goto(reverse("intake", args=[project.slug, loaded.code]))
    desk.get_by_text("Withdraw …").click()
    expect(desk.get_by_text("Withdraw “spring.jsonl” and all its solutions?")).to_be_visible()
    desk.get_by_role("button", name="Withdraw spring.jsonl").click()
    expect(desk.locator("#live")).to_contain_text("withdrawn")
    assert not Solution.objects.live().exists()


def test_the_search_narrows_the_list_while_typing_and_stays_in_the_address(desk: Page, project: Project) -> None:
    for _ in range(3):
        make_solution(project)
    wanted = make_solution(project, source_id="needle-7")
    desk.goto(reverse("solutions", args=[project.slug]))
    expect(desk.locator("tbody tr")).to_have_count(4)
    desk.get_by_role("searchbox").press_sequentially("needle")
    expect(desk.locator("tbody tr")).to_have_count(1)
    expect(desk).to_have_url(re.compile("q=needle"))
    expect(desk.get_by_role("searchbox")).to_be_focused()
    expect(desk.locator("#count")).to_have_text("1")
    desk.locator("tbody a").click()
    expect(desk).to_have_url(re.compile(wanted.code))


def test_the_pages_work_without_scripts(browser: Any, project: Project, live_server: Any, desk: Page) -> None:
    make_solution(project, source_id="needle-7")
    state = desk.context.storage_state()
    plain = browser.new_context(java_script_enabled=False, storage_state=state, base_url=live_server.url).new_page()
    plain.goto(reverse("solutions", args=[project.slug]))
    plain.get_by_role("searchbox").fill("needle")
    plain.get_by_role("button", name="Filter").click()
    expect(plain.locator("tbody tr")).to_have_count(1)
    plain.goto(reverse("new_run", args=[project.slug]))
    plain.get_by_role("button", name="Try on five").click()
    expect(plain.get_by_role("heading", name="Judge run")).to_be_visible()
    plain.context.close()


DRAWN = ".katex-html, .katex-mathml mrow, .katex-mathml semantics > :not(annotation)"
"""What KaTeX draws of a formula; its source stands beside it, in the annotation."""


def characters(place: str) -> str:
    """A script for what a reader finds by searching in each such element."""
    return f"""[...document.querySelectorAll({place!r})].map((one) => {{
        const copy = one.cloneNode(true);
        copy.querySelectorAll({DRAWN!r}).forEach((drawn) => drawn.remove());
        return copy.textContent;
    }})"""


def test_the_60_stress_rows_render_whole_and_run_nothing(desk: Page, project: Project) -> None:
    if not STRESS.exists():
        pytest.skip(f"{STRESS} is not on this machine")
    intake.load(STRESS, project, "native", {}, None)
    solutions = list(Solution.objects.filter(project=project).select_related("problem").order_by("pk"))
    assert len(solutions) == 60
    for solution in solutions:
        desk.goto(reverse("solution", args=[project.slug, solution.code]))
        whole = unescape(solution.text)
        steps = [whole[row.start : row.end] for row in Step.objects.filter(solution=solution)]
        expect(desk.locator(".steps-list > li")).to_have_count(len(steps))
        assert desk.evaluate(characters(".steps-list [data-maths]")) == steps, solution
        assert desk.evaluate(characters(".problem [data-maths]")) == [unescape(solution.problem.statement)], solution
        assert desk.evaluate("[...document.querySelectorAll('main script, main img, main iframe')].length") == 0


def test_what_an_export_would_hold_follows_the_choices(desk: Page, project: Project) -> None:
    fill(project)
    desk.goto(reverse("exports", args=[project.slug]))
    expect(desk.locator("#preview")).to_contain_text("3 rows of 3 solutions")
    desk.get_by_label("At least").select_option("human")
    expect(desk.locator("#preview")).to_contain_text("0 rows of 3 solutions")
    desk.get_by_text("Options").click()
    desk.get_by_label("Neutral steps").select_option("drop")
    desk.get_by_label("Format").select_option("trl")
    expect(desk.get_by_label("Neutral steps").locator("option")).to_have_count(4)
    expect(desk.get_by_label("Neutral steps")).to_have_value("drop")
    desk.get_by_label("Format").select_option("preference")
    expect(desk.locator("#preview")).to_contain_text("0 rows of 0 pairs")
    expect(desk.get_by_label("Neutral steps")).to_have_count(0)


def test_new_figures_replace_old_ones_and_leave_tables_as_the_reader_had_them(desk: Page, project: Project) -> None:
    fill(project)
    desk.goto(reverse("quality", args=[project.slug]))
    expect(desk.locator("#positions canvas")).to_be_visible()
    tables = desk.locator("#positions details")
    expect(tables).to_have_attribute("open", "")
    desk.locator("#positions summary").click()
    make_solution(project)
    desk.evaluate("htmx.trigger('#figures', 'refresh')")
    expect(desk.locator("#progress")).to_contain_text("of 4 solutions")
    expect(tables).not_to_have_attribute("open", "")
    expect(desk.locator("#positions canvas")).to_be_visible()
