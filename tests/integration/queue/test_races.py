"""Races of real connections: every thread has its own, and its transactions really commit."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TypeVar

import pytest
from django.db import connection, transaction
from django.utils import timezone

from annotator import intake, queue, routing, settlement
from annotator.errors import LeaseGone, Reused
from annotator.models import (
    Annotation,
    Assignment,
    AssignmentState,
    Disagreement,
    Posterior,
    Project,
    Rater,
    Routing,
    Settlement,
    Slot,
    SlotState,
    Solution,
    SolutionStatus,
)
from annotator.queue import RatingInput, Submission
from tests import factories as make

pytestmark = pytest.mark.django_db(transaction=True)

GOOD = Submission((RatingInput(0, "1"), RatingInput(1, "1")), "solution")
BAD = Submission((RatingInput(0, "1"), RatingInput(1, "-1")), "found_error")
Result = TypeVar("Result")


def at_once(*acts: Callable[[], Result]) -> list[Result]:
    """Run each act in a thread with its own connection, all starting at the same moment."""
    barrier = threading.Barrier(len(acts))

    def run(act: Callable[[], Result]) -> Result:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=30)
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [future.result(timeout=120) for future in [pool.submit(run, act) for act in acts]]


def solutions_of(project: Project, count: int, *, slots: int = 1) -> list[Solution]:
    made = [make.make_solution(project, steps=2) for _ in range(count)]
    for solution in made:
        for _ in range(slots):
            make.make_slot(solution)
    return made


def work_through(project: Project, rater: Rater, submission: Submission = GOOD) -> list[int]:
    """Claim and submit as fast as it goes until nothing is free; the solutions in the order they came."""
    done = []
    while (assignment := queue.claim(project, rater)) is not None:
        queue.submit(assignment.code, rater, submission)
        done.append(assignment.solution_id)
    return done


def claim_all(project: Project, rater: Rater) -> list[int]:
    held = []
    while (assignment := queue.claim(project, rater)) is not None:
        held.append(assignment.solution_id)
    return held


def test_two_annotators_never_get_one_solution_of_two_hundred() -> None:
    project = make.make_project()
    solutions = solutions_of(project, 200)
    raters = [make.make_rater(), make.make_rater()]
    one, other = at_once(*(lambda rater=rater: work_through(project, rater) for rater in raters))
    assert Counter(one + other) == Counter(solution.pk for solution in solutions)
    assert Annotation.objects.count() == 200
    assert set(Solution.objects.values_list("status", flat=True)) == {SolutionStatus.SETTLED}


def test_eight_annotators_who_only_claim_share_the_solutions_out() -> None:
    project = make.make_project()
    solutions = solutions_of(project, 100)
    raters = [make.make_rater() for _ in range(8)]
    held = at_once(*(lambda rater=rater: claim_all(project, rater) for rater in raters))
    assert Counter(pk for each in held for pk in each) == Counter(solution.pk for solution in solutions)


def test_with_overlap_two_every_solution_is_read_by_two_different_people() -> None:
    project = make.make_project(overlap=2)
    solutions = solutions_of(project, 60, slots=2)
    raters = [make.make_rater() for _ in range(3)]
    done = at_once(*(lambda rater=rater: work_through(project, rater) for rater in raters))
    assert all(len(each) == len(set(each)) for each in done)
    assert Counter(pk for each in done for pk in each) == dict.fromkeys((s.pk for s in solutions), 2)
    assert Settlement.objects.filter(superseded_at=None, source="human").count() == 60


def test_one_annotator_in_two_windows_never_holds_a_solution_twice() -> None:
    project = make.make_project(overlap=2)
    solutions_of(project, 40, slots=2)
    rater = make.make_rater()
    windows = at_once(*(lambda: claim_all(project, rater) for _ in range(4)))
    held = [pk for each in windows for pk in each]
    assert len(held) == len(set(held)) == 40


def lapsed(project: Project, rater: Rater) -> Assignment:
    assignment = queue.claim(project, rater)
    assert assignment is not None
    past = timezone.now() - timedelta(hours=1)
    Assignment.objects.filter(pk=assignment.pk).update(created_at=past, lease_until=past + timedelta(minutes=1))
    queue.expire_lapsed()
    return assignment


def outcome(act: Callable[[], object]) -> str:
    try:
        act()
    except LeaseGone:
        return "gone"
    return "done"


@pytest.mark.parametrize("attempt", range(5))
def test_a_lapsed_lease_is_submitted_or_given_away_and_never_both(attempt: int) -> None:
    project = make.make_project()
    solutions_of(project, 1)
    first, second = make.make_rater(), make.make_rater()
    assignment = lapsed(project, first)
    submitted, given = at_once(
        lambda: outcome(lambda: queue.submit(assignment.code, first, GOOD)),
        lambda: "given" if queue.claim(project, second) else "nothing free",
    )
    assert (submitted, given) in {("done", "nothing free"), ("gone", "given")}
    live = Assignment.objects.filter(state__in=(AssignmentState.OPEN, AssignmentState.SUBMITTED))
    assert live.count() == 1
    assert Annotation.objects.count() == (submitted == "done")


@pytest.mark.parametrize("attempt", range(3))
def test_the_same_submission_sent_twice_at_once_is_stored_once(attempt: int) -> None:
    project = make.make_project()
    solutions_of(project, 1)
    rater = make.make_rater()
    assignment = queue.claim(project, rater)
    assert assignment is not None
    results = at_once(*(lambda: queue.submit(assignment.code, rater, GOOD, key="k") for _ in range(4)))
    assert sorted(created for _, created in results) == [False, False, False, True]
    assert len({annotation.pk for annotation, _ in results}) == 1


def test_one_key_for_two_assignments_at_once_is_refused_once() -> None:
    project = make.make_project()
    solutions_of(project, 2)
    rater = make.make_rater()
    codes = [assignment.code for assignment in (queue.claim(project, rater), queue.claim(project, rater)) if assignment]

    def hand_in(code: str) -> str:
        try:
            queue.submit(code, rater, GOOD, key="k")
        except Reused:
            return "reused"
        return "done"

    assert sorted(at_once(*(lambda code=code: hand_in(code) for code in codes))) == ["done", "reused"]
    assert Annotation.objects.count() == 1


def test_the_sweep_and_a_renewal_do_not_wait_for_each_other() -> None:
    project = make.make_project()
    solutions_of(project, 30)
    rater = make.make_rater()
    codes = [assignment.code for assignment in iter(lambda: queue.claim(project, rater), None)]
    past = timezone.now() - timedelta(hours=1)
    Assignment.objects.update(created_at=past, lease_until=past + timedelta(minutes=1))

    def renew_all() -> Sequence[str]:
        return [outcome(lambda code=code: queue.renew(code, rater)) for code in codes]

    def sweep() -> Sequence[str]:
        return [str(queue.expire_lapsed()) for _ in range(10)]

    renewed, _ = at_once(renew_all, sweep)
    assert set(renewed) == {"done"}
    assert Slot.objects.filter(state=SlotState.TAKEN).count() == 30


def test_two_who_disagree_at_once_open_one_disagreement() -> None:
    for _ in range(5):
        project = make.make_project(overlap=2)
        [solution] = solutions_of(project, 1, slots=2)
        raters = [make.make_rater(), make.make_rater()]
        work = [(queue.claim(project, rater), rater, said) for rater, said in zip(raters, (GOOD, BAD), strict=True)]
        at_once(*(lambda a=a, r=r, s=s: queue.submit(a.code, r, s) for a, r, s in work if a))
        assert Disagreement.objects.filter(solution=solution, settled_at=None).count() == 1
        solution.refresh_from_db()
        assert solution.status == SolutionStatus.DISPUTED


def test_routing_the_same_solutions_twice_at_once_decides_once() -> None:
    project = make.make_project()
    solutions = [make.make_solution(project, steps=3) for _ in range(20)]
    for solution in solutions:
        make.make_judgement(solution, 1)
        make.make_own_grade(solution, "wrong")
    at_once(*(lambda: routing.route(solutions) for _ in range(3)))
    for table in (Posterior, Routing):
        assert table.objects.filter(solution__in=solutions).count() == 20
    assert Slot.objects.filter(solution__in=solutions).count() <= 20


def test_people_and_routing_at_once_never_wait_for_each_other_for_good() -> None:
    project = make.make_project()
    solutions = [make.make_solution(project, steps=2) for _ in range(40)]
    routing.route(solutions)
    for solution in solutions:
        make.make_judgement(solution, 1)
        for prefix in (0, 1):
            make.make_rollouts(solution, prefix, right=8)
    raters = [make.make_rater(), make.make_rater()]
    at_once(
        *(lambda rater=rater: work_through(project, rater) for rater in raters),
        lambda: [routing.route(solutions) for _ in range(5)] and [],
    )
    work_through(project, raters[0])
    statuses = set(Solution.objects.filter(project=project).values_list("status", flat=True))
    assert statuses <= {SolutionStatus.SETTLED, SolutionStatus.MACHINE}
    assert not Slot.objects.filter(project=project, state__in=(SlotState.FREE, SlotState.TAKEN)).exists()
    for solution in solutions:
        assert Settlement.objects.filter(solution=solution, superseded_at=None).count() == 1


def test_an_expert_settles_a_disagreement_once() -> None:
    from annotator.errors import Conflict

    project = make.make_project(overlap=2)
    [solution] = solutions_of(project, 1, slots=2)
    for said in (GOOD, BAD):
        rater = make.make_rater()
        assignment = queue.claim(project, rater)
        assert assignment is not None
        queue.submit(assignment.code, rater, said)
    disagreement = Disagreement.objects.get(solution=solution)
    experts = [make.make_rater(), make.make_rater()]

    def decide(rater: Rater) -> str:
        try:
            settlement.adjudicate(disagreement, rater, BAD)
        except Conflict:
            return "late"
        return "settled"

    assert sorted(at_once(*(lambda rater=rater: decide(rater) for rater in experts))) == ["late", "settled"]
    assert Settlement.objects.filter(solution=solution).count() == 1


def test_what_is_claimed_while_it_is_withdrawn_is_not_worked_on() -> None:
    project, rater = make.make_project(), make.make_rater()
    brought = make.make_intake(project)
    make.make_slot(make.make_solution(project, steps=2, intake=brought))
    claimed = threading.Event()

    def claim_slowly() -> Assignment | None:
        with transaction.atomic():
            assignment = queue.claim(project, rater)
            claimed.set()
            wait_until_somebody_waits()
        return assignment

    def withdraw() -> None:
        claimed.wait(timeout=30)
        intake.withdraw(brought, None)

    assignment = at_once(claim_slowly, withdraw)[0]
    assert assignment is not None
    assert Assignment.objects.get().state == AssignmentState.RELEASED
    with pytest.raises(LeaseGone):
        queue.submit(assignment.code, rater, GOOD)


def wait_until_somebody_waits() -> None:
    """Until another connection of this database waits for a lock; the statement itself does the waiting."""
    with connection.cursor() as cursor:
        for _ in range(300):
            cursor.execute("SELECT pg_sleep(0.05), pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                return
    raise AssertionError("nobody waits")
