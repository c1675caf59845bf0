"""The queue that people work from: claim, hold, draft, submit.

Leases are in leases.py, drafts in drafts.py, what may be handed in in submissions.py; this is the door to all of them.
"""

from __future__ import annotations

from typing import Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from annotator import leases, settlement, sightings, slots, submissions
from annotator.drafts import save_draft
from annotator.errors import Conflict, Invalid, Reused
from annotator.leases import (
    claim,
    expire_lapsed,
    find,
    free_count,
    held,
    note_evidence_seen,
    release,
    renew,
    skip,
)
from annotator.models import Annotation, Assignment, AssignmentState, Draft, Rater, Slot, SlotState
from annotator.submissions import RatingInput, Submission, read_submission

__all__ = [
    "RatingInput",
    "Submission",
    "claim",
    "expire_lapsed",
    "find",
    "free_count",
    "held",
    "note_evidence_seen",
    "read_submission",
    "release",
    "renew",
    "save_draft",
    "skip",
    "submit",
]

_LONGEST_KEY: Final = 200


def submit(
    code: str, rater: Rater, submission: Submission, *, key: str | None = None, body_hash: str = ""
) -> tuple[Annotation, bool]:
    """Hand in an assignment, and settle its solution in the same transaction; (annotation, was it made now?).

    The same submission again (same key and body, or the same body without a key) finds the annotation of the first
    time. A lease that lapsed and was not given away still submits. Raises Http404 for a code that is not the rater's,
    Invalid naming the field, Reused for a key that came with another body, LeaseGone when the solution went to
    somebody else, Conflict when this assignment was submitted with other content.
    """
    if key is not None and (len(key) > _LONGEST_KEY or "\0" in key):
        raise Invalid("key", f"must be at most {_LONGEST_KEY} characters, none of them NUL")
    body_hash = body_hash or submission.hash()
    assignment = leases.find(code, rater)
    try:
        with transaction.atomic():
            # Everybody takes the solution first, then the assignment, then the slot: no two can wait for each other.
            [assignment.solution] = slots.lock([assignment.solution_id])
            assignment = leases.lock(assignment)
            if earlier := _earlier(assignment, rater, key, body_hash):
                return earlier, False
            annotation = _hand_in(assignment, submission, key, body_hash)
    except IntegrityError as error:
        if "annotation_once_by_key" in str(error):  # the key was used at this moment, for another assignment
            raise Reused(f"the key {key} was used for another submission") from error
        raise
    return annotation, True


def _earlier(assignment: Assignment, rater: Rater, key: str | None, body_hash: str) -> Annotation | None:
    """What the same submission made the first time."""
    if key is not None:
        same_key = Annotation.objects.filter(rater=rater, idempotency_key=key).first()
        if same_key is not None:
            if (same_key.assignment_id, same_key.body_hash) != (assignment.pk, body_hash):
                raise Reused(f"the key {key} was used for another submission")
            return same_key
    if assignment.state != AssignmentState.SUBMITTED:
        return None
    submitted = Annotation.objects.get(assignment=assignment, superseded_at=None)
    if key is None and submitted.body_hash == body_hash:
        return submitted
    raise Conflict("this assignment has been submitted already")


def _hand_in(assignment: Assignment, submission: Submission, key: str | None, body_hash: str) -> Annotation:
    submissions.check(submission, assignment.solution.step_count, assignment.asked)
    assignment = leases.still(assignment)
    Slot.objects.filter(pk=assignment.slot_id).update(state=SlotState.DONE)
    assignment.state, assignment.ended_at = AssignmentState.SUBMITTED, timezone.now()
    assignment.save(update_fields=["state", "ended_at"])
    annotation = submissions.store(
        submission,
        solution=assignment.solution,
        rater=assignment.rater,
        purpose=assignment.slot.purpose,
        blind=sightings.is_blind(assignment),
        assignment=assignment,
        key=key,
        body_hash=body_hash,
    )
    Draft.objects.filter(assignment=assignment).delete()
    settlement.settle_locked(assignment.solution)
    return annotation
