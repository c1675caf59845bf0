"""From annotations to labels, disagreements, adjudication and review."""

from __future__ import annotations

import pytest

from annotator import queue, routing, settlement
from annotator.errors import Conflict, Invalid, NotAllowed
from annotator.models import (
    Annotation,
    Disagreement,
    Draft,
    Label,
    Posterior,
    Project,
    Rater,
    Review,
    Settlement,
    Slot,
    SlotState,
    Solution,
    SolutionStatus,
    Source,
)
from annotator.opinions import opinions_of
from annotator.queue import RatingInput, Submission
from tests import factories as make

pytestmark = pytest.mark.django_db


def reading(*ratings: str, finish_reason: str = "") -> Submission:
    found = "found_error" if "-1" in ratings else "solution"
    return Submission(
        tuple(RatingInput(index, rating) for index, rating in enumerate(ratings) if rating), finish_reason or found
    )


GIVE_UP = reading(finish_reason="give_up")
FAULTY = reading(finish_reason="bad_problem")


def queued(overlap: int = 1, **settings: object) -> Solution:
    solution = make.make_solution(make.make_project(overlap=overlap, **settings), steps=3)
    routing.route([solution])
    solution.refresh_from_db()
    return solution


def annotate(solution: Solution, submission: Submission, rater: Rater | None = None) -> Annotation:
    """The next person claims the solution and hands this in."""
    rater = rater or make.make_rater()
    assignment = queue.claim(solution.project, rater)
    assert assignment is not None
    assert assignment.solution == solution
    annotation, _ = queue.submit(assignment.code, rater, submission)
    solution.refresh_from_db()
    return annotation


def current(solution: Solution) -> Settlement | None:
    return Settlement.objects.filter(solution=solution, superseded_at=None).first()


def labels_of(solution: Solution) -> list[tuple[int, int]]:
    return list(Label.objects.filter(solution=solution, superseded_at=None).values_list("index", "value"))


def test_one_person_settles_a_solution_at_overlap_one() -> None:
    solution = queued()
    annotation = annotate(solution, reading("1", "0", "-1"))
    settled = current(solution)
    assert settled is not None
    assert (settled.source, settled.first_error, settled.finish_reason) == (Source.HUMAN, 2, "found_error")
    assert list(settled.annotations.all()) == [annotation]
    assert labels_of(solution) == [(0, 1), (1, 0), (2, -1)]
    assert solution.status == SolutionStatus.SETTLED


def test_ratings_after_the_first_error_never_become_labels() -> None:
    solution = queued()
    annotation = annotate(solution, reading("1", "-1", "-1"))
    assert annotation.rating_rows.count() == 3
    assert labels_of(solution) == [(0, 1), (1, -1)]


def test_two_are_waited_for_at_overlap_two_and_settle_when_they_agree() -> None:
    solution = queued(2)
    annotate(solution, reading("1", "1", "1"))
    assert current(solution) is None
    assert solution.status == SolutionStatus.QUEUED
    annotate(solution, reading("1", "1", "1"))
    settled = current(solution)
    assert settled is not None
    assert settled.first_error == -1
    assert settled.annotations.count() == 2


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        (reading("1", "-1"), reading("1", "1", "-1"), "people differ on the first error: step 2 or step 3"),
        (reading("1", "-1"), reading("1", "1", "1"), "people differ on the first error: step 2 or none"),
        (reading("0", "-1"), reading("1", "-1"), "people rate step 1 differently"),
        (reading("0", "0", "1"), reading("1", "1", "1"), "people rate steps 1, 2 differently"),
        (FAULTY, reading("1", "1", "1"), "people differ on whether the problem is faulty"),
    ],
)
def test_people_who_differ_leave_a_disagreement(one: Submission, other: Submission, reason: str) -> None:
    solution = queued(2)
    annotate(solution, one)
    annotate(solution, other)
    assert Disagreement.objects.get(solution=solution, settled_at=None).reason == reason
    assert solution.status == SolutionStatus.DISPUTED
    assert labels_of(solution) == []
    assert not Slot.objects.filter(state=SlotState.FREE).exists()


def test_differences_after_the_first_error_do_not_matter() -> None:
    solution = queued(2)
    annotate(solution, reading("1", "-1", "1"))
    annotate(solution, reading("1", "-1", "-1"))
    assert labels_of(solution) == [(0, 1), (1, -1)]


