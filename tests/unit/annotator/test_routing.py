"""Where a solution goes, and that it goes there once."""

from __future__ import annotations

from collections import Counter

import pytest
from django.utils import timezone

from annotator import certification, queue, routing
from annotator.doubts import NOBODY_LOOKED
from annotator.models import (
    Audit,
    Label,
    Project,
    Purpose,
    Routing,
    Settlement,
    Slot,
    SlotState,
    Solution,
    SolutionStatus,
    Source,
)
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    return make.make_project(threshold=0.9)


def certain(project: Project, **fields: object) -> Solution:
    """Judge, rollouts and answer say together that step 1 is the first wrong one."""
    solution = make.make_solution(project, steps=3, **fields)
    make.make_own_grade(solution, "wrong")
    make.make_judgement(solution, 1)
    make.make_rollouts(solution, 1, right=12)
    make.make_rollouts(solution, 2, wrong=12)
    return solution


def doubtful(project: Project) -> Solution:
    """Only a judge has spoken."""
    solution = make.make_solution(project, steps=3)
    make.make_own_grade(solution, "wrong")
    make.make_judgement(solution, 1)
    return solution


def state_of(solution: Solution) -> tuple[object, ...]:
    """Everything that routing may change, for comparing."""
    solution.refresh_from_db()
    tables = (Routing, Settlement, Label, Slot)
    return (solution.status, *(tuple(table.objects.order_by("pk").values_list()) for table in tables))


def current(solution: Solution) -> Settlement:
    return Settlement.objects.get(solution=solution, superseded_at=None)


def test_what_machines_are_certain_of_is_labelled_provisionally(project: Project) -> None:
    solution = certain(project)
    assert routing.route([solution]) == Counter(machine=1)
    settlement = current(solution)
    assert (settlement.source, settlement.first_error, settlement.provisional) == (Source.MACHINE, 1, True)
    labels = Label.objects.filter(settlement=settlement)
    assert [(label.index, label.value, label.provisional) for label in labels] == [(0, 1, True), (1, -1, True)]
    p_correct = [label.p_correct for label in labels]
    assert p_correct[0] is not None
    assert p_correct[1] is not None
    assert p_correct[0] > 0.9 > 0.1 > p_correct[1]
    solution.refresh_from_db()
    assert solution.status == SolutionStatus.MACHINE
    assert not Slot.objects.exists()


def test_a_solution_without_an_error_has_all_its_steps_labelled_good(project: Project) -> None:
    solution = make.make_solution(project, steps=3)
    make.make_own_grade(solution, "right")
    make.make_judgement(solution, -1)
    for prefix in (1, 2):
        make.make_rollouts(solution, prefix, right=16)
    assert routing.route([solution])["machine"] == 1
    assert current(solution).first_error == -1
    assert [label.value for label in Label.objects.all()] == [1, 1, 1]


def test_under_a_certificate_labels_are_not_provisional(project: Project) -> None:
    solution = certain(project)
    certificate = make.make_certificate(project, threshold=0.8)
    routing.route([solution])
    settlement = current(solution)
    assert (settlement.provisional, settlement.certificate) == (False, certificate)
    assert not Label.objects.filter(provisional=True).exists()


def test_the_certificate_decides_the_threshold(project: Project) -> None:
    solution = certain(project)
    make.make_certificate(project, threshold=1.0)
    assert routing.route([solution]) == Counter(people=1)


def test_a_new_certificate_makes_provisional_labels_certified(project: Project) -> None:
    solution = certain(project)
    routing.route([solution])
    make.make_certificate(project, threshold=0.8)
    routing.route([solution])
    assert Settlement.objects.count() == 2
    assert current(solution).provisional is False
    assert set(Label.objects.filter(superseded_at=None).values_list("provisional", flat=True)) == {False}


def test_labels_name_the_certificate_that_is_in_force(project: Project) -> None:
    solution = certain(project)
    first = make.make_certificate(project, threshold=0.8)
    routing.route([solution])
    first.withdrawn_at = timezone.now()
    first.save()
    second = make.make_certificate(project, threshold=0.8)
    routing.route([solution])
    assert current(solution).certificate == second


def test_the_rest_goes_to_people_with_a_reason_and_the_open_steps(project: Project) -> None:
    solution = doubtful(project)
    assert routing.route([solution]) == Counter(people=1)
    row = Routing.objects.get()
    assert row.reason
    assert row.asked
    assert row.threshold == 0.9
    slot = Slot.objects.get()
    assert (slot.state, slot.purpose) == (SlotState.FREE, Purpose.LABEL)
    assert 0 < slot.priority <= 2
    solution.refresh_from_db()
    assert solution.status == SolutionStatus.QUEUED


def test_what_no_machine_has_looked_at_is_queued_whole(project: Project) -> None:
    bare = make.make_solution(project, steps=3)
    own_answer_only = make.make_solution(project, steps=3)
    make.make_own_grade(own_answer_only, "right")
    make.make_rollouts(own_answer_only, 1, unknown=4)
    assert routing.route([bare, own_answer_only]) == Counter(people=2)
    for row in Routing.objects.all():
        assert (row.reason, row.asked) == (NOBODY_LOOKED, [0, 1, 2])


def test_as_many_slots_are_opened_as_people_should_read_it(project: Project) -> None:
    project.overlap = 3
    project.save()
    solution = doubtful(project)
    routing.route([solution])
    assert Slot.objects.filter(solution=solution, state=SlotState.FREE).count() == 3


def test_a_changed_overlap_changes_the_free_slots(project: Project) -> None:
    solution = doubtful(project)
    for overlap, free in ((3, 3), (1, 1), (2, 2)):
        Project.objects.update(overlap=overlap)
        routing.route([solution])
        assert Slot.objects.filter(state=SlotState.FREE).count() == free


