"""Claiming, leases and handing in, one connection at a time; races are in tests/integration/queue."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.http import Http404
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotator import queue
from annotator.errors import Conflict, Invalid, LeaseGone, NotAllowed, Reused
from annotator.models import (
    Annotation,
    Assignment,
    AssignmentState,
    Draft,
    Project,
    Rater,
    Rating,
    Routing,
    Slot,
    SlotState,
    Solution,
)
from annotator.queue import RatingInput, Submission
from reasoning.characters import unescape
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def rater() -> Rater:
    return make.make_rater()


def queued(project: Project, *, steps: int = 3, slots: int = 1, priority: float = 0.0) -> Solution:
    solution = make.make_solution(project, steps=steps)
    for _ in range(slots):
        make.make_slot(solution, priority=priority)
    return solution


def reading(*ratings: str, finish_reason: str = "", comment: str = "") -> Submission:
    found = "found_error" if "-1" in ratings else "solution"
    inputs = tuple(RatingInput(index, rating) for index, rating in enumerate(ratings) if rating)
    return Submission(inputs, finish_reason or found, comment, 12.5)


GOOD = reading("1", "1", "1")


def claimed(project: Project, rater: Rater) -> Assignment:
    assignment = queue.claim(project, rater)
    assert assignment is not None
    return assignment


def lapse(assignment: Assignment) -> None:
    past = timezone.now() - timedelta(hours=1)
    Assignment.objects.filter(pk=assignment.pk).update(created_at=past, lease_until=past + timedelta(minutes=1))


# --- claim -------------------------------------------------------------------------------------------------------


def test_a_claim_takes_the_most_urgent_solution(project: Project, rater: Rater) -> None:
    queued(project, priority=0.1)
    urgent = queued(project, priority=0.9)
    assignment = claimed(project, rater)
    assert assignment.solution == urgent
    assert assignment.slot.state == SlotState.TAKEN
    assert assignment.lease_until > timezone.now() + timedelta(minutes=29)


def test_nothing_is_free_when_all_is_taken(project: Project, rater: Rater) -> None:
    queued(project)
    claimed(project, make.make_rater())
    assert queue.claim(project, rater) is None


def test_a_rater_is_never_given_what_they_hold(project: Project, rater: Rater) -> None:
    queued(project, slots=2)
    claimed(project, rater)
    assert queue.claim(project, rater) is None
    assert queue.free_count(project, rater) == 0
    assert queue.free_count(project, make.make_rater()) == 1


def test_a_rater_is_never_given_what_they_did(project: Project, rater: Rater) -> None:
    project.overlap = 2
    project.save()
    queued(project, slots=2)
    queue.submit(claimed(project, rater).code, rater, GOOD)
    assert queue.claim(project, rater) is None


def test_what_was_skipped_never_comes_back_to_its_rater(project: Project, rater: Rater) -> None:
    solution = queued(project)
    queue.skip(claimed(project, rater).code, rater)
    assert queue.claim(project, rater) is None
    assert claimed(project, make.make_rater()).solution == solution


def test_what_was_released_may_come_back_to_its_rater(project: Project, rater: Rater) -> None:
    solution = queued(project)
    queue.release(claimed(project, rater).code, rater)
    assert claimed(project, rater).solution == solution


def test_nothing_of_another_project_or_an_archived_one_is_given(project: Project, rater: Rater) -> None:
    queued(make.make_project())
    assert queue.claim(project, rater) is None
    queued(project)
    project.archived_at = timezone.now()
    assert queue.claim(project, rater) is None
    assert queue.free_count(project, rater) == 0


def test_the_asked_steps_are_those_of_the_routing(project: Project, rater: Rater) -> None:
    solution = queued(project)
    Routing.objects.create(solution=solution, destination="people", reason="", threshold=0.9, asked=[1, 2])
    assert claimed(project, rater).asked == [1, 2]


def test_all_steps_of_an_audit_are_asked(project: Project, rater: Rater) -> None:
    solution = make.make_solution(project, steps=3)
    make.make_slot(solution, purpose="audit")
    assert claimed(project, rater).asked == [0, 1, 2]


def test_a_claim_costs_the_same_however_many_leases_stand(project: Project, rater: Rater) -> None:
    for _ in range(4):
        queued(project)
    counts = []
    for _ in range(3):
        with CaptureQueriesContext(
            connection,
        ) as captured:
            claimed(project, rater)
        counts.append(len(captured))
    assert len(set(counts)) == 1


def test_a_lapsed_lease_is_given_to_the_next_who_finds_nothing_else(project: Project, rater: Rater) -> None:
    solution = queued(project)
    lapse(claimed(project, rater))
    assert claimed(project, make.make_rater()).solution == solution


# --- holding -----------------------------------------------------------------------------------------------------


def test_what_is_held_is_found_again(project: Project, rater: Rater) -> None:
    queued(project)
    assert queue.held(project, rater) is None
    assignment = claimed(project, rater)
    assert queue.held(project, rater) == assignment
    assert queue.held(make.make_project(), rater) is None


def test_a_lapsed_lease_with_a_draft_is_found_again_unless_somebody_took_the_slot(
    project: Project, rater: Rater
) -> None:
    queued(project)
    assignment = claimed(project, rater)
    queue.save_draft(assignment.code, rater, ratings={"0": {"rating": 1}}, undo=[], comment="", seconds=1.0, version=0)
    lapse(assignment)
    assert queue.expire_lapsed() == 1
    held = queue.held(project, rater)
    assert held == assignment
    assert held.lease_until > timezone.now()

    lapse(assignment)
    queue.expire_lapsed()
    assert claimed(project, make.make_rater()).slot == assignment.slot
    assert queue.held(project, rater) is None


def test_a_lapsed_lease_without_a_draft_is_not_held(project: Project, rater: Rater) -> None:
    queued(project)
    lapse(claimed(project, rater))
    queue.expire_lapsed()
    assert queue.held(project, rater) is None


def test_holding_on_renews_a_lease_that_lapsed(project: Project, rater: Rater) -> None:
    queued(project)
    assignment = claimed(project, rater)
    lapse(assignment)
    held = queue.held(project, rater)
    assert held is not None
    assert held.lease_until > timezone.now()


def test_a_lease_can_be_renewed(project: Project, rater: Rater) -> None:
    queued(project)
    assignment = claimed(project, rater)
    lapse(assignment)
    assert queue.renew(assignment.code, rater).lease_until > timezone.now() + timedelta(minutes=29)


def test_a_lease_that_expired_and_is_still_free_can_be_renewed(project: Project, rater: Rater) -> None:
    queued(project)
    assignment = claimed(project, rater)
    lapse(assignment)
    assert queue.expire_lapsed() == 1
    renewed = queue.renew(assignment.code, rater)
    assert renewed.state == AssignmentState.OPEN
    assert Slot.objects.get().state == SlotState.TAKEN


def test_a_lease_that_went_to_somebody_else_is_gone(project: Project, rater: Rater) -> None:
    queued(project)
    assignment = claimed(project, rater)
    lapse(assignment)
    queue.expire_lapsed()
    claimed(project, make.make_rater())
    for act in (queue.renew, queue.find):
        if act is queue.find:
            assert queue.find(assignment.code, rater).state == AssignmentState.EXPIRED
        else:
            with pytest.raises(LeaseGone, match="somebody else"):
                act(assignment.code, rater)


def test_a_lease_that_its_rater_claimed_anew_is_gone(project: Project, rater: Rater) -> None:
    queued(project, slots=2)
    first = claimed(project, rater)
    lapse(first)
    queue.expire_lapsed()
    second = claimed(project, rater)
    assert second.solution == first.solution
    with pytest.raises(LeaseGone):
        queue.renew(first.code, rater)


def test_only_lapsed_leases_expire(project: Project, rater: Rater) -> None:
    queued(project)
    queued(project)
    lapse(claimed(project, rater))
    claimed(project, rater)
    assert queue.expire_lapsed() == 1
    assert queue.expire_lapsed() == 0
    assert Slot.objects.filter(state=SlotState.FREE).count() == 1


def test_what_was_given_back_cannot_be_given_back_or_renewed_again(project: Project, rater: Rater) -> None:
    queued(project)
    code = claimed(project, rater).code
    queue.release(code, rater)
    for act in (queue.release, queue.renew):
        with pytest.raises(LeaseGone, match="given back"):
            act(code, rater)


def test_an_assignment_is_nobody_elses_business(project: Project, rater: Rater) -> None:
    queued(project)
    code = claimed(project, rater).code
    stranger = make.make_rater()
    for act in (queue.renew, queue.release, queue.skip, queue.find):
        with pytest.raises(Http404):
            act(code, stranger)
    with pytest.raises(Http404):
        queue.submit(code, stranger, GOOD)
    with pytest.raises(Http404):
        queue.find("nothing", rater)


def test_evidence_seen_makes_the_annotation_not_blind(project: Project, rater: Rater) -> None:
    queued(project)
    queued(project)
    blind, _ = queue.submit(claimed(project, rater).code, rater, GOOD)
    assignment = claimed(project, rater)
    queue.note_evidence_seen(assignment)
    queue.note_evidence_seen(assignment)
    seen, _ = queue.submit(assignment.code, rater, GOOD)
    assert (blind.blind, seen.blind) == (True, False)


def test_evidence_is_never_shown_of_an_audit(project: Project, rater: Rater) -> None:
    make.make_slot(make.make_solution(project), purpose="audit")
    with pytest.raises(NotAllowed):
        queue.note_evidence_seen(claimed(project, rater))


# --- submit ------------------------------------------------------------------------------------------------------


def test_a_submission_is_stored_whole(project: Project, rater: Rater) -> None:
    queued(project)
    assignment = claimed(project, rater)
    ratings = (RatingInput(0, "1"), RatingInput(1, "-1", "9 × 2 is 18\0", "18"), RatingInput(2, "0"))
    annotation, created = queue.submit(
        assignment.code, rater, Submission(ratings, "found_error", "odd\ud800", 3.5), key="k"
    )
    assert created
    assert annotation.purpose == "label"
    assert unescape(annotation.comment) == "odd\ud800"
    assert annotation.seconds == 3.5
    rows = Rating.objects.filter(annotation=annotation)
    assert [(row.index, row.rating, unescape(row.reason), row.correction) for row in rows] == [
        (0, "1", "", ""),
        (1, "-1", "9 × 2 is 18\0", "18"),
        (2, "0", "", ""),
    ]
    assert Slot.objects.get().state == SlotState.DONE
    assert Assignment.objects.get().state == AssignmentState.SUBMITTED


def test_the_same_submission_again_finds_the_first(project: Project, rater: Rater) -> None:
    queued(project)
    code = claimed(project, rater).code
    first, created = queue.submit(code, rater, GOOD, key="k")
    second, again = queue.submit(code, rater, GOOD, key="k")
    assert (first, created, again) == (second, True, False)
    assert Annotation.objects.count() == 1


def test_the_same_submission_without_a_key_finds_the_first_too(project: Project, rater: Rater) -> None:
    queued(project)
    code = claimed(project, rater).code
    first, _ = queue.submit(code, rater, GOOD)
    assert queue.submit(code, rater, GOOD) == (first, False)


def test_a_key_with_another_body_is_refused(project: Project, rater: Rater) -> None:
    queued(project)
    queued(project)
    code = claimed(project, rater).code
    queue.submit(code, rater, GOOD, key="k", body_hash="a")
    with pytest.raises(Reused):
        queue.submit(code, rater, GOOD, key="k", body_hash="b")
    with pytest.raises(Reused):
        queue.submit(claimed(project, rater).code, rater, GOOD, key="k", body_hash="a")


def test_a_second_submission_with_other_content_is_refused(project: Project, rater: Rater) -> None:
    queued(project)
    code = claimed(project, rater).code
    queue.submit(code, rater, GOOD)
    with pytest.raises(Conflict, match="submitted already"):
        queue.submit(code, rater, reading("-1"))
    with pytest.raises(Conflict, match="submitted already"):
        queue.submit(code, rater, GOOD, key="late")


def test_a_lease_that_lapsed_and_was_not_given_away_still_submits(project: Project, rater: Rater) -> None:
    queued(project)
    assignment = claimed(project, rater)
    lapse(assignment)
    queue.expire_lapsed()
    annotation, created = queue.submit(assignment.code, rater, GOOD)
    assert created
    assert annotation.assignment_id == assignment.pk
    assert Slot.objects.get().state == SlotState.DONE


def test_a_lease_that_was_given_away_does_not_submit(project: Project, rater: Rater) -> None:
    queued(project)
    assignment = claimed(project, rater)
    lapse(assignment)
    second = make.make_rater()
    other = claimed(project, second)
    with pytest.raises(LeaseGone):
        queue.submit(assignment.code, rater, GOOD)
    assert queue.submit(other.code, second, GOOD)[1]


def test_a_refused_submission_stores_nothing(project: Project, rater: Rater) -> None:
    queued(project)
    code = claimed(project, rater).code
    with pytest.raises(Invalid):
        queue.submit(code, rater, reading("1"))
    assert not Annotation.objects.exists()
    assert Assignment.objects.get().state == AssignmentState.OPEN
    assert queue.submit(code, rater, GOOD)[1]


def test_a_withdrawn_solution_takes_no_more_work(project: Project, rater: Rater) -> None:
    from annotator import slots

    solution = queued(project, slots=2)
    code = claimed(project, rater).code
    slots.close_all([solution])
    with pytest.raises(LeaseGone):
        queue.submit(code, rater, GOOD)
    assert not Slot.objects.exclude(state=SlotState.CLOSED).exists()


# --- drafts ------------------------------------------------------------------------------------------------------


def save(code: str, rater: Rater, version: int, **changes: object) -> Draft:
    values = {"ratings": {"0": {"rating": 1}}, "undo": [], "comment": "", "seconds": 1.0, **changes}
    return queue.save_draft(code, rater, version=version, **values)  # type: ignore[arg-type]


def test_a_draft_is_kept_with_its_undo_log(project: Project, rater: Rater) -> None:
    queued(project)
    code = claimed(project, rater).code
    assert save(code, rater, 0).version == 1
    draft = save(code, rater, 1, ratings={"1": {"rating": "unsure"}}, undo=[{"index": 0}], comment="hm\0")
    kept = Draft.objects.get()
    assert (kept.version, kept.ratings, kept.undo) == (2, {"1": {"rating": "unsure"}}, [{"index": 0}])
    assert unescape(draft.comment) == "hm\0"


def test_an_old_window_does_not_overwrite_a_newer_draft(project: Project, rater: Rater) -> None:
    from annotator.errors import StaleDraft

    queued(project)
    code = claimed(project, rater).code
    save(code, rater, 0)
    for version in (0, 2):
        with pytest.raises(StaleDraft):
            save(code, rater, version)


def test_saving_a_draft_renews_the_lease(project: Project, rater: Rater) -> None:
    queued(project)
    assignment = claimed(project, rater)
    lapse(assignment)
    save(assignment.code, rater, 0)
    assert Assignment.objects.get().lease_until > timezone.now()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"ratings": {"3": {"rating": 1}}}, "ratings"),
        ({"ratings": {"x": {"rating": 1}}}, "ratings"),
        ({"ratings": {"0": {"rating": 2}}}, "ratings.0.rating"),
        ({"ratings": {"0": {"rating": True}}}, "ratings.0.rating"),
        ({"ratings": {"0": "bad"}}, "ratings.0.rating"),
        ({"seconds": float("nan")}, "seconds"),
    ],
)
def test_a_draft_of_nonsense_is_refused(project: Project, rater: Rater, changes: dict[str, object], field: str) -> None:
    queued(project)
    code = claimed(project, rater).code
    with pytest.raises(Invalid) as refused:
        save(code, rater, 0, **changes)
    assert refused.value.field == field


def test_a_draft_ends_with_its_submission(project: Project, rater: Rater) -> None:
    queued(project)
    code = claimed(project, rater).code
    save(code, rater, 0)
    queue.submit(code, rater, GOOD)
    assert not Draft.objects.exists()
    with pytest.raises(LeaseGone, match="submitted"):
        save(code, rater, 1)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("seconds", {"seconds": 10**400}),
        ("seconds", {"seconds": float("nan")}),
        ("ratings", {"ratings": {"9" * 5000: {"rating": 1}}}),
        ("ratings", {"ratings": {"00": {"rating": 1}}}),
        ("undo", {"undo": [{"seconds": float("nan")}]}),
    ],
)
def test_a_draft_that_no_page_writes_is_refused_by_field(
    project: Project, rater: Rater, field: str, values: dict[str, object]
) -> None:
    queued(project)
    with pytest.raises(Invalid) as refused:
        save(claimed(project, rater).code, rater, 0, **values)
    assert refused.value.field == field


@pytest.mark.parametrize("key", ["k" * 201, "\0"])
def test_a_key_that_cannot_be_kept_is_refused(project: Project, rater: Rater, key: str) -> None:
    queued(project)
    with pytest.raises(Invalid, match="key"):
        queue.submit(claimed(project, rater).code, rater, GOOD, key=key)
