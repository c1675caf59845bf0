"""The Celery application: `celery -A annotator.celery worker`."""

from __future__ import annotations

import os

from celery import Celery
from celery.signals import beat_embedded_init, setup_logging, worker_process_init

from annotator.embedded.process import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "annotator.settings")

app = Celery("annotator")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["annotator"])


@setup_logging.connect
def _keep_our_logging(**_: object) -> None:
    """Being connected is the point: Celery then leaves Django's logging as it is."""


@beat_embedded_init.connect
@worker_process_init.connect
def _end_with_the_worker(**_: object) -> None:
    # What outlives a killed worker would go on with its task, or its schedule, beside the worker that comes next.
    die_with_parent()