def test_a_faulty_problem_settles_without_labels() -> None:
    solution = queued()
    annotate(solution, FAULTY)
    settled = current(solution)
    assert settled is not None
    assert (settled.first_error, settled.finish_reason) == (None, "bad_problem")
    assert labels_of(solution) == []
    assert solution.status == SolutionStatus.SETTLED


@pytest.mark.parametrize("doubt", [GIVE_UP, reading("1", "unsure", "1"), reading("1", "unsure", "-1")])
def test_somebody_who_could_not_tell_brings_in_one_more(doubt: Submission) -> None:
    solution = queued()
    annotate(solution, doubt)
    assert solution.status == SolutionStatus.QUEUED
    assert Slot.objects.filter(state=SlotState.FREE).count() == 1
    annotate(solution, reading("1", "1", "-1"))
    settled = current(solution)
    assert settled is not None
    assert settled.annotations.count() == 1
    assert settled.first_error == 2


def test_unsure_after_the_first_error_is_no_doubt() -> None:
    solution = queued()
    annotate(solution, reading("1", "-1", "unsure"))
    assert labels_of(solution) == [(0, 1), (1, -1)]


def test_when_one_more_cannot_tell_either_it_is_a_disagreement() -> None:
    solution = queued()
    annotate(solution, GIVE_UP)
    annotate(solution, GIVE_UP)
    assert Disagreement.objects.get().reason == "people could not tell"
    assert solution.status == SolutionStatus.DISPUTED


def test_at_overlap_two_a_doubt_is_made_good_by_a_third() -> None:
    solution = queued(2)
    for submission in (GIVE_UP, reading("1", "-1"), reading("1", "-1")):
        assert current(solution) is None
        annotate(solution, submission)
    assert labels_of(solution) == [(0, 1), (1, -1)]


def test_an_audit_is_settled_by_people_alone() -> None:
    solution = queued(audit_share=1.0)
    annotation = annotate(solution, reading("1", "1", "1"))
    assert annotation.purpose == "audit"
    settled = current(solution)
    assert settled is not None
    assert settled.source == Source.HUMAN


def test_people_supersede_what_machines_said() -> None:
    project = make.make_project(threshold=0.9)
    solution = make.make_solution(project, steps=3)
    make.make_judgement(solution, 1)
    routing.route([solution])
    assignment = queue.claim(project, rater := make.make_rater())
    assert assignment is not None
    posterior = Posterior.objects.get(solution=solution, superseded_at=None)
    machine = Settlement.objects.create(
        solution=solution, source="machine", provisional=True, step_count=3, first_error=1, posterior=posterior
    )
    Label.objects.create(solution=solution, settlement=machine, index=0, value=1, source="machine", provisional=True)
    queue.submit(assignment.code, rater, reading("1", "1", "-1"))
    machine.refresh_from_db()
    assert machine.superseded_at is not None
    assert labels_of(solution) == [(0, 1), (1, 1), (2, -1)]
    assert set(Label.objects.filter(superseded_at=None).values_list("source", flat=True)) == {"human"}


def test_steps_nobody_was_asked_about_carry_the_machines_belief() -> None:
    project = make.make_project(threshold=0.999)
    solution = make.make_solution(project, steps=6)
    make.make_own_grade(solution, "wrong")
    make.make_judgement(solution, 4, model="simulated/judge")
    make.make_rollouts(solution, 2, right=12)
    make.make_rollouts(solution, 3, right=6)
    make.make_rollouts(solution, 5, wrong=12)
    routing.route([solution])
    rater = make.make_rater()
    assignment = queue.claim(project, rater)
    assert assignment is not None
    asked = assignment.asked
    assert asked[0] > 0
    ratings = tuple(RatingInput(index, "-1" if index == 4 else "1") for index in asked if index <= 4)
    queue.submit(assignment.code, rater, Submission(ratings, "found_error"))
    rows = Label.objects.filter(superseded_at=None)
    assert [row.value for row in rows] == [1, 1, 1, 1, -1]
    let_pass = [row.index for row in rows if row.p_correct is not None]
    assert let_pass == [index for index in range(5) if index not in asked]
    settled = current(solution)
    assert settled is not None
    assert settled.simulated
    assert settled.posterior is not None


# --- adjudication ------------------------------------------------------------------------------------------------


def disputed() -> tuple[Solution, Disagreement]:
    solution = queued(2)
    annotate(solution, reading("1", "-1"))
    annotate(solution, reading("1", "1", "1"))
    return solution, Disagreement.objects.get()


