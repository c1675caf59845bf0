"""Asked for, carried out, put in force: one fit at a time, and the defaults where it must."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from annotator import beliefs, fitting, grounds, tasks
from annotator.errors import Conflict
from annotator.models import Event, Fit, Project, Run, RunItem, Settlement, Solution, WorkState
from annotator.routing import route
from reasoning.first_error.model import DEFAULTS
from tests import factories as make

pytestmark = pytest.mark.django_db


def solutions(project: Project, number: int, *, rollouts: bool = True) -> list[Solution]:
    """Of four steps: a judge that is mostly right, and rollouts that hardly ever recover from a wrong step."""
    chance = random.Random(1)
    found = []
    for n in range(number):
        solution = make.make_solution(project, steps=4)
        wrong = n % 5
        make.make_judgement(solution, wrong if wrong < 4 and chance.random() < 0.8 else -1)
        for prefix in (1, 2, 3) if rollouts else ():
            fine = prefix <= wrong
            make.make_rollouts(solution, prefix, right=3 if fine else 0, wrong=0 if fine else 3)
        found.append(solution)
    return found


def again(project: Project) -> None:
    """Stands for whoever decides again."""


def test_what_was_fitted_is_in_force_with_a_report(project: Project) -> None:
    solutions(project, 60)
    fit = fitting.carry_out(fitting.request(project).pk, again)
    assert (fit.state, fit.detail, fit.held_until) == (WorkState.DONE, "", None)
    assert fit.report["fell_back"] is False
    assert (fit.report["solutions"], fit.report["firm"], fit.report["told"]) == (60, 60, 0)
    assert fit.report["log_likelihood"] > fit.report["log_likelihood_before"]
    assert beliefs.current_fit(project) == fit
    parameters = beliefs.parameters_of(project)
    assert parameters.recovery < DEFAULTS.recovery
    assert ("test/judge", "prompt-1") in parameters.judges
    assert set(Event.objects.values_list("kind", flat=True)) == {"fit.asked", "fit.done"}


def test_with_nothing_but_judges_it_falls_back_and_says_why(project: Project) -> None:
    solutions(project, 60, rollouts=False)
    fit = fitting.carry_out(fitting.request(project).pk, again)
    assert fit.state == WorkState.DONE
    assert fit.report["fell_back"] is True
    assert fit.report["reason"].startswith("0 solutions with rollouts, a blind reading or a label; 50 are needed")
    assert fit.report["log_likelihood"] is None
    assert beliefs.parameters_of(project) == DEFAULTS


def test_a_fit_that_believes_people_less_than_the_defaults_do_is_dropped(project: Project) -> None:
    for number, solution in enumerate(solutions(project, 60)):
        if number % 2:
            contrary = (number + 2) % 5  # what neither the judge nor the rollouts say
            intake = make.make_intake(project)
            first = contrary if contrary < 4 else -1
            Settlement.objects.create(solution=solution, source="gold", step_count=4, first_error=first, intake=intake)
    found = grounds.gather(project)
    sure = replace(found, labels=[None] * len(found.labels))
    parameters, report = fitting.fitted(sure)
    assert report.fell_back
    assert report.reason == "worse than the defaults at what people said"
    assert report.log_score is not None
    assert report.log_score_before is not None
    assert report.log_score < report.log_score_before
    assert parameters == DEFAULTS


def test_the_next_fit_supersedes_the_one_in_force(project: Project) -> None:
    old = Fit.objects.create(project=project, state=WorkState.DONE, parameters={"noise": 1.5})
    fit = fitting.carry_out(fitting.request(project).pk, again)
    old.refresh_from_db()
    assert old.superseded_at is not None
    assert beliefs.current_fit(project) == fit


def test_a_project_has_one_fit_under_way(project: Project) -> None:
    first = fitting.request(project)
    assert fitting.request(project) == first
    assert fitting.request(make.make_project()) != first


def test_an_archived_project_is_not_fitted(project: Project) -> None:
    project.archive()
    with pytest.raises(Conflict, match="archived"):
        fitting.request(project)
    assert fitting.due() == []


def test_what_somebody_is_at_or_is_done_is_left_alone(project: Project) -> None:
    fit = fitting.request(project)
    assert Fit.objects.get(pk=fit.pk).hold(60)
    assert fitting.carry_out(fit.pk, again).state == WorkState.QUEUED
    Fit.objects.filter(pk=fit.pk).update(state=WorkState.DONE, parameters={}, held_until=None)
    assert fitting.carry_out(fit.pk, again).report == {}


def test_a_fit_that_was_taken_over_meanwhile_changes_nothing(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    fit = fitting.request(project)

    def overtaken(found: object) -> Any:
        Fit.objects.filter(pk=fit.pk).update(held_until=timezone.now() + timedelta(minutes=1))
        return DEFAULTS, None

    monkeypatch.setattr(fitting, "fitted", overtaken)
    fitting.carry_out(fit.pk, again)
    assert Fit.objects.get().state == WorkState.RUNNING
    assert beliefs.current_fit(project) is None


def test_what_machines_labelled_is_decided_again_and_what_people_settled_is_not(project: Project) -> None:
    machine, human = solutions(project, 2)
    route([machine])
    Settlement.objects.create(solution=human, source="human", step_count=4, first_error=1)
    before = beliefs.refresh([machine])[machine.pk]
    Fit.objects.create(project=project, state=WorkState.DONE, parameters={"noise": 3.0})
    tasks.fit_project(fitting.request(project).pk)
    run = Run.objects.get()
    assert (run.kind, run.created_by, run.total) == ("route", None, 2)
    assert RunItem.objects.filter(run=run).count() == 2
    tasks.advance_run(run.pk)
    after = beliefs.refresh([machine])[machine.pk]
    assert after.pk != before.pk
    assert after.fit == beliefs.current_fit(project)
    assert Settlement.objects.get(solution=human, superseded_at=None).source == "human"


def test_the_same_parameters_again_decide_nothing_again(project: Project) -> None:
    tasks.fit_project(fitting.request(project).pk)
    assert not Run.objects.exists()


def test_what_nobody_foresaw_fails_the_fit_in_words(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("odd")

    monkeypatch.setattr(fitting, "fitted", broken)
    fit = fitting.request(project)
    with pytest.raises(KeyError):
        tasks.fit_project(fit.pk)
    fit.refresh_from_db()
    assert (fit.state, fit.detail) == (WorkState.FAILED, "KeyError: 'odd'")
    assert fitting.request(project) != fit


def ended(project: Project, kind: str = "rollouts") -> Run:
    return make.make_run(project, kind, state=WorkState.DONE, ended_at=timezone.now())


def test_a_fit_is_due_once_enough_is_known_and_no_run_adds_to_it(project: Project) -> None:
    solutions(project, 49)
    run = ended(project)
    assert fitting.due() == []
    make.make_rollouts(make.make_solution(project), 1, right=1)
    assert fitting.due() == [project]
    Run.objects.filter(pk=run.pk).update(state=WorkState.RUNNING)
    assert fitting.due() == []
    Run.objects.filter(pk=run.pk).update(state=WorkState.DONE)
    tasks.fit_when_due()
    assert (Fit.objects.get().looked, Fit.objects.get().created_by) == (50, None)
    assert fitting.due() == []


def test_another_is_due_when_rollouts_or_readings_have_grown_by_half(project: Project) -> None:
    known = solutions(project, 60)
    done = Fit.objects.create(project=project, state=WorkState.DONE, parameters={}, looked=41, told=0)
    ended(project)
    assert fitting.due() == []
    Fit.objects.filter(pk=done.pk).update(looked=35)
    assert fitting.due() == [project]
    Fit.objects.filter(pk=done.pk).update(looked=60)
    rater = make.make_rater()
    for solution in known[:24]:
        make.make_annotation(solution, rater, "-1")
    assert fitting.due() == []
    make.make_annotation(known[24], rater, "-1")
    assert fitting.due() == [project]


def test_nothing_new_since_the_last_fit_is_not_even_counted(project: Project) -> None:
    solutions(project, 60)
    ended(project)
    Fit.objects.create(project=project, state=WorkState.FAILED, looked=0)
    assert fitting.due() == []
    Fit.objects.all().delete()
    assert fitting.due() == [project]
