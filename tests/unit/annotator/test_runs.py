"""Runs before and between their turns; what a worker makes of them is in tests/integration/preannotation."""

from __future__ import annotations

import pytest

from annotator import runs
from annotator.errors import Conflict
from annotator.models import Run, RunItem, RunItemState, WorkState
from tests.factories import make_endpoint, make_project, make_run, make_solution

pytestmark = pytest.mark.django_db


def test_rollouts_are_estimated_by_the_solutions_that_drew_some() -> None:
    project = make_project(completer=make_endpoint("completer"))
    earlier = make_run(project, "rollouts", rollouts=24, total=4)
    states = (RunItemState.DONE, RunItemState.DONE, RunItemState.SKIPPED, RunItemState.WAITING)
    RunItem.objects.bulk_create(RunItem(run=earlier, solution=make_solution(project), state=one) for one in states)
    estimate = runs.estimate(project, "rollouts", {}, {})
    assert (estimate.solutions, estimate.calls) == (4, 4 * 12)
    assert estimate.basis.startswith("12.0 rollouts a solution")


def test_an_archived_project_goes_on_with_no_run() -> None:
    project = make_project()
    run = make_run(project, "route", state=WorkState.PAUSED)
    project.archive()
    with pytest.raises(Conflict, match="is archived"):
        runs.resume(run)
    assert Run.objects.get().state == WorkState.PAUSED
