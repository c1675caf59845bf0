"""Changes of what exports show, and the moment at which none is under way.

An export shows rows by when they were stamped, and a transaction that stamps first may commit last. So whoever is about
to stamp announces it, and a snapshot's cutoff is taken while no announced change is under way: what was stamped up to
it is there, and what comes later is stamped later.

Announcements share their lock, so they never wait for each other; they wait for a cutoff, which is taken in
milliseconds once the changes before it have ended. Claims change no label and announce nothing. The lock comes before
the rows' (slots.py): whoever holds a row has announced already.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.db import OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable

from annotator.errors import Conflict
from annotator.models import Project

_LOCK: Final = 0x57EA
"""First half of the advisory lock; the second is the project."""
_PATIENCE: Final = "5s"
"""How long a cutoff waits for changes under way, and at most keeps later ones waiting."""

_ANNOUNCE: Final = """
SELECT pg_advisory_xact_lock_shared(%s, project_id::int) FROM (
    SELECT DISTINCT project_id FROM annotator_solution WHERE id = ANY(%s) ORDER BY project_id OFFSET 0
) AS changed
"""


def announce(solutions: Iterable[int]) -> None:
    """Settlements or grades of these solutions are about to be stamped in this transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_ANNOUNCE, [_LOCK, list(solutions)])


def announce_in(project: int) -> None:
    """Solutions of this project are about to be stamped in this transaction, or whatever else an export shows."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", [_LOCK, project])


def wait_for_none(project: Project) -> None:
    """Until the end of this transaction no change of the project is under way. Raises Conflict where one takes long."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [_PATIENCE])
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, project.pk])
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable):
            raise
        raise Conflict("Many labels are being changed at this moment: ask for the export again in a minute.") from error
