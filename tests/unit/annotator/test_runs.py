"""Runs before and between their turns; what a worker makes of them is in tests/integration/preannotation."""

from __future__ import annotations

import pytest

from annotator import runs
from annotator.errors import Conflict
from annotator.models import Project, Rollout, Run, RunItem, RunItemState, Solution, WorkState
from annotator.votes import votes_of
from tests.factories import make_endpoint, make_judgement, make_project, make_run, make_solution

pytestmark = pytest.mark.django_db


def test_rollouts_are_estimated_by_the_solutions_that_drew_some() -> None:
    project = make_project(completer=make_endpoint("completer"))
    earlier = make_run(project, "rollouts", rollouts=24, total=4)
    states = (RunItemState.DONE, RunItemState.DONE, RunItemState.SKIPPED, RunItemState.WAITING)
    RunItem.objects.bulk_create(RunItem(run=earlier, solution=make_solution(project), state=one) for one in states)
    estimate = runs.estimate(project, "rollouts", {}, {})
    assert (estimate.solutions, estimate.calls) == (4, 4 * 12)
    assert estimate.basis.startswith("12.0 rollouts a solution")


def test_what_a_rollout_took_of_this_very_model_is_what_the_next_are_expected_to_take() -> None:
    endpoint = make_endpoint("completer", prompt_price=1.0, completion_price=4.0)
    project = make_project(completer=endpoint)
    make_solution(project)
    guess = runs.estimate(project, "rollouts", {}, {})
    assert guess.basis == "a guess from the texts' lengths"
    taken = {"rollouts": 10, "prompt_tokens": 4_000, "completion_tokens": 30_000, "endpoint": endpoint}
    make_run(project, "rollouts", config={"model": "another"}, **taken | {"completion_tokens": 7})
    run = make_run(project, "rollouts", config={"model": endpoint.model}, **taken)
    RunItem.objects.create(run=run, solution=make_solution(project), state=RunItemState.DONE)
    estimate = runs.estimate(project, "rollouts", {}, {})
    assert "of 3,400 tokens each" in estimate.basis
    assert (estimate.prompt_tokens, estimate.completion_tokens) == (estimate.calls * 400, estimate.calls * 3_000)
    assert estimate.cost == pytest.approx(estimate.calls * (400 * 1 + 3_000 * 4) / 1e6)


def test_an_archived_project_goes_on_with_no_run() -> None:
    project = make_project()
    run = make_run(project, "route", state=WorkState.PAUSED)
    project.archive()
    with pytest.raises(Conflict, match="is archived"):
        runs.resume(run)
    assert Run.objects.get().state == WorkState.PAUSED


def judged_project(votes: int) -> Project:
    return make_project(judge=make_endpoint(model="a/judge"), completer=make_endpoint("completer"), judge_votes=votes)


def vote(solution: Solution, count: int, **config: float) -> None:
    """Votes as a run of the project's judge leaves them."""
    project = solution.project
    assert project.judge is not None
    asked = votes_of(project, project.judge, config)
    for _ in range(count):
        make_judgement(solution, -1, model="a/judge", prompt=asked.asked.prompt, parameters=asked.parameters)


def lacking(project: Project, kind: str = "judge", **config: float) -> int:
    return runs.estimate(project, kind, {}, config).solutions


def test_a_solution_lacks_votes_until_there_are_as_many_as_wanted() -> None:
    project = judged_project(votes=3)
    solution = make_solution(project)
    assert lacking(project) == 1
    vote(solution, 1)
    assert (lacking(project), lacking(project, votes=1)) == (1, 0)
    vote(solution, 2)
    assert (lacking(project), lacking(project, votes=4)) == (0, 1)


def test_votes_of_another_model_prompt_or_temperature_are_none_of_this_judge() -> None:
    project = judged_project(votes=1)
    solution = make_solution(project)
    make_judgement(solution, -1, model="a/judge")
    assert lacking(project) == 1
    vote(solution, 1, temperature=0.1)
    assert (lacking(project), lacking(project, temperature=0.1)) == (1, 0)
    vote(solution, 1)
    assert project.judge is not None
    project.judge.model = "another/judge"
    project.judge.save()
    assert lacking(project) == 1


def test_what_an_endpoint_drew_before_its_model_changed_is_not_the_new_models() -> None:
    project = judged_project(votes=1)
    solution = make_solution(project)
    assert project.completer is not None
    run = runs.start(project, "rollouts")
    # It replies under another name than it was asked by.
    Rollout.objects.create(
        solution=solution, run=run, prefix=1, step_count=4, model="completer-2026-01", parameters="t1", sample=0
    )
    assert lacking(project, "rollouts") == 0
    project.completer.model = "another/completer"
    project.completer.save()
    assert lacking(project, "rollouts") == 1
