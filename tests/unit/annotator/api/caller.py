"""A program with a token: what the tests of the API call with."""

from __future__ import annotations

import json
from typing import Any, cast

from django.http import HttpResponseBase
from django.test import Client

from annotator.models import Person
from tests import factories as make


class Caller:
    """Sends JSON with a new token of `person` that has all scopes, unless some are named; without one, no token."""

    def __init__(self, person: Person | None, *scopes: str, token: str = "") -> None:
        self.person = person
        secret = make.make_token(person, *scopes) if person else token
        self.client = Client(headers={"Authorization": f"Bearer {secret}"} if secret else {})

    def call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> HttpResponseBase:
        content = b"" if body is None else json.dumps(body).encode()
        sent = self.client.generic(method, url(path), content, "application/json", headers=headers or {})
        return cast(HttpResponseBase, sent)

    def get(self, path: str, **headers: str) -> HttpResponseBase:
        return self.call("GET", path, headers=headers)

    def post(self, path: str, body: Any = None, **headers: str) -> HttpResponseBase:
        return self.call("POST", path, body, headers)

    def patch(self, path: str, body: Any) -> HttpResponseBase:
        return self.call("PATCH", path, body)

    def send(self, path: str, content: bytes, content_type: str = "application/octet-stream") -> HttpResponseBase:
        """A raw body."""
        return cast(HttpResponseBase, self.client.generic("POST", url(path), content, content_type))


def url(path: str) -> str:
    return path if path.startswith(("/", "http")) else f"/api/v1/{path}"


def content(response: HttpResponseBase) -> bytes:
    pieces = getattr(response, "streaming_content", None)
    return response.content if pieces is None else b"".join(pieces)  # type: ignore[attr-defined]


def json_of(response: HttpResponseBase, status: int = 200) -> Any:
    """The answer's JSON, which must come with this status and type."""
    assert response.status_code == status, content(response)
    assert response["Content-Type"] == "application/json"
    return json.loads(content(response))


def problem_of(response: HttpResponseBase, status: int) -> dict[str, Any]:
    """The problem that an answer of this status must be, with all its members."""
    body = content(response)
    assert response.status_code == status, body
    assert response["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = json.loads(body)
    assert problem["status"] == status
    assert {"type", "title", "detail"} <= problem.keys()
    assert problem["title"]
    assert problem["detail"]
    return problem


def fields_of(response: HttpResponseBase) -> list[str]:
    """Which fields a 422 names."""
    problem = problem_of(response, 422)
    assert all(error["reason"] for error in problem["errors"])
    return [error["field"] for error in problem["errors"]]
