"""Search runs against the real simulator: what they store, what a killed one pays again, how right they are."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Count

from annotator import beliefs, intake, preannotation, runs
from annotator.models import (
    Endpoint,
    Posterior,
    Preference,
    Project,
    Rollout,
    Run,
    RunItem,
    Selection,
    Solution,
    WorkState,
)
from annotator.preannotation import searching
from reasoning import answers
from reasoning.characters import unescape
from reasoning.simulator.continuations import begun, whole
from reasoning.simulator.truth import KnownSolution, Truth
from reasoning.simulator.world import SAMPLE_PROBLEMS, SAMPLE_SEED, make_problems, native_rows
from tests.factories import make_endpoint, make_intake, make_problem, make_project, make_solution
from tests.fixtures.database import current_url
from tests.fixtures.simulator import ROOT, Serve

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = native_rows(make_problems(SAMPLE_PROBLEMS, SAMPLE_SEED))[:24]
PROBLEMS = len({row["problem"] for row in ROWS})
TRUTH = Truth()
TRUTH.learn(native_rows(make_problems(SAMPLE_PROBLEMS, SAMPLE_SEED)))


@pytest.fixture
def project(url: str) -> Project:
    """A project whose completer is a simulator that knows all its solutions."""
    completer = make_endpoint("completer", base_url=url, model="simulated/completer", slots=8)
    project = make_project(completer=completer, threshold=0.9)
    problems = {}
    for row in ROWS:
        statement = row["problem"]
        if statement not in problems:
            problems[statement] = make_problem(project, statement, answer=row["answer"])
        make_solution(project, problem=problems[statement], steps=row["steps"], own_answer=None)
    return project


def searched(project: Project, **how: object) -> Run:
    run = runs.start(project, "search", **how)  # type: ignore[arg-type]
    preannotation.advance(run.pk)
    run.refresh_from_db()
    return run


def truth_of(solution: Solution) -> KnownSolution:
    value = beliefs.solution_value(solution)
    problem = TRUTH.problem(value.problem.statement)
    assert problem is not None
    known = whole(problem, [step.text for step in value.steps])
    assert known is not None
    return known


def forks_of(project: Project) -> list[Solution]:
    forks = Solution.objects.filter(project=project, forked_from__isnull=False)
    return list(forks.select_related("problem", "forked_from").prefetch_related("step_rows").order_by("pk"))


def test_a_search_stores_new_solutions_with_the_steps_they_share(project: Project) -> None:
    run = searched(project)
    assert (run.state, run.detail, run.total) == (WorkState.DONE, "", PROBLEMS)
    forks = forks_of(project)
    assert len(forks) == Selection.objects.count() == runs.yielded(run).solutions > 2 * PROBLEMS
    for fork in forks:
        parent = fork.forked_from
        assert parent is not None
        shared = beliefs.solution_value(parent).steps[: fork.forked_at]
        assert beliefs.steps_of(fork)[: fork.forked_at] == shared
        assert (fork.source, fork.source_id, fork.generator) == ("search", None, "simulated/completer")
        assert fork.own_grades.get().verdict == "wrong"
    assert not Solution.objects.filter(project=project, status="new").exists()
    assert run.rollouts == Rollout.objects.count()


def test_first_errors_and_pairs_are_those_of_the_simulated_world(project: Project) -> None:
    searched(project)
    forks = forks_of(project)
    off = []
    for fork in forks:
        truth, posterior = truth_of(fork), fork.posteriors.get(superseded_at=None)
        assert truth.first_error < len(truth.steps)
        assert posterior.simulated
        off.append(abs(posterior.first_error - truth.first_error))
    assert off.count(0) >= 0.6 * len(forks)
    assert off.count(0) + off.count(1) >= 0.85 * len(forks)
    pairs = list(Preference.objects.select_related("solution__problem"))
    assert len(pairs) > 2 * PROBLEMS
    assert all(pair.simulated and pair.chosen_value > pair.rejected_value for pair in pairs)
    judged = [(is_right(pair, pair.chosen), is_right(pair, pair.rejected)) for pair in pairs]
    assert sum(chosen for chosen, _ in judged) >= 0.8 * len(pairs)
    assert sum(not rejected for _, rejected in judged) >= 0.7 * len(pairs)


def is_right(pair: Preference, step: str) -> bool:
    """Is no step wrong up to and with this one, which follows the pair's prefix?"""
    value = beliefs.solution_value(pair.solution)
    problem = TRUTH.problem(value.problem.statement)
    assert problem is not None
    known = begun(problem, value.prefix(pair.prefix) + unescape(step))
    assert known is not None
    return known[0].first_error > pair.prefix


WORKER = """
import sys, django
django.setup()
from annotator import preannotation
preannotation.advance(int(sys.argv[1]))
"""