def test_routing_again_changes_nothing(project: Project) -> None:
    solutions = [certain(project), doubtful(project), make.make_solution(project)]
    routing.route(solutions)
    before = [state_of(solution) for solution in solutions]
    assert routing.route(solutions) == Counter(machine=1, people=2)
    assert [state_of(solution) for solution in solutions] == before


def test_what_machines_are_no_longer_certain_of_loses_its_labels(project: Project) -> None:
    solution = certain(project)
    routing.route([solution])
    Project.objects.update(threshold=1.0)
    assert routing.route([solution]) == Counter(people=1)
    assert not Label.objects.filter(superseded_at=None).exists()
    assert not Settlement.objects.filter(superseded_at=None).exists()
    solution.refresh_from_db()
    assert solution.status == SolutionStatus.QUEUED
    assert Slot.objects.get().state == SlotState.FREE


def test_what_machines_have_since_settled_leaves_the_queue(project: Project) -> None:
    solution = doubtful(project)
    routing.route([solution])
    make.make_rollouts(solution, 1, right=12)
    make.make_rollouts(solution, 2, wrong=12)
    assert routing.route([solution]) == Counter(machine=1)
    assert Slot.objects.get().state == SlotState.CLOSED
    assert Routing.objects.filter(superseded_at=None).get().destination == "machine"


def test_a_solution_with_people_at_work_is_left_alone(project: Project) -> None:
    solution = doubtful(project)
    routing.route([solution])
    rater = make.make_rater()
    assert queue.claim(project, rater)
    make.make_rollouts(solution, 1, right=12)
    make.make_rollouts(solution, 2, wrong=12)
    assert routing.route([solution]) == Counter(kept=1)
    assert not Settlement.objects.exists()


@pytest.mark.parametrize("source", [Source.HUMAN, Source.ADJUDICATED, Source.IMPORTED, Source.GOLD])
def test_what_people_or_files_settled_is_left_alone(project: Project, source: str) -> None:
    solution = certain(project, status=SolutionStatus.SETTLED)
    Settlement.objects.create(solution=solution, source=source, step_count=3, first_error=-1)
    assert routing.route([solution]) == Counter(kept=1)
    assert current(solution).source == source


def test_what_was_withdrawn_or_superseded_or_is_disputed_is_left_alone(project: Project) -> None:
    withdrawn = certain(project, withdrawn_at=timezone.now())
    superseded = certain(project, superseded_by=make.make_solution(project))
    disputed = certain(project, status=SolutionStatus.DISPUTED)
    assert routing.route([withdrawn, superseded, disputed]) == Counter(kept=3)
    assert not Routing.objects.exists()


def test_an_audit_is_read_blind_and_whole(project: Project) -> None:
    Project.objects.update(audit_share=1.0, overlap=2)
    solution = certain(project)
    assert routing.route([solution]) == Counter(audit=1)
    row = Routing.objects.get()
    assert (row.destination, row.reason, row.asked) == ("audit", "", [0, 1, 2])
    assert set(Slot.objects.values_list("purpose", "state")) == {(Purpose.AUDIT, SlotState.FREE)}
    assert Slot.objects.count() == 2
    assert row.posterior is not None
    assert not Settlement.objects.exists()


def test_an_audit_stays_one_when_it_is_routed_again(project: Project) -> None:
    Project.objects.update(audit_share=1.0)
    solution = certain(project)
    routing.route([solution])
    Project.objects.update(audit_share=0.0)
    before = state_of(solution)
    assert routing.route([solution]) == Counter(audit=1)
    assert state_of(solution) == before


def test_what_was_routed_is_not_drawn_any_more(project: Project) -> None:
    solution = doubtful(project)
    routing.route([solution])
    Project.objects.update(audit_share=1.0)
    assert routing.route([solution]) == Counter(people=1)
    assert not Audit.objects.exists()


def test_the_audit_share_is_kept_and_does_not_depend_on_order() -> None:
    project = make.make_project(audit_share=0.2)
    problem = make.make_problem(project)
    solutions = [make.make_solution(problem=problem, steps=1) for _ in range(150)]
    first = certification.draw_audit(solutions[:70]) | certification.draw_audit(solutions[70:])
    assert certification.draw_audit(list(reversed(solutions))) == first
    assert Audit.objects.count() == len(first)
    expected = {each.pk for each in solutions if certification.chance("audit", each.code) < 0.2}
    assert first == expected
    assert 10 <= len(first) <= 55


def test_no_audit_is_drawn_at_share_zero(project: Project) -> None:
    assert certification.draw_audit([doubtful(project)]) == set()


def test_a_withdrawn_certificate_is_not_in_force(project: Project) -> None:
    assert certification.threshold_of(project) == (0.9, None)
    certificate = make.make_certificate(project, threshold=0.8)
    assert certification.threshold_of(project) == (0.8, certificate)
    assert certification.audit_readers(project) == 2
    certificate.withdrawn_at = timezone.now()
    certificate.save()
    assert certification.in_force(project) is None
    assert certification.audit_readers(project) == 1


def test_labels_that_rest_on_the_simulator_say_so(project: Project) -> None:
    solution = certain(project)
    make.make_judgement(solution, 1, model="simulated/judge")
    routing.route([solution])
    assert current(solution).simulated


def test_solutions_of_several_projects_are_held_to_their_own_thresholds(project: Project) -> None:
    strict = make.make_project(threshold=1.0)
    assert routing.route([certain(project), certain(strict)]) == Counter(machine=1, people=1)