def test_an_expert_settles_a_disagreement_and_it_is_kept() -> None:
    solution, disagreement = disputed()
    settled = settlement.adjudicate(disagreement, make.make_rater(), reading("1", "1", "-1"))
    disagreement.refresh_from_db()
    solution.refresh_from_db()
    assert (settled.source, settled.first_error) == (Source.ADJUDICATED, 2)
    assert disagreement.settled_at is not None
    assert disagreement.settlement == settled
    assert labels_of(solution) == [(0, 1), (1, 1), (2, -1)]
    assert solution.status == SolutionStatus.SETTLED
    assert Annotation.objects.filter(superseded_at=None).count() == 3
    assert len(opinions_of([solution])[solution.pk]) == 2


@pytest.mark.parametrize("handed_in", [True, False])
def test_nobody_settles_a_disagreement_that_they_are_part_of(handed_in: bool) -> None:
    solution, disagreement = disputed()
    if handed_in:
        rater = Annotation.objects.order_by("pk")[0].rater
    else:
        rater = make.make_rater()
        make.make_assignment(make.make_slot(solution), rater)
    with pytest.raises(NotAllowed, match="somebody else settles"):
        settlement.adjudicate(disagreement, rater, reading("1", "1", "1"))
    assert Disagreement.objects.get().settled_at is None


@pytest.mark.parametrize(
    ("submission", "field"),
    [
        (GIVE_UP, "finish_reason"),
        (reading("1", "unsure", "-1"), "ratings[1].rating"),
        (reading("1", "-1", finish_reason="solution"), "finish_reason"),
        (reading("1"), "ratings"),
    ],
)
def test_an_adjudication_decides(submission: Submission, field: str) -> None:
    _, disagreement = disputed()
    with pytest.raises(Invalid) as refused:
        settlement.adjudicate(disagreement, make.make_rater(), submission)
    assert refused.value.field == field
    assert Disagreement.objects.get().settled_at is None


def test_an_expert_may_find_the_problem_faulty() -> None:
    solution, disagreement = disputed()
    settled = settlement.adjudicate(disagreement, make.make_rater(), FAULTY)
    assert (settled.first_error, settled.finish_reason) == (None, "bad_problem")
    assert labels_of(solution) == []


def test_a_disagreement_is_settled_once() -> None:
    _, disagreement = disputed()
    settlement.adjudicate(disagreement, make.make_rater(), FAULTY)
    with pytest.raises(Conflict):
        settlement.adjudicate(disagreement, make.make_rater(), FAULTY)


# --- review ------------------------------------------------------------------------------------------------------


def test_an_accepted_annotation_changes_nothing() -> None:
    solution = queued()
    annotation = annotate(solution, reading("1", "-1"))
    settlement.review(annotation, make.make_rater(), True)
    assert Review.objects.get().accepted
    assert labels_of(solution) == [(0, 1), (1, -1)]


def test_a_returned_annotation_is_its_raters_turn_again() -> None:
    solution = queued()
    rater = make.make_rater()
    first = annotate(solution, reading("1", "-1"), rater)
    settlement.review(first, make.make_rater(), False, "look at step 2 again")
    solution.refresh_from_db()
    assert solution.status == SolutionStatus.QUEUED
    assert labels_of(solution) == []
    held = queue.held(solution.project, rater)
    assert held is not None
    assert held.pk == first.assignment_id
    assert Draft.objects.get().ratings["1"]["rating"] == "-1"
    second, created = queue.submit(held.code, rater, reading("1", "1", "1"))
    first.refresh_from_db()
    assert created
    assert first.superseded_at is not None
    assert second.superseded_at is None
    assert labels_of(solution) == [(0, 1), (1, 1), (2, 1)]


def test_returned_work_handed_in_unchanged_counts_again() -> None:
    solution = queued()
    rater = make.make_rater()
    first = annotate(solution, reading("1", "-1"), rater)
    settlement.review(first, make.make_rater(), False)
    held = queue.held(solution.project, rater)
    assert held is not None
    assert queue.submit(held.code, rater, reading("1", "-1"))[1]
    assert labels_of(solution) == [(0, 1), (1, -1)]


def test_a_returned_annotation_can_end_a_disagreement() -> None:
    solution, disagreement = disputed()
    wrong = Annotation.objects.order_by("pk")[0]
    settlement.review(wrong, make.make_rater(), False)
    assert wrong.assignment is not None
    queue.submit(wrong.assignment.code, wrong.rater, reading("1", "1", "1"))
    disagreement.refresh_from_db()
    solution.refresh_from_db()
    assert disagreement.settled_at is not None
    assert solution.status == SolutionStatus.SETTLED


