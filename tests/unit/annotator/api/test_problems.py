"""Every error is a problem (RFC 9457), whatever is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from annotator import quality
from annotator.api.bodies import JSON, LARGEST
from annotator.models import Project
from tests import factories as make
from tests.unit.annotator.api.caller import Caller, fields_of, json_of, problem_of


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("path", ["/api/", "/api/v2/", "/api/v1/projects/no slug/", "/api/v1/nothing/at/all"])
def test_an_address_that_there_is_not_answers_with_a_problem(method: str, path: str) -> None:
    assert path in problem_of(Client(enforce_csrf_checks=True).generic(method, path), 404)["detail"]


def test_an_address_without_its_slash_is_told_about_it(manager: Caller) -> None:
    assert "slash" in problem_of(manager.get("projects"), 404)["detail"]


def test_a_code_that_there_is_not_is_named(manager: Caller) -> None:
    assert "nosuchcode" in problem_of(manager.get("runs/nosuchcode/"), 404)["detail"]


@pytest.mark.parametrize(
    "path", ["projects/%00/", "a%0Ab/", "solutions/a%00b/", "exports/%00/files/%00", "solutions/%FF%FE/"]
)
def test_addresses_that_no_database_can_look_up_are_not_found(path: str, manager: Caller) -> None:
    problem_of(manager.get(path), 404)


def test_a_method_that_a_call_does_not_have_answers_405_and_names_those_it_has(manager: Caller) -> None:
    response = manager.call("DELETE", "projects/")
    problem = problem_of(response, 405)
    assert problem["title"] == "Method Not Allowed"
    assert "GET" in response["Allow"]


@pytest.mark.parametrize(
    "body", [b"{", b"", b"nonsense", b'{"slug": NaN}', b"\xff\xfe\xfa", b"[" * 100_000, b'{"a": ' + b"9" * 5000 + b"}"]
)
def test_a_body_that_is_no_json_answers_400(body: bytes, admin: Caller) -> None:
    response = admin.send("projects/", body, "application/json")
    if body:
        problem_of(response, 400)
    else:  # no body at all is an empty object
        assert fields_of(response) == ["slug", "name"]


@pytest.mark.parametrize("body", [b"[]", b"1", b'"text"', b"null"])
def test_a_body_that_is_no_object_is_invalid(body: bytes, admin: Caller, project: Project) -> None:
    for path in ("projects/", f"projects/{project.slug}/runs/", f"projects/{project.slug}/exports/"):
        assert fields_of(admin.send(path, body, "application/json")) == ["body"]


def test_a_body_of_another_type_answers_415(admin: Caller) -> None:
    for content_type in ("application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x"):
        problem_of(admin.send("projects/", b"slug=a&name=b", content_type), 415)


@pytest.mark.parametrize("content_type", ["", "application/json; charset=utf-8", "application/merge-patch+json"])
def test_json_is_taken_by_its_other_names(content_type: str, admin: Caller) -> None:
    assert fields_of(admin.send("projects/", b'{"slug": "a"}', content_type)) == ["name"]


def test_a_json_body_beyond_all_measure_answers_413(admin: Caller) -> None:
    problem_of(admin.send("projects/", b" " * (LARGEST + 1), "application/json"), 413)


def test_what_a_client_would_rather_have_changes_no_answer(manager: Caller) -> None:
    for accept in ("text/html", "application/octet-stream", "application/problem+json", "nonsense"):
        json_of(manager.get("projects/", Accept=accept))
        problem_of(manager.get("runs/x/", Accept=accept), 404)


def test_a_parameter_with_nul_is_named(manager: Caller, project: Project) -> None:
    assert fields_of(manager.get(f"projects/{project.slug}/solutions/?status=%00")) == ["status"]


def test_a_fault_of_ours_is_a_problem_too(manager: Caller, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(project: Project) -> Any:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr(quality, "everything", broken)
    manager.client.raise_request_exception = False
    problem = problem_of(manager.get(f"projects/{project.slug}/quality/"), 500)
    assert "ours" not in problem["detail"]


def test_a_host_that_is_not_ours_is_a_problem_too(manager: Caller, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["stepwise.example"]
    problem_of(manager.get("projects/", Host="elsewhere.example"), 400)


def test_faults_of_pages_stay_pages(client: Client, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["stepwise.example"]
    response = client.get("/login/", headers={"Host": "elsewhere.example"})
    assert response.status_code == 400
    assert response["Content-Type"].startswith("text/html")


def test_a_project_that_there_is_not_is_a_problem(manager: Caller) -> None:
    problem_of(manager.get("projects/none/"), 404)
    problem_of(manager.get(f"projects/{make.make_project().slug}/"), 404)


@given(st.text(st.characters(codec=None, categories=None) | st.sampled_from("\0\ud800\udfff\u2028\U0001f600\u241b")))
def test_any_text_leaves_as_json_that_reads_back_the_same(text: str) -> None:
    written = JSON().render({"text": text})
    assert written.decode("utf-8", "strict")
    # Two surrogates side by side, high before low, are one character in JSON: no JSON can tell them apart.
    if "\\ud" not in json.dumps(text) or text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") == text:
        assert json.loads(written) == {"text": text}
