"""Celery's tasks: thin, with ids, safe to run twice. The broker's messages are hints; `sweep` finds what they left.

Each imports what it runs when it first runs: a worker that waits then carries neither numpy nor the openai package.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from annotator.enqueue import enqueue
from annotator.models import LIVE_STATES, Export, Fit, Intake, Project, Run, RunKind, WorkState
from reasoning.characters import escape

log = structlog.get_logger(__name__)


@contextmanager
def _failing(table: type[Intake | Run | Export | Fit], pk: int) -> Iterator[None]:
    """Let what nobody foresaw end the work in words, or the sweep would begin it anew for ever, and pay for it.

    A database that is away or in a deadlock, and a task that was told to stop, are left to the sweep.
    """
    try:
        yield
    except (OperationalError, InterfaceError, SoftTimeLimitExceeded):
        raise
    except Exception as error:
        detail = escape(f"{type(error).__name__}: {error}")[:2000]
        log.error("work_failed", work=table.__name__, id=pk, detail=detail)
        live = table._default_manager.filter(pk=pk, state__in=LIVE_STATES)
        failed = live.update(state=WorkState.FAILED, detail=detail, ended_at=timezone.now())
        if failed and table is Run:
            enqueue("advance_run", pk)  # which decides on what the run had begun
        raise


@shared_task(name="stepwise.read_intake")
def read_intake(intake_id: int) -> None:
    from annotator import intake

    with _failing(Intake, intake_id):
        intake.read(intake_id)


@shared_task(name="stepwise.advance_run")
def advance_run(run_id: int) -> None:
    from annotator import preannotation

    with _failing(Run, run_id):
        preannotation.advance(run_id)


@shared_task(name="stepwise.build_export")
def build_export(export_id: int) -> None:
    from annotator import exports

    with _failing(Export, export_id):
        exports.build(export_id)


@shared_task(name="stepwise.fit_project")
def fit_project(fit_id: int) -> None:
    from annotator import fitting

    with _failing(Fit, fit_id):
        fitting.carry_out(fit_id, decide_again)


def decide_again(project: Project) -> None:
    """New parameters: every posterior is another, so where each solution goes is asked anew. People's labels stand."""
    from annotator import runs

    runs.start(project, RunKind.ROUTE)


@shared_task(name="stepwise.fit_when_due")
def fit_when_due() -> None:
    """Ask for the fits of projects that know half as much again as at their last."""
    from annotator import fitting

    for project in fitting.due():
        fitting.request(project)


@shared_task(name="stepwise.test_endpoint")
def test_endpoint(endpoint_id: int) -> None:
    from annotator import preannotation

    preannotation.answer_test(endpoint_id)


@shared_task(name="stepwise.decide_problem")
def decide_problem(problem_id: int) -> None:
    from annotator import preannotation

    preannotation.decide_problem(problem_id)


@shared_task(name="stepwise.decide_outdated")
def decide_outdated() -> None:
    from annotator import preannotation

    preannotation.decide_outdated()


@shared_task(name="stepwise.sweep")
def sweep() -> None:
    """Find what a lost message or a killed worker left undone, and leases that have lapsed."""
    from annotator import queue, stand_ins

    queue.expire_lapsed()
    if stand_ins.outdated(1):
        enqueue("decide_outdated")
    tables = (Run, "advance_run"), (Intake, "read_intake"), (Export, "build_export"), (Fit, "fit_project")
    for table, task in tables:
        for pk in table.unattended():
            enqueue(task, pk)
