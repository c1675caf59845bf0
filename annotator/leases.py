"""Assignments while they are open: claimed, held, renewed, given back, lapsed.

A lease that lapsed is not lost until its slot was given to somebody else: whoever held it may go on, and hand in.
Locks are taken in the order of slots.py: (solution,) assignment, slot.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404
from django.utils import timezone

from annotator import sightings
from annotator.errors import LeaseGone, NotAllowed
from annotator.models import (
    Assignment,
    AssignmentState,
    Project,
    Purpose,
    Rater,
    Sighting,
    Slot,
    SlotState,
)
from annotator.models.codes import new_code

_NOT_AGAIN: Final = (AssignmentState.OPEN, AssignmentState.SUBMITTED, AssignmentState.SKIPPED)
_ATTEMPTS: Final = 5
_COUNTED: Final = 1000
_SWEPT: Final = 1000


def claim(project: Project, rater: Rater) -> Assignment | None:
    """A new assignment of the most urgent solution that is free for this rater; None when nothing is.

    What a reviewer returned to the rater comes first. Never what they hold otherwise, did or skipped, nor an audit of
    which they were shown evidence. One short transaction, which waits for nobody and whose cost does not grow with the
    leases that stand. The solution and its problem come with it.
    """
    if project.archived_at is not None:
        return None
    if returned := _returned(project, rater):
        return renew(returned, rater)
    taken = _take(project, rater)
    if taken is None and expire_lapsed(project):
        taken = _take(project, rater)
    return _with_solution().get(pk=taken) if taken is not None else None


def _returned(project: Project, rater: Rater) -> str | None:
    """Code of the oldest assignment that was handed in and is open again."""
    mine = Assignment.objects.filter(rater=rater, state=AssignmentState.OPEN, slot__project=project)
    return mine.filter(annotations__isnull=False).order_by("pk").values_list("code", flat=True).first()


_CLAIM: Final = """
WITH picked AS MATERIALIZED (
    SELECT slot.id, slot.solution_id, slot.purpose FROM annotator_slot AS slot
    WHERE slot.project_id = %(project)s AND slot.state = 'free' AND NOT EXISTS (
        SELECT FROM annotator_assignment AS mine
        WHERE mine.solution_id = slot.solution_id AND mine.rater_id = %(rater)s AND mine.state = ANY(%(not_again)s))
    AND NOT (slot.purpose = 'audit' AND EXISTS (
        SELECT FROM annotator_sighting AS seen
        WHERE seen.solution_id = slot.solution_id AND seen.rater_id = %(rater)s))
    ORDER BY slot.priority DESC, slot.id LIMIT 1
    FOR UPDATE OF slot SKIP LOCKED
), taken AS (
    UPDATE annotator_slot AS slot SET state = 'taken' FROM picked WHERE slot.id = picked.id
)
INSERT INTO annotator_assignment (code, slot_id, solution_id, rater_id, state, asked, created_at, lease_until)
SELECT %(code)s, picked.id, picked.solution_id, %(rater)s, 'open',
    CASE WHEN picked.purpose = 'label' AND cardinality(routing.asked) > 0 THEN routing.asked
         ELSE ARRAY(SELECT generate_series(0, solution.step_count - 1)) END,
    now(), now() + make_interval(mins => %(minutes)s)
FROM picked
JOIN annotator_solution AS solution ON solution.id = picked.solution_id
LEFT JOIN annotator_routing AS routing
    ON routing.solution_id = picked.solution_id AND routing.superseded_at IS NULL
