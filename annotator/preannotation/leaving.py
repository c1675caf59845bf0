"""What a run leaves behind that stops before it is through.

Solutions that it had begun to look at hold evidence that nobody has weighed, and a search's new solutions have no label
and no place in the queue. They are decided on with what is known. What nobody has looked at stays as it was.
"""

from __future__ import annotations

from typing import Final

from django.db.models import Q
from django.utils import timezone

from annotator import lineage
from annotator.models import Judgement, Rollout, Run, RunItem, RunItemState, RunKind, Score, Selection, WorkState
from annotator.preannotation.desk import decide

CANCELLED: Final = "the run was cancelled"
STOPPED: Final = (WorkState.PAUSED, WorkState.FAILED, WorkState.CANCELLED)


def leave(run: Run) -> None:
    """Decide on what a stopped run had begun. Of a cancelled one nothing waits then, which says that this was done.

    Whoever is killed here, or comes second, leaves the same behind.
    """
    if run.state not in STOPPED:
        return
    decide(sorted(begun(run)))
    if run.state == WorkState.CANCELLED:
        waiting = RunItem.objects.filter(run=run, state=RunItemState.WAITING)
        waiting.update(state=RunItemState.SKIPPED, detail=CANCELLED, ended_at=timezone.now())


def begun(run: Run) -> set[int]:
    """Solutions that a look of this run tells something of, though their item is still waiting."""
    waiting = RunItem.objects.filter(run=run, state=RunItemState.WAITING)
    items = Q(solution__in=waiting.values("solution"))
    if run.kind == RunKind.SEARCH:
        items = Q(solution__problem__in=waiting.values("solution__problem"))
    found = {
        pk
        for table in (Judgement, Score, Rollout, Selection)
        for pk in table._default_manager.filter(items, run=run).values_list("solution", flat=True).distinct()
    }
    return found | lineage.forks_of(found)
