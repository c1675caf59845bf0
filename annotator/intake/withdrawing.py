"""Take back what an intake brought in: nothing is deleted, nothing of it counts any more."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from annotator import slots
from annotator.errors import Conflict
from annotator.models import (
    LIVE_STATES,
    Disagreement,
    Intake,
    Label,
    Person,
    Posterior,
    Routing,
    Settlement,
    Solution,
    WorkState,
    record,
)


def withdraw(intake: Intake, person: Person | None) -> Intake:
    """Withdraw every solution of an intake and close the work on them; one logged event. Raises Conflict if it was.

    Annotations stay as they were made. The same file can be read in again afterwards.
    """
    with transaction.atomic():
        found = Intake.objects.select_for_update().get(pk=intake.pk)
        if found.withdrawn_at is not None:
            raise Conflict(f"{found} was withdrawn on {found.withdrawn_at:%Y-%m-%d}")
        ids = list(Solution.objects.filter(intake=found, withdrawn_at=None).values_list("pk", flat=True))
        slots.lock(ids)
        now = timezone.now()
        slots.close_all(ids)
        Disagreement.objects.filter(solution__in=ids, settled_at=None).update(settled_at=now)
        for table in (Label, Settlement, Routing, Posterior):
            table._default_manager.filter(solution__in=ids, superseded_at=None).update(superseded_at=now)
        Solution.objects.filter(pk__in=ids).update(withdrawn_at=now)
        found.withdrawn_at = now
        if found.state in LIVE_STATES:
            found.state, found.ended_at = WorkState.CANCELLED, now
        found.save(update_fields=["withdrawn_at", "state", "ended_at"])
        record(
            "intake.withdrawn",
            project=found.project,
            actor=person,
            subject=found.code,
            solutions=len(ids),
        )
    return found
