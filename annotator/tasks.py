"""Celery's tasks: thin, with ids, safe to run twice. The broker's messages are hints; `sweep` finds what they left.

Each imports what it runs when it first runs: a worker that waits then carries neither numpy nor the openai package.
"""

from __future__ import annotations

from celery import shared_task

from annotator.enqueue import enqueue
from annotator.models import LIVE_STATES, Export, Intake


@shared_task(name="stepwise.read_intake")
def read_intake(intake_id: int) -> None:
    from annotator import intake

    intake.read(intake_id)


@shared_task(name="stepwise.advance_run")
def advance_run(run_id: int) -> None:
    from annotator import preannotation

    preannotation.advance(run_id)


@shared_task(name="stepwise.build_export")
def build_export(export_id: int) -> None:
    from annotator import exports

    exports.build(export_id)


@shared_task(name="stepwise.test_endpoint")
def test_endpoint(endpoint_id: int) -> None:
    from annotator import preannotation

    preannotation.answer_test(endpoint_id)


@shared_task(name="stepwise.sweep")
def sweep() -> None:
    """Find what a lost message or a killed worker left undone, and leases that have lapsed."""
    from annotator import queue, runs

    queue.expire_lapsed()
    for run in runs.unattended():
        enqueue("advance_run", run)
    for pk in Intake.objects.filter(state__in=LIVE_STATES).values_list("pk", flat=True):
        enqueue("read_intake", pk)
    for pk in Export.objects.filter(state__in=LIVE_STATES).values_list("pk", flat=True):
        enqueue("build_export", pk)
