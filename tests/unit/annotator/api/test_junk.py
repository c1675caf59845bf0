"""Junk at every address of the API: it is refused in words, never by a fault of ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest
from django.http import HttpResponseBase
from drf_spectacular.generators import SchemaGenerator

from annotator import fitting
from annotator.models import Project
from tests import factories as make
from tests.unit.annotator.api.caller import Caller, content, json_of, problem_of, url
from tests.unit.annotator.api.routes import ROUTES, Route

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE")
WORDS: Final = (
    "%00",
    "a%00b",
    "%FF%FE",
    "%ED%A0%80",
    "9" * 5000,
    "-1",
    "None",
    "%F0%9F%98%80",
    "..",
    "a%0Ab",
    "%25",
    "'",
)
"""Parts of an address: NUL, no UTF-8, a lone surrogate, numbers beyond all measure."""
QUERIES: Final = (
    "%00",
    "%ED%A0%80",
    "9" * 5000,
    "-1",
    "0",
    "abc",
    "1e3",
    "",
    "%E2%82",
    "cD0xMjM%3D",
    "cD0t",
    "%D9%A1",
    "[]",
)
"""Values of parameters; among them cursors that say nothing, and a digit that is none of ours."""
NO_JSON: Final = (b"{", b"\xff", b'{"slug": NaN}', b"[" * 100_000, b'{"a": ' + b"9" * 5000 + b"}")
NO_TYPES: Final = (
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "no type",
    "\0",
)
VALUES: Final[tuple[Any, ...]] = (None, True, -1, 10**30, "", "\0", "\ud800", "9" * 5000, [None], {"\0": "\ud800"})
BODIES: Final[dict[str, dict[str, Any]]] = {
    "projects/": {"slug": "another", "name": "Another", "description": "", "overlap": 1, "judge": "judge"},
    "projects/{slug}/": {"name": "Another", "threshold": 0.9, "evidence_mode": "never", "judge": "judge"},
    "projects/{slug}/runs/": {
        "kind": "judge",
        "selection": {"status": "new", "ids": [""], "intake": "a", "limit": 1, "decided": True, "again": True},
        "config": {
            "votes": 1,
            "examples": 0,
            "temperature": 0.5,
            "max_tokens": 9,
            "cap": 1,
            "price": 0.1,
            "alpha": 0.5,
        },
        "seed": 1,
    },
    "projects/{slug}/exports/": {
        "format": "native",
        "split": {"train": 0.5, "test": 0.5},
        "min_source": "human",
        "provisional": False,
        "neutral": "keep",
        "container": "jsonl",
    },
    "assignments/{code}/submit/": {
        "ratings": [{"index": 0, "rating": 1, "reason": "", "correction": ""}],
        "finish_reason": "give_up",
        "comment": "",
        "seconds": 1.5,
    },
    "annotations/{code}/review/": {"accepted": False, "comment": "again"},
    "problems/{code}/": {"answer": "18"},
}
"""What each call that reads a body takes."""
BODIES["projects/{slug}/runs/estimate/"] = BODIES["projects/{slug}/runs/"]


def spoilt(body: Any) -> Iterator[Any]:
    """`body` with junk in the place of each of its parts in turn, and with junk beside them."""
    yield from VALUES
    if isinstance(body, dict):
        for name, part in body.items():
            yield {key: value for key, value in body.items() if key != name}
            yield from (body | {name: junk} for junk in spoilt(part))
        yield from (body | {name: 1} for name in ("\0", "\ud800", "unknown"))
    elif isinstance(body, list):
        yield from (body + body, *([junk] for junk in spoilt(body[0])))


@pytest.fixture
def names(project: Project, admin: Caller) -> dict[str, str]:
    """One of each thing, by the word that its addresses begin with."""
    solution = make.make_solution(project)
    Project.objects.filter(pk=project.pk).update(judge=make.make_endpoint())
    assert admin.person is not None
    export = json_of(admin.post(f"projects/{project.slug}/exports/", {"format": "trl"}), 202)
    return {
        "slug": project.slug,
        "move": "pause",
        "name": "train.jsonl",
        "solutions": solution.code,
        "problems": solution.problem.code,
        "annotations": make.make_annotation(solution, make.make_rater(), "1", "-1").code,
        "intakes": make.make_intake(project).code,
        "runs": make.make_run(project).code,
        "fits": fitting.request(project).code,
        "exports": export["code"],
        "assignments": make.make_assignment(make.make_slot(solution), admin.person.work_as()).code,
    }


def refused_or_done(response: HttpResponseBase) -> int:
    """The status of an answer that is either what was asked for, or a problem with all its words."""
    if response.status_code >= 400:
        assert response.status_code < 500, content(response)
        if response["Content-Type"] != "application/problem+json":
            raise AssertionError(content(response)[:300])
        if response.request["REQUEST_METHOD"] != "HEAD":  # type: ignore[attr-defined]
            problem_of(response, response.status_code)
    return response.status_code


@pytest.fixture(params=ROUTES, ids=lambda route: route.path)
def route(request: pytest.FixtureRequest) -> Route:
    found: Route = request.param
    return found


def test_a_method_that_an_address_lacks_is_refused_in_words(route: Route, names: dict[str, str], admin: Caller) -> None:
    for method in METHODS:
        status = refused_or_done(admin.call(method, route.at(**names), {} if method != "TRACE" else None))
        has = {*route.view.scopes, "HEAD"} if "GET" in route.view.scopes else {*route.view.scopes}
        assert (status == 405) == (method not in has), method


def test_an_address_of_junk_leads_nowhere(route: Route, names: dict[str, str], admin: Caller) -> None:
    for part in [key for key in ("slug", "code", "name", "move") if f"{{{key}}}" in route.path]:
        for word in WORDS:
            path = route.at(**{**names, part: word})
            for method in route.view.scopes:
                assert refused_or_done(admin.call(method, path)) == 404, (method, path[:80])


@pytest.fixture(scope="module")
def described() -> dict[tuple[str, str], list[str]]:
    """Names of the parameters of each call, by its path and method, as the schema has them."""
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return {
        (path.removeprefix("/api/v1/"), method.upper()): [
            each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"
        ]
        for path, operations in schema["paths"].items()
        for method, operation in operations.items()
    }


def test_parameters_of_junk_are_refused_in_words(
    route: Route, names: dict[str, str], admin: Caller, described: dict[tuple[str, str], list[str]]
) -> None:
    for method in route.view.scopes:
        address = route.at(**names)
        for name in described[route.path, method]:
            for value in QUERIES:
                refused_or_done(admin.call(method, f"{address}?{name}={value}"))
        refused_or_done(admin.call(method, f"{address}?unknown=%ED%A0%80&%ED%A0%80=b&=&&&{'a' * 3000}"))
        assert refused_or_done(admin.call(method, f"{address}?unknown=%00")) == 422


WRITING: Final = [
    pytest.param(route, method, id=f"{method} {route.path}")
    for route in ROUTES
    for method in sorted(route.view.scopes.keys() - {"GET"})
]


def test_what_each_call_takes_is_known() -> None:
    assert {route.path for route in ROUTES} >= BODIES.keys()


@pytest.mark.parametrize(("route", "method"), WRITING)
def test_bodies_that_are_no_json_are_refused_in_words(
    route: Route, method: str, names: dict[str, str], admin: Caller
) -> None:
    reads_json = route.path in BODIES
    address = url(route.at(**names))
    for body in NO_JSON:
        status = refused_or_done(admin.client.generic(method, address, body, "application/json"))
        assert status == 400 or not reads_json
    for kind in NO_TYPES:
        status = refused_or_done(admin.client.generic(method, address, b"a=b", kind))
        assert status == 415 or not reads_json


@pytest.mark.parametrize("path", BODIES)
def test_json_of_another_shape_is_refused_in_words(path: str, names: dict[str, str], admin: Caller) -> None:
    [route] = [route for route in ROUTES if route.path == path]
    [method] = route.view.scopes.keys() - {"GET"}
    for body in spoilt(BODIES[path]):
        refused_or_done(admin.call(method, route.at(**names), body))
