"""A second person reads what was handed in, and accepts or returns it: by page and by API."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from annotator import queue
from annotator.models import Annotation, AssignmentState, Person, Project, Review, Role, Settlement, Solution
from annotator.queue import RatingInput, Submission
from tests import factories as make
from tests.unit.annotator.api.caller import Caller, json_of, problem_of

pytestmark = pytest.mark.django_db
BAD = Submission((RatingInput(0, "1"), RatingInput(1, "-1", reason="nine\0")), "found_error")


@pytest.fixture
def reviewer(project: Project) -> Person:
    return make.make_person("rev", project=project, role=Role.REVIEWER)


@pytest.fixture
def client(reviewer: Person) -> Client:
    client = Client()
    client.force_login(reviewer)
    return client


def handed_in(project: Project, person: Person) -> Annotation:
    make.make_slot(make.make_solution(project, steps=2))
    assignment = queue.claim(project, person.work_as())
    assert assignment is not None
    return queue.submit(assignment.code, person.work_as(), BAD)[0]


def review(client: Client, annotation: Annotation, **form: str) -> int:
    solution = annotation.solution
    url = reverse("review", args=[solution.project.slug, solution.code, annotation.code])
    return client.post(url, form).status_code


def page_of(client: Client, solution: Solution) -> str:
    return client.get(reverse("solution", args=[solution.project.slug, solution.code])).content.decode()


def test_a_reviewer_accepts_work_on_the_solutions_page(client: Client, project: Project) -> None:
    annotation = handed_in(project, make.make_person("ana", project=project))
    assert "Return to ana" in page_of(client, annotation.solution)
    assert review(client, annotation, verdict="accept") == 302
    page = page_of(client, annotation.solution)
    assert "accepted what was read" in page
    assert "Return to ana" not in page
    assert Settlement.objects.filter(superseded_at=None).exists()


def test_returned_work_is_the_first_that_its_annotator_is_given_with_the_comment(
    client: Client, project: Project
) -> None:
    ana = make.make_person("ana", project=project)
    annotation = handed_in(project, ana)
    make.make_slot(make.make_solution(project), priority=9.0)
    assert review(client, annotation, verdict="return", comment="Look at <step> 2\0 again") == 302
    page = page_of(client, annotation.solution)
    assert "returned what was read" in page
    assert "Look at &lt;step&gt; 2" in page
    web = Client()
    web.force_login(ana)
    label = web.get(reverse("label", args=[project.slug])).content.decode()
    assert "Returned by a reviewer" in label
    assert "Look at &lt;step&gt; 2" in label
    told = json_of(Caller(ana).post(f"projects/{project.slug}/claim/"))
    assert annotation.assignment is not None
    assert told["assignment"] == annotation.assignment.code
    assert told["returned"] == "Look at <step> 2\0 again"
    assert queue.submit(told["assignment"], ana.work_as(), BAD)[1]
    following = json_of(Caller(ana).post(f"projects/{project.slug}/claim/"))
    assert (following["returned"], following["solution"] == annotation.solution.code) == (None, False)


def test_returned_work_comes_before_new_work_that_is_begun(client: Client, project: Project) -> None:
    ana = make.make_person(project=project)
    annotation = handed_in(project, ana)
    make.make_slot(make.make_solution(project))
    assert queue.claim(project, ana.work_as()) is not None
    review(client, annotation, verdict="return")
    held = queue.held(project, ana.work_as())
    assert held is not None
    assert held.pk == annotation.assignment_id


@pytest.mark.parametrize(("form", "status"), [({}, 422), ({"verdict": "maybe"}, 422)])
def test_a_review_says_which_it_is(form: dict[str, str], status: int, client: Client, project: Project) -> None:
    annotation = handed_in(project, make.make_person(project=project))
    assert review(client, annotation, **form) == status
    assert not Review.objects.exists()


def test_ones_own_work_and_other_peoples_rights(client: Client, project: Project, reviewer: Person) -> None:
    own = handed_in(project, reviewer)
    assert "Return to" not in page_of(client, own.solution)
    assert review(client, own, verdict="accept") == 403
    annotator = Client()
    annotator.force_login(make.make_person(project=project))
    assert review(annotator, own, verdict="accept") == 403
    outsider = Client()
    outsider.force_login(make.make_person())
    assert review(outsider, own, verdict="accept") == 404


def test_a_program_reads_and_returns_work(project: Project, reviewer: Person) -> None:
    annotation = handed_in(project, make.make_person(project=project))
    caller = Caller(reviewer)
    [work] = json_of(caller.get(f"solutions/{annotation.solution.code}/annotations/"))
    assert work["code"] == annotation.code
    assert work["ratings"][1] == {"index": 1, "rating": -1, "reason": "nine\0", "correction": ""}
    path = f"annotations/{annotation.code}/review/"
    said = json_of(caller.post(path, {"accepted": False, "comment": "why?"}), 201)
    assert (said["accepted"], said["comment"]) == (False, "why?")
    assert annotation.assignment is not None
    annotation.assignment.refresh_from_db()
    assert annotation.assignment.state == AssignmentState.OPEN
    assert problem_of(caller.post(path, {"accepted": True}), 409)
    assert problem_of(caller.post(path, {}), 422)
    assert json_of(caller.get(f"solutions/{annotation.solution.code}/annotations/")) == []


def test_work_of_others_is_hidden_from_who_is_at_work_on_the_solution(project: Project, reviewer: Person) -> None:
    annotation = handed_in(project, make.make_person(project=project))
    make.make_assignment(make.make_slot(annotation.solution), reviewer.work_as())
    assert problem_of(Caller(reviewer).get(f"solutions/{annotation.solution.code}/annotations/"), 409)


def test_work_on_a_withdrawn_solution_is_not_returned(client: Client, project: Project) -> None:
    annotation = handed_in(project, make.make_person(project=project))
    solution = annotation.solution
    Solution.objects.filter(pk=solution.pk).update(withdrawn_at=solution.created_at)
    assert review(client, annotation, verdict="return") == 409