def test_a_killed_search_goes_on_and_pays_for_nothing_twice(
    project: Project, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = serve("--latency-ms", "40")
    Endpoint.objects.filter(pk=project.completer_id).update(base_url=slow)
    run = runs.start(project, "search")
    environment = {
        **os.environ,
        "DATABASE_URL": current_url(),
        "DJANGO_SETTINGS_MODULE": "annotator.settings",
        "STEPWISE_HOME": str(tmp_path / "home"),
    }
    worker = subprocess.Popen([sys.executable, "-c", WORKER, str(run.pk)], cwd=ROOT, env=environment)
    try:
        while Selection.objects.count() < 4 and worker.poll() is None:
            time.sleep(0.01)
    finally:
        worker.kill()
    assert worker.wait() == -signal.SIGKILL
    before = list(Selection.objects.order_by("pk").values_list("rollout_id", "solution_id"))
    paid = set(Rollout.objects.values_list("pk", flat=True))
    Run.objects.filter(pk=run.pk).update(held_until=None)  # as it lapses in time

    Endpoint.objects.filter(pk=project.completer_id).update(base_url=serve())
    preannotation.advance(run.pk)
    run.refresh_from_db()
    assert run.state == WorkState.DONE
    after = list(Selection.objects.order_by("pk").values_list("rollout_id", "solution_id"))
    assert after[: len(before)] == before
    assert len(after) > len(before)
    taken_up = [rollout for rollout, _ in after if rollout is not None]
    assert len(taken_up) == len(set(taken_up))
    # One that was drawn again would have been counted by the run, and have no row of its own.
    assert paid <= set(Rollout.objects.values_list("pk", flat=True))
    assert run.rollouts == Rollout.objects.count()
    for problem in project.problems.all():
        assert Selection.objects.filter(solution__problem=problem, rollout__isnull=False).count() <= 8
        assert Rollout.objects.filter(solution__problem=problem).count() <= 200


def stopped_at(monkeypatch: pytest.MonkeyPatch, forks: int, stop: Callable[[Run], object]) -> None:
    """Somebody does `stop` when a search stores that many new solutions, and its worker soon sees it."""
    plant = searching.plant

    def plant_and_stop(run: Run, *how: Any) -> Any:
        place = plant(run, *how)
        if Selection.objects.count() == forks:
            stop(Run.objects.get(pk=run.pk))
        return place

    monkeypatch.setattr(searching, "plant", plant_and_stop)
    # The package has a function of the module's name.
    monkeypatch.setattr(import_module("annotator.preannotation.advance"), "RENEW_EVERY", 0.01)


def believed(solutions: Iterable[Solution]) -> dict[int, int]:
    """The current posterior of each."""
    rows = Posterior.objects.filter(solution__in=solutions, superseded_at=None)
    return dict(rows.values_list("solution", "pk"))


def test_a_search_that_is_cancelled_in_the_middle_leaves_nothing_in_limbo(
    project: Project, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    Endpoint.objects.filter(pk=project.completer_id).update(base_url=serve("--latency-ms", "20"), slots=1)
    stopped_at(monkeypatch, 4, runs.cancel)
    run = searched(project)
    assert run.state == WorkState.CANCELLED
    forks = forks_of(project)
    assert 4 <= len(forks) < 3 * PROBLEMS
    assert {fork.status for fork in forks} <= {"queued", "machine"}
    assert believed(forks) == {pk: row.pk for pk, row in beliefs.refresh(forks).items()}
    assert len(believed(forks)) == len(forks)
    assert not RunItem.objects.filter(run=run, state="waiting").exists()
    assert {"the run was cancelled"} == {group.reason for group in runs.failures(run)}
    # What it had not come to is as it was, and may be searched.
    untouched = Solution.objects.filter(project=project, status="new")
    assert untouched.exists()
    assert not Rollout.objects.filter(solution__in=untouched).exists()
    again = set(runs.start(project, "search").items.values_list("solution__problem", flat=True))
    assert set(untouched.values_list("problem", flat=True)) <= again


def test_a_paused_search_that_is_cancelled_later_is_done_with(
    project: Project, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    Endpoint.objects.filter(pk=project.completer_id).update(base_url=serve("--latency-ms", "20"), slots=1)
    stopped_at(monkeypatch, 4, runs.pause)
    run = searched(project)
    assert run.state == WorkState.PAUSED
    assert not Solution.objects.filter(project=project, status="new", forked_from__isnull=False).exists()
    waiting = RunItem.objects.filter(run=run, state="waiting")
    assert waiting.exists()
    assert run.pk not in Run.unattended()
    runs.cancel(run)
    assert run.pk in Run.unattended()
    preannotation.advance(run.pk)
    assert not waiting.exists()
    assert run.pk not in Run.unattended()


def test_what_is_rolled_out_at_a_shared_prefix_is_believed_of_all_who_share_it(project: Project) -> None:
    searched(project)
    shared = Solution.objects.filter(project=project, forks__forked_at__gt=0).distinct()
    heirs = [fork for fork in forks_of(project) if fork.forked_from in shared and fork not in shared and fork.forked_at]
    old = believed(heirs)
    codes = list(shared.values_list("code", flat=True))
    run = runs.start(project, "rollouts", selection={"ids": codes}, config={"price": 0.0, "cap": 60})
    preannotation.advance(run.pk)
    assert not RunItem.objects.filter(run=run, solution__in=heirs).exists()
    new = believed(heirs)
    assert new.keys() == old.keys()
    assert set(new.values()) - set(old.values())
    assert new == {pk: row.pk for pk, row in beliefs.refresh(heirs).items()}


def test_a_search_stays_within_its_limits_a_problem(project: Project) -> None:
    searched(project, config={"selections": 2, "rollouts": 30, "root_rollouts": 6})
    made = Selection.objects.values_list("solution__problem").annotate(n=Count("pk"))
    assert {n for _, n in made} <= {1, 2}
    for problem in project.problems.all():
        assert Rollout.objects.filter(solution__problem=problem).count() <= 30


def test_wrong_solutions_that_were_there_are_looked_into_themselves(project: Project) -> None:
    for solution in Solution.objects.filter(project=project).prefetch_related("step_rows"):
        last = beliefs.steps_of(solution)[-1].text
        Solution.objects.filter(pk=solution.pk).update(own_answer=answers.find(last))
    run = searched(project, config={"selections": 1})
    of_given = Selection.objects.filter(run=run, rollout=None)
    assert of_given.count() >= 3
    for each in of_given.select_related("solution__problem"):
        assert each.solution.forked_from is None
        assert each.solution.own_grades.get().verdict == "wrong"
        assert each.solution.posteriors.filter(superseded_at=None).exists()


def test_a_second_search_takes_up_nothing_that_the_first_did(project: Project) -> None:
    searched(project, config={"selections": 2})
    first = set(Selection.objects.values_list("rollout_id", flat=True))
    run = searched(project, selection={"again": True}, config={"selections": 2})
    second = set(Selection.objects.filter(run=run, rollout__isnull=False).values_list("rollout_id", flat=True))
    assert second
    assert not first & second
    texts = [fork.text for fork in forks_of(project)]
    assert len(texts) == len(set(texts))


def test_problems_without_a_reference_answer_are_skipped_in_words_and_go_to_people(project: Project) -> None:
    unanswered = make_solution(project, problem=make_problem(project, "Unanswered.", answer=None), own_answer=None)
    run = searched(project, config={"selections": 1})
    assert [(group.reason, group.skipped, group.examples) for group in runs.failures(run)] == [
        ("the problem has no reference answer", True, [unanswered.code])
    ]
    unanswered.refresh_from_db()
    assert unanswered.status == "queued"


def test_a_spent_budget_pauses_a_search_and_raising_it_goes_on(project: Project) -> None:
    project.rollout_budget = 100
    project.save()
    run = searched(project)
    assert run.state == WorkState.PAUSED
    assert run.detail.startswith("out of budget")
    assert RunItem.objects.filter(run=run, state="waiting").exists()
    assert Rollout.objects.count() <= 100
    project.rollout_budget = None
    project.save()
    runs.resume(run)
    preannotation.advance(run.pk)
    run.refresh_from_db()
    assert run.state == WorkState.DONE
    assert run.rollouts == Rollout.objects.count() > 100


def test_a_broken_endpoint_pauses_a_search_with_its_words(project: Project, url: str) -> None:
    Endpoint.objects.filter(pk=project.completer_id).update(model="simulated/fault-401")
    run = searched(project)
    assert run.state == WorkState.PAUSED
    assert "Incorrect API key provided" in run.detail
    assert not Selection.objects.exists()
    assert runs.progress(run).waiting == PROBLEMS


def test_broken_replies_fail_the_problem_alone(project: Project) -> None:
    Endpoint.objects.filter(pk=project.completer_id).update(model="simulated/fault-json")
    run = searched(project)
    assert runs.progress(run).failed == PROBLEMS
    assert not Rollout.objects.exists()


def test_what_a_search_made_is_withdrawn_with_the_file_that_it_was_made_of(project: Project) -> None:
    loaded = make_intake(project)
    Solution.objects.filter(project=project).update(intake=loaded)
    run = searched(project, config={"selections": 2})
    assert runs.yielded(run).preferences > 0
    intake.withdraw(loaded, None)
    assert not Solution.objects.live().filter(project=project).exists()
    assert (runs.yielded(run).solutions, runs.yielded(run).preferences) == (0, 0)


def test_a_project_with_trees_can_be_purged(project: Project) -> None:
    searched(project, config={"selections": 2})
    counts = intake.purge(project)
    assert counts["selection"] > 0
    assert counts["preference"] > 0
    assert not Solution.objects.filter(project_id=project.pk).exists()
