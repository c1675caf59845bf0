"""How work is handed to the workers: a task name and ids, once the transaction has been committed.

The broker only carries hints. If it is away the work stays in PostgreSQL, where the sweep finds it.
"""

from __future__ import annotations

from functools import partial

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)


def enqueue(task: str, *ids: int) -> None:
    """Send `stepwise.<task>` with these ids after commit."""
    transaction.on_commit(partial(_send, f"stepwise.{task}", ids))


def _send(name: str, ids: tuple[int, ...]) -> None:
    try:
        current_app.send_task(name, args=ids, retry=False)
    except OperationalError as error:
        log.warning("task_not_sent", task=name, ids=ids, error=str(error))
