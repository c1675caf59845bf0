"""Take back what an intake brought in: nothing is deleted, nothing of it counts any more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from annotator import labels, slots
from annotator.errors import Conflict
from annotator.models import (
    LIVE_STATES,
    Disagreement,
    Intake,
    Label,
    Person,
    Posterior,
    Routing,
    Score,
    Settlement,
    Solution,
    SolutionStatus,
    WorkState,
    record,
)


def withdraw(intake: Intake, person: Person | None) -> Intake:
    """Withdraw every solution of an intake and close the work on them; one logged event. Raises Conflict if it was.

    Annotations stay as they were made. The same file can be read in again afterwards. Of a file of scores the solutions
    stay; what machines made of it is taken back, and a route run decides again with what is left.
    """
    with transaction.atomic():
        found = Intake.objects.select_for_update().get(pk=intake.pk)
        if found.withdrawn_at is not None:
            raise Conflict(f"{found} was withdrawn on {found.withdrawn_at:%Y-%m-%d}")
        ids = list(Solution.objects.filter(intake=found, withdrawn_at=None).values_list("pk", flat=True))
        scored = list(Score.objects.filter(intake=found).values_list("solution", flat=True))
        rows = slots.lock({*ids, *scored})
        now = timezone.now()
        slots.close_all(ids)
        Disagreement.objects.filter(solution__in=ids, settled_at=None).update(settled_at=now)
        for table in (Label, Settlement, Routing, Posterior):
            table._default_manager.filter(solution__in=ids, superseded_at=None).update(superseded_at=now)
        Solution.objects.filter(pk__in=ids).update(withdrawn_at=now)
        _take_back_scores([row for row in rows if row.withdrawn_at is None and row.pk in set(scored) - set(ids)], now)
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
            **({"scored": len(scored)} if scored else {}),
        )
    return found


def _take_back_scores(solutions: Sequence[Solution], now: datetime) -> None:
    """Beliefs that rest on withdrawn scores are nobody's any more, nor are machine labels that rest on such beliefs."""
    Posterior.objects.filter(solution__in=solutions, superseded_at=None).update(superseded_at=now)
    decided = [each for each in solutions if each.status == SolutionStatus.MACHINE]
    Routing.objects.filter(solution__in=decided, superseded_at=None).update(superseded_at=now)
    labels.unsettle(decided, SolutionStatus.NEW)
