"""Projects, settings, solutions, runs, intake, quality: what the pages say and do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from annotator.models import (
    Intake,
    Project,
    Refusal,
    Role,
    Run,
    RunItem,
    Solution,
    WorkState,
)
from tests.factories import (
    make_annotation,
    make_endpoint,
    make_intake,
    make_judgement,
    make_person,
    make_posterior,
    make_problem,
    make_project,
    make_rollouts,
    make_run,
    make_score,
    make_solution,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    return make_project(judge=make_endpoint(), completer=make_endpoint("completer"))


@pytest.fixture
def client(project: Project) -> Client:
    client = Client()
    client.force_login(make_person("mia", project=project, role=Role.MANAGER))
    return client


def text(response: Any) -> str:
    return str(response.content.decode())


def at(name: str, project: Project, *more: Any) -> str:
    return reverse(name, args=[project.slug, *more])


# --- projects ------------------------------------------------------------------------------------------------------


def test_the_list_holds_ones_own_projects_and_archived_ones_apart(client: Client, project: Project) -> None:
    make_project(name="Elsewhere")
    project.archive()
    page = text(client.get(reverse("projects")))
    assert "Elsewhere" not in page
    assert page.index("<h2>Archived</h2>") < page.index(project.name)


def test_a_new_project_takes_its_short_name_from_its_name() -> None:
    staff = Client()
    staff.force_login(make_person(staff=True))
    response = staff.post(reverse("new_project"), {"name": "Word problems, 2nd round"})
    assert response["Location"] == reverse("intakes", args=["word-problems-2nd-round"])
    again = staff.post(reverse("new_project"), {"name": "Word problems, 2nd round"})
    assert again.status_code == 422


def test_the_overview_says_what_needs_doing_in_at_most_three_lines(client: Client, project: Project) -> None:
    make_solution(project)
    make_run(project, state=WorkState.PAUSED, detail="out of budget")
    page = text(client.get(at("project", project)))
    assert "out of budget" in page
    assert "no machine has looked at" in page
    assert page.count('<li><a href="') <= 3


def test_the_list_of_runs_takes_as_many_queries_however_many_there_are(
    client: Client, project: Project, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for state in ("done", "failed", "waiting") * 6:
        RunItem.objects.create(run=make_run(project), solution=make_solution(project), state=state)
    with django_assert_max_num_queries(14):
        page = client.get(at("runs", project))
    assert [row["progress"].waiting for row in page.context["rows"]][:3] == [1, 0, 0]


def test_a_setting_out_of_range_is_refused_at_its_field(client: Client, project: Project) -> None:
    where = at("project_settings", project)
    initial = client.get(where).context["form"].initial
    form = {name: "" if value is None else value for name, value in initial.items()}
    response = client.post(where, form | {"threshold": 1.2})
    assert response.status_code == 422
    assert 'aria-invalid="true"' in text(response)
    assert client.post(where, form | {"threshold": 0.8, "overlap": 2}).status_code == 302
    project.refresh_from_db()
    assert (project.threshold, project.overlap) == (0.8, 2)


def test_new_rules_start_a_route_run_and_the_page_says_so(client: Client, project: Project) -> None:
    make_solution(project)
    make_solution(project, status="queued")
    where = at("project_settings", project)
    form = {name: "" if value is None else value for name, value in client.get(where).context["form"].initial.items()}
    assert "route run" not in text(client.post(where, form | {"description": "Ducks"}, follow=True))
    assert "decides again on 1 solution with" in text(client.post(where, form | {"overlap": 2}, follow=True))
    assert Run.objects.get().kind == "route"


def test_an_archived_project_can_be_taken_out_again(client: Client, project: Project) -> None:
    for put, archived in (("away", True), ("back", False)):
        client.post(at("archive", project), {"put": put})
        project.refresh_from_db()
        assert (project.archived_at is not None) is archived


def test_every_page_of_a_project_on_the_simulator_says_so(client: Client, project: Project) -> None:
    project.judge = make_endpoint(simulated=True)
    project.save()
    for name in ("project", "solutions", "runs", "new_run", "quality", "project_settings"):
        assert "built-in simulator" in text(client.get(at(name, project))), name


# --- solutions -----------------------------------------------------------------------------------------------------


def test_search_and_filters_stay_in_the_address_and_narrow_the_list(client: Client, project: Project) -> None:
    make_solution(problem=make_problem(project, "Ducks lay eggs."), status="queued")
    make_solution(problem=make_problem(project, "Trains leave stations."))
    page = client.get(at("solutions", project), {"q": "ducks", "status": "queued"})
    assert page.context["count"] == 1
    assert "Ducks lay eggs." in text(page)
    assert "None matches" in text(client.get(at("solutions", project), {"q": "ducks", "status": "new"}))


def test_older_and_newer_walk_through_all_solutions_once(client: Client, project: Project) -> None:
    problem = make_problem(project)
    made = [make_solution(problem=problem, steps=1).code for _ in range(103)]
    where, seen = "", []
    while True:
        page = client.get(f"{at('solutions', project)}?{where}").context["page"]
        seen += [row.code for row in page.rows]
        if not page.older:
            break
        where = page.older
    assert seen == made[::-1]
    back = client.get(f"{at('solutions', project)}?{page.newer}").context["page"]
    assert [row.code for row in back.rows] == made[::-1][50:100]


def test_the_list_asks_the_database_as_often_for_many_as_for_one(
    client: Client, project: Project, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(30):
        solution = make_solution(project)
        make_posterior(solution, [0.1, 0.6, 0.1, 0.1, 0.1])
    with django_assert_max_num_queries(21):
        client.get(at("solutions", project))


def full_of_opinions(project: Project, steps: int = 4) -> Solution:
    solution = make_solution(project, steps=steps)
    make_judgement(solution, 1, reason="9 × 2 is <b>18</b>")
    make_rollouts(solution, 1, right=7, wrong=1)
    make_rollouts(solution, 2, right=1, wrong=7, unknown=1)
    make_score(solution, [0.5] * steps)
    make_posterior(solution, [0.9 if i == 1 else 0.1 / steps for i in range(steps + 1)])
    make_annotation(solution, make_person("ana").rater, "1", "-1", comment="See <script>alert(1)</script>")
    return solution


def test_a_solution_shows_what_was_said_by_whom_and_runs_none_of_it(client: Client, project: Project) -> None:
    page = text(client.get(at("solution", project, full_of_opinions(project).code)))
    for words in ("7/8", "1/8", "1 could not be graded", "ana", "test/judge", "first error at step 2", "test/prm"):
        assert words in page, words
    assert "9 × 2 is &lt;b&gt;18&lt;/b&gt;" in page
    assert "<script>alert" not in page


def test_a_solution_of_500_steps_takes_as_many_queries_as_one_of_four(
    client: Client, project: Project, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    solution = full_of_opinions(project, steps=500)
    with django_assert_max_num_queries(35):
        assert text(client.get(at("solution", project, solution.code))).count('id="step-') == 500


# --- runs ----------------------------------------------------------------------------------------------------------


def test_the_estimate_changes_with_the_choices_and_says_why_there_is_none(client: Client, project: Project) -> None:
    make_solution(project)
    fragment = client.get(at("new_run", project), {"part": "estimate", "kind": "judge", "votes": 3})
    assert fragment.context["estimate"].calls == 3
    none = client.get(at("new_run", project), {"part": "estimate", "kind": "score"})
    assert "no scorer" in text(none)
    refused = client.get(at("new_run", project), {"part": "estimate", "kind": "search", "alpha": 7})
    assert refused.context["problem"].startswith("alpha: must be")


def test_try_on_five_takes_five(client: Client, project: Project) -> None:
    problem = make_problem(project)
    for _ in range(7):
        make_solution(problem=problem)
    response = client.post(at("start_run", project), {"kind": "judge", "try": "5"})
    run = Run.objects.get()
    assert response["Location"] == at("run", project, run.code)
    assert RunItem.objects.filter(run=run).count() == 5


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ({"kind": "judge"}, "no solution that is selected lacks this evidence"),
        ({"kind": "judge", "try": "5"}, "no solution that is selected lacks this evidence"),
        ({"kind": "search"}, "no problem that is selected is still to be searched"),
        ({"kind": "route"}, "no solution is selected"),
        ({"kind": "judge", "again": "on"}, "no solution is selected"),
    ],
)
def test_a_run_with_nothing_to_do_is_not_started_and_says_why(
    client: Client, project: Project, form: dict[str, str], why: str
) -> None:
    project.completer = make_endpoint("completer")
    project.save()
    response = client.post(at("start_run", project), form)
    assert response.status_code == 422
    assert f"Not started: {why}." in text(response)
    assert f"{why[0].upper()}{why[1:]}." in text(client.get(at("new_run", project), {"part": "estimate", **form}))
    assert not Run.objects.exists()


def test_a_run_whose_solutions_are_all_left_out_starts_for_they_go_to_people(client: Client, project: Project) -> None:
    project.completer = make_endpoint("completer")
    project.save()
    make_solution(problem=make_problem(project, answer=None))
    assert client.post(at("start_run", project), {"kind": "rollouts"}).status_code == 302
    assert Run.objects.get().total == 1


def test_a_live_run_asks_again_and_an_ended_one_does_not(client: Client, project: Project) -> None:
    run = make_run(project, state=WorkState.RUNNING, endpoint=project.judge)
    assert 'hx-trigger="every 2s"' in text(client.get(at("run", project, run.code)))
    client.post(at("change_run", project, run.code, "pause"))
    run.refresh_from_db()
    assert run.state == WorkState.PAUSED
    assert 'hx-trigger="every 2s"' not in text(client.get(at("run", project, run.code), {"part": "live"}))


def test_a_run_says_in_words_what_it_was_narrowed_to(client: Client, project: Project) -> None:
    chosen = {"selection": {"status": "queued", "limit": 1000, "again": True}, "votes": 3, "model": "test/judge"}
    page = text(client.get(at("run", project, make_run(project, config=chosen).code)))
    assert "waiting for people, at most 1,000, also those that had been looked at" in page
    assert "votes 3" in page
    assert "model test/judge" not in page


def test_an_ended_run_says_what_came_of_its_solutions(client: Client, project: Project) -> None:
    run = make_run(project, state=WorkState.DONE)
    for status, state in (("machine", "done"), ("machine", "done"), ("queued", "done"), ("new", "failed")):
        RunItem.objects.create(run=run, solution=make_solution(project, status=status), state=state)
    page = text(client.get(at("run", project, run.code)))
    assert f'{at("solutions", project)}?status=machine">2 labelled by machines</a>' in page
    assert f'{at("solutions", project)}?status=queued">1 waiting for people</a>' in page
    assert "not decided" not in page


def test_pausing_what_has_ended_is_a_conflict_in_words(client: Client, project: Project) -> None:
    run = make_run(project, state=WorkState.DONE)
    response = client.post(at("change_run", project, run.code, "pause"))
    assert response.status_code == 409
    assert "the run is done" in text(response)


# --- intake --------------------------------------------------------------------------------------------------------

ROW = b'{"id": "a", "problem": "What is 1 + 1?", "steps": ["It is 2."], "answer": "2"}\n'


@pytest.fixture
def files(settings: Any, tmp_path: Path) -> Path:
    settings.STEPWISE_FILES = tmp_path
    return tmp_path


def test_an_uploaded_file_is_kept_and_its_format_guessed(client: Client, project: Project, files: Path) -> None:
    upload = {"file": SimpleUploadedFile("rows.jsonl", ROW), "labels_as": "evidence"}
    response = client.post(at("upload", project), upload)
    intake = Intake.objects.get()
    assert response["Location"] == at("intake", project, intake.code)
    assert (intake.format, intake.name, intake.options["labels_as"]) == ("native", "rows.jsonl", "evidence")
    assert Path(intake.path).read_bytes() == ROW


def test_a_file_that_looks_like_nothing_is_refused_before_it_is_kept(
    client: Client, project: Project, files: Path
) -> None:
    response = client.post(at("upload", project), {"file": SimpleUploadedFile("rows.jsonl", b"hello\n")})
    assert response.status_code == 422
    assert "choose one" in text(response)
    assert not Intake.objects.exists()


def test_the_first_rows_are_shown_before_anything_is_loaded(client: Client, project: Project) -> None:
    page = text(client.post(at("look", project), {"head": SimpleUploadedFile("rows.jsonl", ROW)}))
    assert "native" in page
    assert "What is 1 + 1?" in page
    assert not Intake.objects.exists()


def test_refused_rows_are_grouped_by_reason_and_come_as_csv(client: Client, project: Project) -> None:
    intake = make_intake(project, rows_refused=3)
    for line in (3, 5, 9):
        Refusal.objects.create(intake=intake, line=line, field="steps", reason="is an empty list", excerpt="{}")
    page = text(client.get(at("intake", project, intake.code)))
    assert page.count("is an empty list") == 1
    response = client.get(at("refusals_csv", project, intake.code))
    body = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    assert body.splitlines()[1] == "3,steps,is an empty list,{}"


def test_a_refused_row_is_no_formula_in_a_spreadsheet(client: Client, project: Project) -> None:
    intake = make_intake(project)
    Refusal.objects.create(intake=intake, line=1, reason="is not JSON", excerpt='=HYPERLINK("http://x")')
    response = client.get(at("refusals_csv", project, intake.code))
    body = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    assert "\"'=HYPERLINK(" in body


def test_a_withdrawn_intake_takes_its_solutions_out(client: Client, project: Project) -> None:
    intake = make_intake(project)
    make_solution(project, intake=intake)
    client.post(at("withdraw", project, intake.code))
    assert not Solution.objects.live().filter(project=project).exists()
    assert "withdrawn" in text(client.get(at("intake", project, intake.code)))


# --- quality -------------------------------------------------------------------------------------------------------


def test_an_open_quality_page_stays_still_until_something_changes(client: Client, project: Project) -> None:
    where = at("quality", project)
    seen = client.get(where).context["seen"]
    assert client.get(where, {"seen": seen}).status_code == 204
    make_solution(project)
    changed = client.get(where, {"seen": seen})
    assert changed.status_code == 200
    assert "<html" not in text(changed)


def test_a_figures_table_comes_as_csv_and_an_unknown_one_not_at_all(client: Client, project: Project) -> None:
    assert text(client.get(at("quality_csv", project, "progress"))).startswith("day,by people,")
    assert client.get(at("quality_csv", project, "nonsense")).status_code == 404