def test_nobody_reviews_their_own_work_or_the_same_work_twice() -> None:
    solution = queued()
    rater, reviewer = make.make_rater(), make.make_rater()
    annotation = annotate(solution, reading("1", "-1"), rater)
    with pytest.raises(NotAllowed):
        settlement.review(annotation, rater, True)
    settlement.review(annotation, reviewer, True)
    with pytest.raises(Conflict, match="already"):
        settlement.review(annotation, reviewer, False)
    settlement.review(annotation, make.make_rater(), False)
    with pytest.raises(Conflict, match="returned already"):
        settlement.review(annotation, make.make_rater(), False)


def test_what_an_expert_settled_is_not_returned() -> None:
    _, disagreement = disputed()
    settlement.adjudicate(disagreement, make.make_rater(), FAULTY)
    for annotation in Annotation.objects.all():
        with pytest.raises(Conflict):
            settlement.review(annotation, make.make_rater(), False)


def test_superseded_work_is_not_reviewed() -> None:
    solution = queued()
    rater = make.make_rater()
    first = annotate(solution, reading("1", "-1"), rater)
    settlement.review(first, make.make_rater(), False)
    held = queue.held(solution.project, rater)
    assert held is not None
    queue.submit(held.code, rater, reading("1", "1", "1"))
    with pytest.raises(Conflict, match="superseded"):
        settlement.review(first, make.make_rater(), True)


# --- labels that come along --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first_error", "step_labels", "expected", "labels"),
    [
        (2, None, 2, [(0, 1), (1, 1), (2, -1)]),
        (-1, None, -1, [(0, 1), (1, 1), (2, 1), (3, 1)]),
        (None, [1, 0, -1, None], 2, [(0, 1), (1, 0), (2, -1)]),
        (None, [1, -1, 1, -1], 1, [(0, 1), (1, -1), (2, 1), (3, -1)]),
        (None, [1, 1, 1, 0], -1, [(0, 1), (1, 1), (2, 1), (3, 0)]),
        (None, [1, None, -1, 1], None, [(0, 1), (2, -1), (3, 1)]),
        (2, [1, None, None, None], 2, [(0, 1), (2, -1)]),
        (-1, [1, 0, None, None], -1, [(0, 1), (1, 0)]),
    ],
)
def test_imported_labels_are_settled_as_the_file_has_them(
    first_error: int | None,
    step_labels: list[int | None] | None,
    expected: int | None,
    labels: list[tuple[int, int]],
) -> None:
    project = make.make_project()
    intake = make.make_intake(project)
    solution = make.make_solution(project, steps=4, intake=intake)
    settled = settlement.settle_imported(solution, first_error, step_labels, intake)
    assert (settled.source, settled.first_error, settled.intake) == (Source.IMPORTED, expected, intake)
    assert labels_of(solution) == labels
    solution.refresh_from_db()
    assert solution.status == SolutionStatus.SETTLED


@pytest.mark.parametrize(
    ("first_error", "step_labels", "field"),
    [
        (None, None, "first_error"),
        (4, None, "first_error"),
        (-2, None, "first_error"),
        (None, [1, 1], "step_labels"),
        (None, [None] * 4, "step_labels"),
        (1, [1, 1, -1, None], "step_labels"),
        (-1, [1, -1, None, None], "step_labels"),
        (2, [-1, None, -1, None], "step_labels"),
    ],
)
def test_labels_that_contradict_each_other_are_refused(
    first_error: int | None, step_labels: list[int | None] | None, field: str
) -> None:
    solution = make.make_solution(steps=4)
    with pytest.raises(Invalid) as refused:
        settlement.settle_imported(solution, first_error, step_labels, None)
    assert refused.value.field == field


def test_annotations_that_come_later_do_not_touch_imported_labels() -> None:
    solution = queued()
    settlement.settle_imported(solution, -1, None, None)
    make.make_annotation(solution, make.make_rater(), "-1")
    assert settlement.settle(solution) == "settled"
    settled = current(solution)
    assert settled is not None
    assert settled.source == Source.IMPORTED


def test_a_solution_that_nobody_read_waits() -> None:
    assert settlement.settle(queued()) == "waiting"


def test_a_project_is_not_asked_for_its_overlap_in_vain() -> None:
    """The overlap was raised after the slots were opened: the missing people are asked for."""
    solution = queued(1)
    Project.objects.update(overlap=2)
    annotate(solution, reading("1", "1", "1"))
    assert solution.status == SolutionStatus.QUEUED
    annotate(solution, reading("1", "1", "1"))
    assert solution.status == SolutionStatus.SETTLED