RETURNING id
"""


def _take(project: Project, rater: Rater) -> int | None:
    values: dict[str, int | str | list[str]] = {
        "project": project.pk,
        "rater": rater.pk,
        "not_again": [str(state) for state in _NOT_AGAIN],
        "minutes": project.lease_minutes,
    }
    for _ in range(_ATTEMPTS):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(_CLAIM, {**values, "code": new_code()})
                row = cursor.fetchone()
        except IntegrityError:
            # The same rater claimed another slot of the same solution at the same moment, from another window.
            continue
        return row[0] if row else None
    return None


def _free_for(project: Project, rater: Rater) -> QuerySet[Slot]:
    """Free slots that this rater may take."""
    mine = Assignment.objects.filter(solution=OuterRef("solution"), rater=rater, state__in=_NOT_AGAIN)
    seen = Sighting.objects.filter(solution=OuterRef("solution"), rater=rater)
    free = Slot.objects.filter(project=project, state=SlotState.FREE)
    return free.filter(~Exists(mine), ~(Q(purpose=Purpose.AUDIT) & Exists(seen)))


def _lease(project: Project) -> datetime:
    return timezone.now() + timedelta(minutes=project.lease_minutes)


def _with_solution() -> QuerySet[Assignment]:
    return Assignment.objects.select_related("slot", "rater", "solution__project", "solution__problem")


def free_count(project: Project, rater: Rater) -> int:
    """How many solutions this rater could claim now; counted up to 1,000."""
    if project.archived_at is not None:
        return 0
    return _free_for(project, rater).values("solution").distinct()[:_COUNTED].count()


def find(code: str, rater: Rater) -> Assignment:
    """The rater's assignment of that code, with its solution and project. Raises Http404 for anybody else's."""
    assignment = _with_solution().filter(code=code, rater=rater).first()
    if assignment is None:
        raise Http404(f"no assignment {code}")
    return assignment


@transaction.atomic
def held(project: Project, rater: Rater) -> Assignment | None:
    """What the rater is at work on in this project, its lease renewed if it lapsed.

    The oldest open assignment; else the last one that lapsed with a draft in it, if nobody took its slot meanwhile: who
    closed the window over lunch finds their ratings again.
    """
    mine = Assignment.objects.filter(rater=rater, slot__project=project).select_for_update(of=("self",))
    assignment = mine.filter(state=AssignmentState.OPEN).order_by("pk").first()
    if assignment is None:
        lapsed = mine.filter(state=AssignmentState.EXPIRED, draft__isnull=False, slot__state=SlotState.FREE)
        assignment = lapsed.order_by("-pk").first()
        if assignment is None or not _revive(assignment):
            return None
    if assignment.lease_until <= timezone.now():
        Assignment.objects.filter(pk=assignment.pk).update(lease_until=_lease(project))
    return _with_solution().get(pk=assignment.pk)


def keep(assignment: Assignment) -> Assignment:
    """Lock an assignment that its rater still has, or may have again because nobody took it; call in a transaction.

    Raises LeaseGone, saying where it went.
    """
    return still(lock(assignment))


def lock(assignment: Assignment) -> Assignment:
    """The assignment as it is now, its row held until the transaction ends."""
    fresh = Assignment.objects.select_for_update().get(pk=assignment.pk)
    fresh.slot, fresh.solution, fresh.rater = assignment.slot, assignment.solution, assignment.rater
    return fresh


def still(fresh: Assignment) -> Assignment:
    """`keep` for an assignment that `lock` returned in this transaction."""
    if fresh.state == AssignmentState.OPEN:
        return fresh
    if fresh.state == AssignmentState.EXPIRED and _revive(fresh):
        return fresh
    raise LeaseGone(_gone(fresh))


def _revive(assignment: Assignment) -> bool:
    """Take the slot of a lapsed lease back if it is still free."""
    try:
        with transaction.atomic():
            free = Slot.objects.filter(pk=assignment.slot_id, state=SlotState.FREE)
            if not free.update(state=SlotState.TAKEN):
                return False
            assignment.state, assignment.ended_at = AssignmentState.OPEN, None
            assignment.save(update_fields=["state", "ended_at"])
    except IntegrityError:  # the rater claimed the solution anew
        return False
    return True


def _gone(assignment: Assignment) -> str:
    if assignment.state == AssignmentState.SUBMITTED:
        return "this assignment has been submitted already"
    if assignment.state == AssignmentState.EXPIRED:
        return "the lease ended, and the solution went to somebody else or is no longer wanted"
    return "this assignment was given back, or its solution is no longer wanted"


@transaction.atomic
def renew(code: str, rater: Rater) -> Assignment:
    """The assignment with a whole lease ahead. Raises LeaseGone where it went to somebody else or was ended."""
    assignment = keep(find(code, rater))
    assignment.lease_until = _lease(assignment.solution.project)
    assignment.save(update_fields=["lease_until"])
    return assignment


def release(code: str, rater: Rater) -> None:
    """Give it back: whoever is next may claim it, this rater too. Raises LeaseGone where there is nothing to give."""
    _give_back(code, rater, AssignmentState.RELEASED)


def skip(code: str, rater: Rater) -> None:
    """Give it back, and never be served it again."""
    _give_back(code, rater, AssignmentState.SKIPPED)


@transaction.atomic
def _give_back(code: str, rater: Rater, state: AssignmentState) -> None:
    assignment = Assignment.objects.select_for_update(of=("self",)).get(pk=find(code, rater).pk)
    if assignment.state not in (AssignmentState.OPEN, AssignmentState.EXPIRED):
        raise LeaseGone(_gone(assignment))
    if assignment.state == AssignmentState.OPEN:
        Slot.objects.filter(pk=assignment.slot_id, state=SlotState.TAKEN).update(state=SlotState.FREE)
    assignment.state, assignment.ended_at = state, timezone.now()
    assignment.save(update_fields=["state", "ended_at"])


def note_evidence_seen(assignment: Assignment) -> None:
    """From now on this work is not blind. Raises NotAllowed for an audit, which is read blind or not at all."""
    if assignment.slot.purpose == Purpose.AUDIT:
        raise NotAllowed("an audit is read blind")
    now = timezone.now()
    unseen = Assignment.objects.filter(pk=assignment.pk, evidence_seen_at=None)
    if unseen.update(evidence_seen_at=now):
        assignment.evidence_seen_at = now
        sightings.note_seen(assignment.rater, [assignment.solution_id])  # it may be released, and taken again


_EXPIRE: Final = """
WITH lapsed AS (
    SELECT assignment.id FROM annotator_assignment AS assignment
    WHERE assignment.state = 'open' AND assignment.lease_until < now()
      AND (%(project)s::bigint IS NULL OR EXISTS (
          SELECT FROM annotator_slot AS slot WHERE slot.id = assignment.slot_id AND slot.project_id = %(project)s))
    ORDER BY assignment.lease_until LIMIT %(limit)s
    FOR UPDATE OF assignment SKIP LOCKED
), expired AS (
    UPDATE annotator_assignment AS assignment SET state = 'expired', ended_at = now()
    FROM lapsed WHERE assignment.id = lapsed.id RETURNING assignment.slot_id
)
UPDATE annotator_slot SET state = 'free' FROM expired WHERE annotator_slot.id = expired.slot_id AND state = 'taken'
"""


def expire_lapsed(project: Project | None = None) -> int:
    """Put lapsed leases' slots back into the queue, of all projects unless one is named; returns how many.

    One statement, which skips rows that somebody is submitting or renewing at this moment; at most 1,000 at a time.
    """
    with connection.cursor() as cursor:
        cursor.execute(_EXPIRE, {"project": project.pk if project else None, "limit": _SWEPT})
        return int(cursor.rowcount)
