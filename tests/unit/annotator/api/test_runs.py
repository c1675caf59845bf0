"""Runs: started, watched, moved. What they do is tested with preannotation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from annotator.models import Project, Run, RunItem, RunItemState, RunKind, WorkState
from annotator.votes import votes_of
from tests import factories as make
from tests.unit.annotator.api.caller import Caller, fields_of, json_of, problem_of


@pytest.fixture
def project(db: None) -> Project:
    judge = make.make_endpoint("judge", prompt_price=1.0, completion_price=2.0, simulated=True)
    return make.make_project(judge=judge, completer=make.make_endpoint("completer"))


def started(manager: Caller, project: Project, **body: Any) -> Run:
    answer = json_of(manager.post(f"projects/{project.slug}/runs/", {"kind": "judge", **body}), 202)
    assert answer["id"] == answer["code"]
    return Run.objects.get(code=answer["id"])


def test_a_run_without_a_selection_takes_the_solutions_that_lack_its_evidence(
    manager: Caller, project: Project
) -> None:
    assert project.judge is not None
    looked_at, fresh = make.make_solution(project), make.make_solution(project)
    votes = votes_of(project, project.judge, {})
    make.make_judgement(looked_at, -1, prompt=votes.asked.prompt, parameters=votes.parameters)
    run = started(manager, project)
    assert [item.solution for item in RunItem.objects.filter(run=run)] == [fresh]
    assert run.created_by == manager.person


@pytest.mark.parametrize("kind", ["judge", "rollouts", "route"])
def test_each_kind_of_run_starts(kind: str, manager: Caller, project: Project) -> None:
    make.make_solution(project)
    run = started(manager, project, kind=kind, selection={"limit": 5})
    told = json_of(manager.get(f"runs/{run.code}/"))
    assert (told["code"], told["kind"], told["state"]) == (run.code, kind, "queued")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"kind": "judge"}, "no solution that is selected lacks this evidence"),
        ({"kind": "search"}, "no problem that is selected is still to be searched"),
        ({"kind": "route"}, "no solution is selected"),
        ({"kind": "judge", "selection": {"ids": ["none"]}}, "no solution is selected"),
    ],
)
def test_a_run_with_nothing_to_do_is_done_at_once_and_says_so(
    manager: Caller, project: Project, body: dict[str, Any], why: str
) -> None:
    told = json_of(manager.get(f"runs/{started(manager, project, **body).code}/"))
    assert (told["state"], told["detail"], told["progress"]["total"]) == ("done", f"nothing to do: {why}", 0)
    for move in ("pause", "cancel"):
        problem_of(manager.post(f"runs/{told['code']}/{move}/"), 409)


def test_a_run_tells_progress_cost_and_what_failed(manager: Caller, project: Project) -> None:
    solutions = [make.make_solution(project) for _ in range(4)]
    run = started(manager, project)
    items = RunItem.objects.filter(run=run).order_by("pk")
    for item, state in zip(items, ("done", "failed", "failed", "waiting"), strict=True):
        RunItem.objects.filter(pk=item.pk).update(state=state, detail="no reply" if state == "failed" else "")
    Run.objects.filter(pk=run.pk).update(state="running", calls=3, prompt_tokens=30, completion_tokens=9, cost=0.25)
    told = json_of(manager.get(f"runs/{run.code}/"))
    progress = told["progress"]
    assert (progress["total"], progress["done"], progress["failed"], progress["waiting"]) == (4, 1, 2, 1)
    assert told["cost"] == {"calls": 3, "rollouts": 0, "prompt_tokens": 30, "completion_tokens": 9, "money": 0.25}
    [failure] = told["failures"]
    assert (failure["reason"], failure["count"], failure["skipped"]) == ("no reply", 2, False)
    assert set(failure["examples"]) == {solutions[1].code, solutions[2].code}
    assert told["simulated"] is True


def test_an_estimate_starts_nothing(manager: Caller, project: Project) -> None:
    make.make_solution(project)
    estimate = json_of(manager.post(f"projects/{project.slug}/runs/estimate/", {"kind": "judge"}))
    assert (estimate["solutions"], estimate["calls"]) == (1, 1)
    assert estimate["cost"] > 0
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "kind"),
        ({"kind": "guess"}, "kind"),
        ({"kind": "judge", "limit": 5}, "limit"),
        ({"kind": "judge", "selection": []}, "selection"),
        ({"kind": "judge", "selection": {"state": "new"}}, "selection.state"),
        ({"kind": "judge", "selection": {"status": "old"}}, "selection.status"),
        ({"kind": "judge", "selection": {"limit": 0}}, "selection.limit"),
        ({"kind": "judge", "selection": {"limit": 10**30}}, "selection.limit"),
        ({"kind": "judge", "selection": {"ids": "abc"}}, "selection.ids"),
        ({"kind": "judge", "selection": {"ids": ["\0"]}}, "selection.ids"),
        ({"kind": "judge", "selection": {"intake": "\ud800"}}, "selection.intake"),
        ({"kind": "judge", "selection": {"again": "\0"}}, "selection.again"),
        ({"kind": "judge", "config": {"votes": 0}}, "config.votes"),
        ({"kind": "judge", "config": {"voices": 1}}, "config.voices"),
        ({"kind": "rollouts", "config": {"spend": "steps"}}, "config.spend"),
        ({"kind": "judge", "seed": -1}, "seed"),
    ],
)
def test_a_run_that_cannot_be_names_the_field(
    body: dict[str, Any], field: str, manager: Caller, project: Project
) -> None:
    assert fields_of(manager.post(f"projects/{project.slug}/runs/", body)) == [field]
    assert not Run.objects.exists()


def test_a_project_without_a_machine_says_what_to_set(manager: Caller, project: Project) -> None:
    Project.objects.filter(pk=project.pk).update(judge=None)
    assert "judge" in problem_of(manager.post(f"projects/{project.slug}/runs/", {"kind": "judge"}), 409)["detail"]


def test_a_run_pauses_goes_on_and_is_cancelled_for_good(manager: Caller, project: Project) -> None:
    make.make_solution(project)
    run = started(manager, project)
    states = [json_of(manager.post(f"runs/{run.code}/{move}/"))["state"] for move in ("pause", "resume", "cancel")]
    assert states == ["paused", "queued", "cancelled"]
    for move in ("pause", "resume", "cancel"):
        assert "cancelled" in problem_of(manager.post(f"runs/{run.code}/{move}/"), 409)["detail"]
    problem_of(manager.post(f"runs/{run.code}/explode/"), 404)


def test_runs_are_listed_newest_first(manager: Caller, project: Project) -> None:
    runs = [make.make_run(project, state=WorkState.DONE) for _ in range(3)]
    listed = json_of(manager.get(f"projects/{project.slug}/runs/?page_size=2"))
    assert [row["code"] for row in listed["results"]] == [runs[2].code, runs[1].code]
    assert [row["code"] for row in json_of(manager.get(listed["next"]))["results"]] == [runs[0].code]


def test_the_states_of_items_are_those_that_progress_counts() -> None:
    assert set(RunItemState.values) == {"waiting", "done", "failed", "skipped"}


def test_a_search_takes_each_problem_of_the_selection_once(manager: Caller, project: Project) -> None:
    problem = make.make_problem(project)
    first, _ = make.make_solution(problem=problem), make.make_solution(problem=problem)
    other, unanswered = make.make_solution(project), make.make_solution(problem=make.make_problem(project, answer=None))
    run = started(manager, project, kind="search", config={"selections": 3, "alpha": 0.7, "length": 300})
    items = {item.solution: item for item in RunItem.objects.filter(run=run).select_related("solution")}
    assert items.keys() == {first, other, unanswered}
    assert (items[unanswered].state, items[unanswered].detail) == ("skipped", "the problem has no reference answer")
    told = json_of(manager.get(f"runs/{run.code}/"))
    assert told["yielded"] == {"selections": 0, "solutions": 0, "preferences": 0}


def test_a_search_is_not_made_again_of_what_one_has_looked_into(manager: Caller, project: Project) -> None:
    solution, fresh = make.make_solution(project), make.make_solution(project)
    earlier = started(manager, project, kind="search", selection={"ids": [solution.code]})
    RunItem.objects.filter(run=earlier).update(state="done")
    again = started(manager, project, kind="search", selection={"again": True})
    assert RunItem.objects.filter(run=again).count() == 2
    Run.objects.filter(pk=again.pk).update(state="cancelled")
    assert [item.solution for item in RunItem.objects.filter(run=started(manager, project, kind="search"))] == [fresh]


def test_an_estimate_of_a_search_counts_problems(manager: Caller, project: Project) -> None:
    problem = make.make_problem(project)
    for _ in range(3):
        make.make_solution(problem=problem)
    body = {"kind": "search", "config": {"selections": 2, "root_rollouts": 4}}
    estimate = json_of(manager.post(f"projects/{project.slug}/runs/estimate/", body))
    assert (estimate["solutions"], estimate["unit"], estimate["calls"]) == (1, "problems", 4 + 2 * 12)
    body["config"]["rollouts"] = 10
    assert json_of(manager.post(f"projects/{project.slug}/runs/estimate/", body))["calls"] == 10


@pytest.mark.parametrize(
    "config", [{"alpha": 0}, {"beta": 1.5}, {"selections": 0}, {"rollouts": 2.5}, {"explore": -1}, {"length": "500"}]
)
def test_a_search_refuses_what_is_out_of_its_domain(manager: Caller, project: Project, config: dict[str, Any]) -> None:
    answer = manager.post(f"projects/{project.slug}/runs/", {"kind": "search", "config": config})
    assert fields_of(answer) == [f"config.{next(iter(config))}"]


def test_the_list_takes_as_many_queries_however_many_runs_failed_for_whatever_reasons(
    manager: Caller, project: Project, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    for number in range(6):
        run = make.make_run(project, RunKind.SEARCH)
        for item in range(2 * number):
            run.items.create(
                solution=make.make_solution(project), state="failed" if item % 2 else "skipped", detail=f"reason {item}"
            )
        run.items.create(solution=make.make_solution(project), state="skipped", detail="reason 0")
    with django_assert_max_num_queries(14):
        found = json_of(manager.get(f"projects/{project.slug}/runs/"))["results"]
    assert [len(run["failures"]) for run in found] == [10, 8, 6, 4, 2, 1]
    [first, *_] = found[0]["failures"]
    assert (first["reason"], first["count"], first["skipped"], len(first["examples"])) == ("reason 0", 2, True, 2)
    assert found[0]["yielded"] == {"selections": 0, "solutions": 0, "preferences": 0}
