"""Who may call what: tokens, scopes, roles, and what outsiders learn (nothing)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest
from django.urls import URLPattern

from annotator import fitting
from annotator.api.urls import urlpatterns
from annotator.models import Assignment, Membership, Project, Role, Scope, Token
from tests import factories as make
from tests.unit.annotator.api.caller import Caller, json_of, problem_of

CALLS: Final = {
    # method and path: (scope, roles that may)
    "GET projects/{slug}/": ("read", "manager reviewer trainer"),
    "PATCH projects/{slug}/": ("manage", "manager"),
    "GET projects/{slug}/quality/": ("read", "manager reviewer trainer"),
    "GET projects/{slug}/intake/": ("read", "manager reviewer trainer"),
    "POST projects/{slug}/intake/": ("intake", "manager"),
    "GET intakes/{intake}/": ("read", "manager reviewer trainer"),
    "POST intakes/{intake}/withdraw/": ("manage", "manager"),
    "GET projects/{slug}/runs/": ("read", "manager reviewer trainer"),
    "POST projects/{slug}/runs/": ("manage", "manager"),
    "POST projects/{slug}/runs/estimate/": ("manage", "manager"),
    "GET runs/{run}/": ("read", "manager reviewer trainer"),
    "GET projects/{slug}/fits/": ("read", "manager reviewer trainer"),
    "POST projects/{slug}/fits/": ("manage", "manager"),
    "GET fits/{fit}/": ("read", "manager reviewer trainer"),
    "POST runs/{run}/pause/": ("manage", "manager"),
    "POST projects/{slug}/claim/": ("label", "manager reviewer annotator"),
    "GET projects/{slug}/solutions/": ("read", "manager reviewer trainer"),
    "GET projects/{slug}/preferences/": ("read", "manager reviewer trainer"),
    "GET solutions/{solution}/": ("read", "manager reviewer trainer"),
    "GET problems/{problem}/": ("read", "manager reviewer trainer"),
    "PATCH problems/{problem}/": ("manage", "manager"),
    "GET solutions/{solution}/annotations/": ("read", "manager reviewer"),
    "POST annotations/{annotation}/review/": ("label", "manager reviewer"),
    "GET projects/{slug}/exports/": ("export", "manager trainer"),
    "POST projects/{slug}/exports/": ("export", "manager trainer"),
    "GET exports/{export}/": ("export", "manager trainer"),
    "GET exports/{export}/files/train.jsonl": ("export", "manager trainer"),
}
OF_ONE_PERSON: Final = (
    "assignments/{assignment}/renew/",
    "assignments/{assignment}/release/",
    "assignments/{assignment}/submit/",
)


@pytest.fixture
def names(project: Project, trainer: Caller) -> dict[str, str]:
    """Values for the addresses above."""
    solution = make.make_solution(project)
    assignment = make.make_assignment(make.make_slot(solution), make.make_rater())
    return {
        "slug": project.slug,
        "solution": solution.code,
        "problem": solution.problem.code,
        "annotation": make.make_annotation(solution, make.make_rater(), "1", "-1").code,
        "intake": make.make_intake(project).code,
        "run": make.make_run(project).code,
        "fit": fitting.request(project).code,
        "export": json_of(trainer.post(f"projects/{project.slug}/exports/", {"format": "trl"}), 202)["code"],
        "assignment": assignment.code,
    }


def views() -> Iterator[type[Any]]:
    for pattern in urlpatterns:
        if isinstance(pattern, URLPattern) and str(pattern.pattern).lstrip("^").startswith("v1/"):
            yield pattern.callback.cls  # type: ignore[attr-defined]


def test_every_method_of_every_call_asks_for_a_scope() -> None:
    for view in views():
        methods = {name.upper() for name in ("get", "post", "put", "patch", "delete") if hasattr(view, name)}
        assert methods == set(view.scopes), view
        assert set(view.scopes.values()) <= set(Scope.values)


@pytest.mark.parametrize("call", CALLS)
def test_nobody_calls_without_a_token(call: str, names: dict[str, str]) -> None:
    method, path = call.format(**names).split()
    response = Caller(None).call(method, path)
    problem_of(response, 401)
    assert response["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("call", CALLS)
def test_a_token_needs_the_scope(call: str, names: dict[str, str], project: Project) -> None:
    method, path = call.format(**names).split()
    scope = CALLS[call][0]
    others = [other for other in Scope.values if other != scope]
    lacking = Caller(make.make_person(project=project, role=Role.MANAGER), *others)
    assert scope in problem_of(lacking.call(method, path), 403)["detail"]
    if method == "GET":
        assert lacking.call("HEAD", path).status_code == 403


@pytest.mark.parametrize("call", CALLS)
def test_a_role_has_its_rights_and_no_more(call: str, names: dict[str, str], project: Project) -> None:
    method, path = call.format(**names).split()
    for role in Role.values:
        response = Caller(make.make_person(project=project, role=role)).call(method, path)
        if role in CALLS[call][1].split():
            assert response.status_code not in (401, 403), role
        else:
            problem_of(response, 403)


@pytest.mark.parametrize("call", CALLS)
def test_an_outsider_finds_nothing_and_learns_no_name(
    call: str, names: dict[str, str], outsider: Caller, project: Project
) -> None:
    method, path = call.format(**names).split()
    problem = problem_of(outsider.call(method, path), 404)
    if "{slug}" not in call:
        assert problem["detail"] == f"There is no {path.split('/')[1]}."


@pytest.mark.parametrize("path", OF_ONE_PERSON)
def test_an_assignment_is_its_own_persons_alone(
    path: str, names: dict[str, str], outsider: Caller, manager: Caller
) -> None:
    for caller in (outsider, manager):
        problem_of(caller.post(path.format(**names), {"ratings": [], "finish_reason": "give_up"}), 404)


@pytest.mark.parametrize("path", OF_ONE_PERSON)
def test_who_may_not_label_any_more_cannot_hand_in(path: str, project: Project, annotator: Caller) -> None:
    assert annotator.person is not None
    assignment = make.make_assignment(make.make_slot(make.make_solution(project)), annotator.person.work_as())
    Membership.objects.filter(person=annotator.person).update(role=Role.TRAINER)
    problem_of(annotator.post(path.format(assignment=assignment.code)), 403)
    Membership.objects.filter(person=annotator.person).delete()
    problem_of(annotator.post(path.format(assignment=assignment.code)), 404)
    assert Assignment.objects.get(pk=assignment.pk).state == "open"


def test_a_token_of_nobody_is_refused(db: None) -> None:
    response = Caller(None, token="sw_made-up").get("projects/")
    assert "unknown" in problem_of(response, 401)["detail"]


@pytest.mark.parametrize("header", ["Bearer", "Bearer a b", "Basic YTpi", "Bearer \xff\xfe"])
def test_a_header_that_names_no_token_is_refused(db: None, header: str) -> None:
    problem_of(Caller(None).get("projects/", Authorization=header), 401)


def test_a_revoked_token_and_that_of_a_person_who_left_open_nothing(manager: Caller) -> None:
    assert manager.person is not None
    assert manager.get("projects/").status_code == 200
    Token.objects.get(person=manager.person).revoke()
    problem_of(manager.get("projects/"), 401)
    other = Caller(manager.person)
    manager.person.is_active = False
    manager.person.save()
    problem_of(other.get("projects/"), 401)


def test_the_last_use_of_a_token_is_kept(manager: Caller) -> None:
    token = Token.objects.get(person=manager.person)
    assert token.last_used_at is None
    manager.get("projects/")
    token.refresh_from_db()
    assert token.last_used_at is not None


def test_who_runs_the_installation_may_everything(names: dict[str, str], admin: Caller) -> None:
    for call in CALLS:
        method, path = call.format(**names).split()
        assert admin.call(method, path).status_code not in (401, 403), call
