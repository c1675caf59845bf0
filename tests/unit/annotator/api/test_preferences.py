"""Pairs of steps that searches found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from annotator.models import Audit, Preference, Project, Run, Sighting, Solution
from tests import factories as make
from tests.unit.annotator.api.caller import Caller, fields_of, json_of


@pytest.fixture
def run(project: Project) -> Run:
    return make.make_run(project, "search")


def listed(caller: Caller, project: Project, query: str = "") -> dict[str, Any]:
    return json_of(caller.get(f"projects/{project.slug}/preferences/{query}"))


def test_a_pair_tells_what_both_steps_follow(manager: Caller, project: Project, run: Run) -> None:
    solution = make.make_solution(project, steps=["One.", "Two.", "Three."])
    pair = make.make_preference(solution, run, 2, chosen="Four.", rejected="Three.", simulated=True)
    [row] = listed(manager, project)["results"]
    assert row == {
        "code": pair.code,
        "run": run.code,
        "problem": {"code": solution.problem.code, "statement": solution.problem.statement, "answer": "18"},
        "solution": solution.code,
        "prefix": 2,
        "steps": ["One.", "Two."],
        "chosen": "Four.",
        "rejected": "Three.",
        "chosen_value": 0.9,
        "rejected_value": 0.1,
        "simulated": True,
        "stand_in": False,
    }


def test_pairs_come_in_pages_newest_first_in_as_many_queries_however_many(
    manager: Caller, project: Project, run: Run, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    pairs = [make.make_preference(make.make_solution(project), run) for _ in range(5)]
    make.make_preference(make.make_solution(), make.make_run(make.make_project(), "search"))
    with django_assert_max_num_queries(18):
        first = listed(manager, project, "?page_size=3")
    second = json_of(manager.get(first["next"].split("/api/v1/")[1]))
    assert [row["code"] for row in first["results"] + second["results"]] == [pair.code for pair in reversed(pairs)]
    assert second["next"] is None


def test_pairs_of_one_run_and_none_of_what_was_withdrawn(manager: Caller, project: Project, run: Run) -> None:
    kept, gone = make.make_solution(project), make.make_solution(project)
    for solution in (kept, gone):
        make.make_preference(solution, run)
    make.make_preference(kept, make.make_run(project, "search"), 0)
    Solution.objects.filter(pk=gone.pk).update(withdrawn_at=timezone.now())
    assert [row["solution"] for row in listed(manager, project, f"?run={run.code}")["results"]] == [kept.code]
    elsewhere = make.make_run(make.make_project(), "search")
    for code in ("none", elsewhere.code):
        assert fields_of(manager.get(f"projects/{project.slug}/preferences/?run={code}")) == ["run"]
    assert len(listed(manager, project)["results"]) == 2
    assert Preference.objects.count() == 3


def test_pairs_of_an_audit_that_waits_are_absent(manager: Caller, project: Project, run: Run) -> None:
    seen, audited = make.make_solution(project), make.make_solution(project, status="queued")
    Audit.objects.create(project=project, solution=audited, share=0.1)
    for solution in (seen, audited):
        make.make_preference(solution, run)
    assert [row["solution"] for row in listed(manager, project)["results"]] == [seen.code]
    assert [each.solution for each in Sighting.objects.filter(rater__person=manager.person)] == [seen]


def test_a_fork_says_what_it_branches_off(manager: Caller, project: Project) -> None:
    parent = make.make_solution(project)
    fork = make.make_solution(problem=parent.problem, forked_from=parent, forked_at=2)
    told = json_of(manager.get(f"solutions/{fork.code}/"))
    assert (told["forked_from"], told["forked_at"]) == (parent.code, 2)
    assert json_of(manager.get(f"solutions/{parent.code}/"))["forked_from"] is None
