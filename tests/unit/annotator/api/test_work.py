"""Claim, renew, release, submit."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from annotator import queue
from annotator.models import Annotation, Assignment, Project, Rating, Role, Routing, Solution
from tests import factories as make
from tests.unit.annotator.api.caller import Caller, content, fields_of, json_of, problem_of

BODY: dict[str, Any] = {
    "ratings": [{"index": 0, "rating": 1}, {"index": 1, "rating": -1}],
    "finish_reason": "found_error",
}


@pytest.fixture
def solution(project: Project) -> Solution:
    """Queued, with room for one annotator."""
    solution = make.make_solution(project, steps=["One.", "Two.", "Three."])
    make.make_slot(solution)
    return solution


@pytest.fixture
def mate(project: Project) -> Caller:
    return Caller(make.make_person(project=project, role=Role.ANNOTATOR))


def claim(caller: Caller, project: Project) -> dict[str, Any]:
    claimed: dict[str, Any] = json_of(caller.post(f"projects/{project.slug}/claim/"))
    return claimed


def lapse(code: str) -> None:
    """As if it had been claimed two hours ago, for one."""
    now = timezone.now()
    then, until = now - timedelta(hours=2), now - timedelta(hours=1)
    Assignment.objects.filter(code=code).update(created_at=then, lease_until=until)
    queue.expire_lapsed()


def test_a_claim_has_all_that_one_needs_to_label(annotator: Caller, project: Project, solution: Solution) -> None:
    claimed = claim(annotator, project)
    assert claimed["solution"] == solution.code
    assert claimed["problem"] == solution.problem.statement
    assert claimed["steps"] == [
        {"index": 0, "text": "One.", "asked": True},
        {"index": 1, "text": "Two.", "asked": True},
        {"index": 2, "text": "Three.", "asked": True},
    ]
    assert datetime.fromisoformat(claimed["lease_until"]) > timezone.now()
    assert Assignment.objects.get(code=claimed["assignment"]).solution == solution


def test_a_claim_asks_for_the_steps_that_routing_left_open(
    annotator: Caller, project: Project, solution: Solution
) -> None:
    Routing.objects.create(solution=solution, destination="people", reason="they differ", asked=[1], threshold=0.9)
    assert [step["asked"] for step in claim(annotator, project)["steps"]] == [False, True, False]


def test_a_claim_tells_nothing_of_what_machines_said(annotator: Caller, project: Project, solution: Solution) -> None:
    make.make_judgement(solution, 1, reason="because of the moon")
    claimed = claim(annotator, project)
    assert "moon" not in json.dumps(claimed)
    assert claimed.keys() == {"assignment", "lease_until", "problem", "answer", "solution", "returned", "steps"}


def test_nothing_free_answers_204_and_when_to_ask_again(annotator: Caller, project: Project) -> None:
    response = annotator.post(f"projects/{project.slug}/claim/")
    assert (response.status_code, content(response)) == (204, b"")
    assert int(response["Retry-After"]) > 0


def test_nobody_claims_what_they_hold_did_or_somebody_else_has(
    annotator: Caller, mate: Caller, project: Project, solution: Solution
) -> None:
    Project.objects.update(overlap=2)
    make.make_slot(solution)
    code = claim(annotator, project)["assignment"]
    assert annotator.post(f"projects/{project.slug}/claim/").status_code == 204
    json_of(annotator.post(f"assignments/{code}/submit/", BODY), 201)
    assert annotator.post(f"projects/{project.slug}/claim/").status_code == 204
    claim(mate, project)
    assert mate.post(f"projects/{project.slug}/claim/").status_code == 204


def test_text_that_no_database_holds_is_claimed_exactly(annotator: Caller, project: Project) -> None:
    texts = ["NUL \0", "lone \udc00 \ud800", "\u241bD800"]
    make.make_slot(make.make_solution(project, problem=make.make_problem(project, "\ud83d?"), steps=texts))
    claimed = claim(annotator, project)
    assert [step["text"] for step in claimed["steps"]] == texts
    assert claimed["problem"] == "\ud83d?"


def test_a_lease_is_renewed(annotator: Caller, project: Project, solution: Solution) -> None:
    claimed = claim(annotator, project)
    renewed = json_of(annotator.post(f"assignments/{claimed['assignment']}/renew/"))
    assert renewed["assignment"] == claimed["assignment"]
    assert renewed["lease_until"] > claimed["lease_until"]


def test_what_is_released_is_free_for_others(
    annotator: Caller, mate: Caller, project: Project, solution: Solution
) -> None:
    code = claim(annotator, project)["assignment"]
    json_of(annotator.post(f"assignments/{code}/release/"))
    assert claim(mate, project)["solution"] == solution.code
    for act in ("renew", "release"):
        problem_of(annotator.post(f"assignments/{code}/{act}/"), 409)
    problem_of(annotator.post(f"assignments/{code}/submit/", BODY), 409)


def test_a_lapsed_lease_that_nobody_took_still_renews_and_submits(
    annotator: Caller, project: Project, solution: Solution
) -> None:
    code = claim(annotator, project)["assignment"]
    lapse(code)
    json_of(annotator.post(f"assignments/{code}/renew/"))
    lapse(code)
    json_of(annotator.post(f"assignments/{code}/submit/", BODY), 201)


def test_a_lease_that_went_to_somebody_else_answers_409(
    annotator: Caller, mate: Caller, project: Project, solution: Solution
) -> None:
    code = claim(annotator, project)["assignment"]
    lapse(code)
    claim(mate, project)
    for act in ("renew", "submit"):
        problem = problem_of(annotator.post(f"assignments/{code}/{act}/", BODY), 409)
        assert "somebody else" in problem["detail"]
    assert not Annotation.objects.exists()


def test_work_is_handed_in_once_and_the_same_again_gets_the_same_answer(
    annotator: Caller, project: Project, solution: Solution
) -> None:
    path = f"assignments/{claim(annotator, project)['assignment']}/submit/"
    body = BODY | {"comment": "checked twice", "seconds": 12.5}
    first = json_of(annotator.post(path, body, **{"Idempotency-Key": "k1"}), 201)
    assert (first["solution"], first["first_error"], first["finish_reason"]) == (solution.code, 1, "found_error")
    assert json_of(annotator.post(path, body, **{"Idempotency-Key": "k1"}), 200) == first
    annotation = Annotation.objects.get()
    assert (annotation.code, annotation.comment, annotation.seconds) == (first["annotation"], "checked twice", 12.5)
    assert list(Rating.objects.order_by("index").values_list("index", "rating")) == [(0, "1"), (1, "-1")]
    solution.refresh_from_db()
    assert solution.status == "settled"


def test_the_order_of_ratings_and_of_fields_makes_no_other_body(
    annotator: Caller, project: Project, solution: Solution
) -> None:
    path = f"assignments/{claim(annotator, project)['assignment']}/submit/"
    json_of(annotator.post(path, BODY, **{"Idempotency-Key": "k1"}), 201)
    turned = dict(reversed(BODY.items())) | {"ratings": BODY["ratings"][::-1]}
    json_of(annotator.post(path, turned, **{"Idempotency-Key": "k1"}), 200)


def test_the_same_key_with_another_body_answers_422(annotator: Caller, project: Project, solution: Solution) -> None:
    path = f"assignments/{claim(annotator, project)['assignment']}/submit/"
    json_of(annotator.post(path, BODY, **{"Idempotency-Key": "k1"}), 201)
    other = {"ratings": [{"index": 0, "rating": -1}], "finish_reason": "found_error"}
    assert "k1" in problem_of(annotator.post(path, other, **{"Idempotency-Key": "k1"}), 422)["detail"]
    assert Annotation.objects.count() == 1


def test_the_same_key_for_another_assignment_answers_422(annotator: Caller, project: Project) -> None:
    for _ in range(2):
        make.make_slot(make.make_solution(project))
    first, second = (claim(annotator, project)["assignment"] for _ in range(2))
    json_of(annotator.post(f"assignments/{first}/submit/", BODY, **{"Idempotency-Key": "k1"}), 201)
    problem_of(annotator.post(f"assignments/{second}/submit/", BODY, **{"Idempotency-Key": "k1"}), 422)


def test_two_people_may_use_the_same_key(annotator: Caller, mate: Caller, project: Project) -> None:
    for _ in range(2):
        make.make_slot(make.make_solution(project))
    for caller in (annotator, mate):
        path = f"assignments/{claim(caller, project)['assignment']}/submit/"
        json_of(caller.post(path, BODY, **{"Idempotency-Key": "1"}), 201)


def test_without_a_key_the_same_work_again_is_the_same_and_other_work_a_conflict(
    annotator: Caller, project: Project, solution: Solution
) -> None:
    path = f"assignments/{claim(annotator, project)['assignment']}/submit/"
    first = json_of(annotator.post(path, BODY), 201)
    assert json_of(annotator.post(path, BODY), 200) == first
    problem_of(annotator.post(path, {"ratings": [], "finish_reason": "give_up"}), 409)


@pytest.mark.parametrize(
    ("ratings", "reason", "first_error"),
    [
        ([1, 0, 1], "solution", -1),
        (["1", "0", "unsure"], "solution", -1),
        ([-1], "found_error", 0),
        ([1, 1, -1], "found_error", 2),
        ([], "bad_problem", None),
        (["unsure"], "give_up", None),
    ],
)
def test_every_way_to_end_is_taken(
    ratings: list[Any], reason: str, first_error: int | None, annotator: Caller, project: Project, solution: Solution
) -> None:
    path = f"assignments/{claim(annotator, project)['assignment']}/submit/"
    body = {"ratings": [{"index": i, "rating": r} for i, r in enumerate(ratings)], "finish_reason": reason}
    assert json_of(annotator.post(path, body), 201)["first_error"] == first_error


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"ratings": None}, "ratings"),
        ({"ratings": "all"}, "ratings"),
        ({"ratings": [5]}, "ratings[0]"),
        ({"ratings": [{"index": 0, "rating": 2}]}, "ratings[0].rating"),
        ({"ratings": [{"index": 0, "rating": True}]}, "ratings[0].rating"),
        ({"ratings": [{"index": 0}]}, "ratings[0].rating"),
        ({"ratings": [{"index": "0", "rating": 1}]}, "ratings[0].index"),
        ({"ratings": [{"index": 0, "rating": 1}, {"index": 9, "rating": 1}]}, "ratings[1].index"),
        ({"ratings": [{"index": 0, "rating": 1}, {"index": 0, "rating": 1}]}, "ratings[1].index"),
        ({"ratings": [{"index": 1, "rating": -1}]}, "ratings"),
        ({"ratings": [{"index": 0, "rating": 1, "reason": 5}]}, "ratings[0].reason"),
        ({"finish_reason": "done"}, "finish_reason"),
        ({"finish_reason": None}, "finish_reason"),
        ({"finish_reason": "solution"}, "finish_reason"),
        ({"comment": 5}, "comment"),
        ({"seconds": -1}, "seconds"),
        ({"seconds": "long"}, "seconds"),
        ({"seconds": 10**400}, "seconds"),
    ],
)
def test_a_bad_field_is_named_and_the_work_stays_open(
    change: dict[str, Any], field: str, annotator: Caller, project: Project, solution: Solution
) -> None:
    code = claim(annotator, project)["assignment"]
    assert fields_of(annotator.post(f"assignments/{code}/submit/", BODY | change)) == [field]
    assert Assignment.objects.get(code=code).state == "open"
    assert not Annotation.objects.exists()


def test_a_key_longer_than_it_may_be_is_named(annotator: Caller, project: Project, solution: Solution) -> None:
    path = f"assignments/{claim(annotator, project)['assignment']}/submit/"
    assert fields_of(annotator.post(path, BODY, **{"Idempotency-Key": "k" * 201})) == ["Idempotency-Key"]


def test_words_with_nul_and_lone_surrogates_are_taken(annotator: Caller, project: Project, solution: Solution) -> None:
    path = f"assignments/{claim(annotator, project)['assignment']}/submit/"
    rating = {"index": 0, "rating": -1, "reason": "\0", "correction": "\udfff"}
    body = {"ratings": [rating], "finish_reason": "found_error", "comment": "\ud800 \0"}
    first = json_of(annotator.post(path, body, **{"Idempotency-Key": "é\x7f"}), 201)
    assert json_of(annotator.post(path, body, **{"Idempotency-Key": "é\x7f"}), 200) == first
