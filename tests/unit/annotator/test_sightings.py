"""Blind work is blind: evidence is withheld while it could still sway a rater, and who was shown it is known."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from annotator import queue, routing, settlement, sightings
from annotator.errors import NotAllowed
from annotator.models import Assignment, Audit, Person, Project, Purpose, Role, Slot, Solution, join
from annotator.queue import RatingInput, Submission
from tests import factories as make
from tests.unit.annotator.api.caller import Caller, json_of

pytestmark = pytest.mark.django_db
RIGHT = Submission(tuple(RatingInput(index, "1") for index in range(4)), "solution")
REASON = "nine times two is not 17"


@pytest.fixture
def project() -> Project:
    return make.make_project(name="Blind")


@pytest.fixture
def reviewer(project: Project) -> Person:
    return make.make_person("rev", project=project, role=Role.REVIEWER)


@pytest.fixture
def client(reviewer: Person) -> Client:
    client = Client()
    client.force_login(reviewer)
    return client


def looked_at(project: Project) -> Solution:
    """A queued solution of which machines say something."""
    solution = make.make_solution(project)
    make.make_judgement(solution, 1, reason=REASON)
    make.make_posterior(solution, [0.1, 0.6, 0.1, 0.1, 0.1])
    make.make_slot(solution)
    return solution


def audit(project: Project) -> Solution:
    project.audit_share = 1.0
    project.save()
    solution = make.make_solution(project)
    make.make_judgement(solution, 1, reason=REASON)
    routing.route([solution])
    solution.refresh_from_db()
    assert Slot.objects.get(solution=solution).purpose == Purpose.AUDIT
    return solution


def page_of(client: Client, solution: Solution, name: str = "solution") -> str:
    return client.get(reverse(name, args=[solution.project.slug, solution.code])).content.decode()


def list_of(client: Client, project: Project) -> str:
    return client.get(reverse("solutions", args=[project.slug])).content.decode()


def hand_in(person: Person, assignment: Assignment) -> bool:
    """Whether the work handed in counts as blind."""
    return queue.submit(assignment.code, person.work_as(), RIGHT)[0].blind


def claimed(project: Project, person: Person) -> Assignment:
    assignment = queue.claim(project, person.work_as())
    assert assignment is not None
    return assignment


def test_who_is_at_work_on_a_solution_is_shown_nothing_of_it(client: Client, reviewer: Person) -> None:
    solution = looked_at(make.make_project())
    join(reviewer, solution.project, Role.REVIEWER)
    assignment = claimed(solution.project, reviewer)
    page = page_of(client, solution)
    assert REASON not in page
    assert "P(first error" not in page
    assert sightings.AT_WORK in page
    assert "hidden from you for now" in list_of(client, solution.project)
    assert hand_in(reviewer, assignment)
    assert REASON in page_of(client, solution)


def test_who_asks_to_be_shown_it_does_not_work_blind(client: Client, project: Project, reviewer: Person) -> None:
    solution = looked_at(project)
    assignment = claimed(project, reviewer)
    client.post(reverse("show_solution", args=[project.slug, solution.code]))
    assert REASON in page_of(client, solution)
    assert not hand_in(reviewer, assignment)


@pytest.mark.parametrize("place", ["page", "list", "api"])
def test_work_on_what_was_seen_before_is_not_blind(
    place: str, client: Client, project: Project, reviewer: Person
) -> None:
    solution = looked_at(project)
    if place == "page":
        assert REASON in page_of(client, solution)
    elif place == "list":
        assert "hidden from you" not in list_of(client, project)
    else:
        assert json_of(Caller(reviewer).get(f"solutions/{solution.code}/"))["posterior"]["first_error"] == 1
    assert not hand_in(reviewer, claimed(project, reviewer))


def test_work_on_what_nobody_had_looked_at_is_blind(client: Client, project: Project, reviewer: Person) -> None:
    solution = make.make_solution(project)
    make.make_slot(solution)
    page_of(client, solution)
    list_of(client, project)
    assert hand_in(reviewer, claimed(project, reviewer))


def test_a_waiting_audit_is_hidden_from_everybody_until_it_is_read(
    client: Client, project: Project, reviewer: Person
) -> None:
    solution = audit(project)
    page = page_of(client, solution)
    assert REASON not in page
    assert sightings.AUDIT in page
    assert "hidden from you for now" in list_of(client, project)
    told = json_of(Caller(reviewer).get(f"solutions/{solution.code}/"))
    assert (told["posterior"], told["withheld"]) == (None, sightings.AUDIT)
    [row] = json_of(Caller(reviewer).get(f"projects/{project.slug}/solutions/"))["results"]
    assert row["posterior"] is None
    assert hand_in(reviewer, claimed(project, reviewer))
    assert REASON in page_of(client, solution)
    assert Audit.objects.filter(solution=solution).exists()


def test_an_audit_that_was_seen_is_served_to_others_alone(client: Client, project: Project, reviewer: Person) -> None:
    solution = audit(project)
    client.post(reverse("show_solution", args=[project.slug, solution.code]))
    assert REASON in page_of(client, solution)
    assert queue.free_count(project, reviewer.work_as()) == 0
    assert queue.claim(project, reviewer.work_as()) is None
    other = make.make_person(project=project)
    assert hand_in(other, claimed(project, other))


def test_an_audit_that_one_is_at_work_on_is_shown_on_no_account(project: Project, reviewer: Person) -> None:
    solution = audit(project)
    claimed(project, reviewer)
    with pytest.raises(NotAllowed, match="read blind"):
        sightings.ask_to_see(reviewer, solution)


def test_whoever_may_not_see_solutions_may_not_ask_to(project: Project) -> None:
    solution = looked_at(project)
    client = Client()
    client.force_login(make.make_person(project=project))
    assert client.post(reverse("show_solution", args=[project.slug, solution.code])).status_code == 403


@pytest.mark.parametrize("place", ["page", "api"])
def test_who_has_read_what_others_handed_in_does_not_work_blind(place: str, client: Client, reviewer: Person) -> None:
    project = make.make_project(overlap=2)
    join(reviewer, project, Role.REVIEWER)
    solution = make.make_solution(project)
    make.make_annotation(solution, make.make_person(project=project).work_as(), "1", "-1")
    make.make_slot(solution)
    if place == "page":
        assert "read it" in page_of(client, solution)
    else:
        assert json_of(Caller(reviewer).get(f"solutions/{solution.code}/annotations/"))
    assert not hand_in(reviewer, claimed(project, reviewer))


def test_what_is_handed_in_again_after_a_reviewer_returned_it_is_not_blind(project: Project, reviewer: Person) -> None:
    person = make.make_person(project=project)
    make.make_slot(make.make_solution(project))
    first = claimed(project, person)
    assert hand_in(person, first)
    settlement.review(first.annotations.get(), reviewer.work_as(), False, "look at step 3 again")
    again = claimed(project, person)
    assert again == first
    assert not hand_in(person, again)


def test_evidence_that_was_seen_is_not_forgotten_by_letting_go_of_the_work(project: Project) -> None:
    person = make.make_person(project=project)
    looked_at(project)
    first = claimed(project, person)
    queue.note_evidence_seen(first)
    queue.release(first.code, person.work_as())
    again = claimed(project, person)
    assert again.solution == first.solution
    assert not hand_in(person, again)


def tree(project: Project) -> tuple[Solution, Solution, Solution]:
    """Three solutions that begin alike: the second and the third branch off the first."""
    problem = make.make_problem(project)
    root = make.make_solution(problem=problem)
    made = [make.make_solution(problem=problem, forked_from=root, forked_at=2) for _ in range(2)]
    for solution in (root, *made):
        make.make_judgement(solution, 1, reason=REASON)
        make.make_posterior(solution, [0.2] * (solution.step_count + 1))
    return root, made[0], made[1]


def test_what_begins_like_ones_work_is_hidden_with_it(client: Client, project: Project, reviewer: Person) -> None:
    _, one, other = tree(project)
    make.make_slot(one)
    assignment = claimed(project, reviewer)
    page = page_of(client, other)
    assert REASON not in page
    assert sightings.KIN_AT_WORK in page
    assert sightings.at_work(reviewer, other)
    assert hand_in(reviewer, assignment)
    assert REASON in page_of(client, other)


def test_what_begins_like_a_waiting_audit_is_hidden_with_it(client: Client, project: Project, reviewer: Person) -> None:
    root, one, other = tree(project)
    project.audit_share = 1.0
    project.save()
    routing.route([one])
    assert set(sightings.withheld(reviewer, [root, one, other]).values()) == {sightings.AUDIT, sightings.KIN_AUDIT}
    client.post(reverse("show_solution", args=[project.slug, other.code]))
    assert REASON in page_of(client, other)
    assert queue.claim(project, reviewer.work_as()) is None
    assert sightings.withheld(make.make_person(project=project), [make.make_solution(project)]) == {}


def test_who_has_seen_what_is_said_of_one_has_seen_it_of_those_that_begin_alike(
    client: Client, project: Project, reviewer: Person
) -> None:
    root, one, _ = tree(project)
    make.make_slot(one)
    assert REASON in page_of(client, root)
    assert not hand_in(reviewer, claimed(project, reviewer))


def test_an_audit_that_one_is_at_work_on_is_not_shown_through_its_kin(project: Project, reviewer: Person) -> None:
    _, one, other = tree(project)
    project.audit_share = 1.0
    project.save()
    routing.route([one])
    claimed(project, reviewer)
    with pytest.raises(NotAllowed, match="read blind"):
        sightings.ask_to_see(reviewer, other)
