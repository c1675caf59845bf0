"""The OpenAPI schema: valid, whole, and true to the addresses that there are."""

from __future__ import annotations

import io
import re
from typing import Any

import orjson
import pytest
from django.core.management import call_command
from django.test import Client

from annotator.api.problems import CONTENT_TYPE
from tests.unit.annotator.api.test_rights import CALLS, OF_ONE_PERSON


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    out = io.StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", "--format", "openapi-json", stdout=out)
    parsed: dict[str, Any] = orjson.loads(out.getvalue())
    return parsed


def test_the_schema_is_valid_openapi_without_a_warning(schema: dict[str, Any]) -> None:
    assert schema["openapi"].startswith("3.1")


def test_the_schema_describes_every_call(schema: dict[str, Any]) -> None:
    described = {
        f"{method.upper()} {re.sub(r'{.*?}', '*', path)}"
        for path, operations in schema["paths"].items()
        for method in operations
    }
    calls = [*CALLS, *(f"POST {path}" for path in OF_ONE_PERSON), "GET projects/", "POST projects/"]
    for call in calls:
        method, path = call.replace("/pause/", "/{move}/").replace("train.jsonl", "{name}").split()
        assert f"{method} /api/v1/{re.sub(r'{.*?}', '*', path)}" in described
    assert len(described) == len(set(calls))


def test_every_operation_says_what_it_does_and_how_its_errors_look(schema: dict[str, Any]) -> None:
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            assert operation["description"], (method, path)
            assert CONTENT_TYPE in operation["responses"]["4XX"]["content"]
            assert operation["security"] == [{"token": []}]
    ids = [operation["operationId"] for operations in schema["paths"].values() for operation in operations.values()]
    assert len(ids) == len(set(ids))


def test_what_has_a_code_calls_it_so(schema: dict[str, Any]) -> None:
    shapes = schema["components"]["schemas"]
    assert {name for name, shape in shapes.items() if "id" in shape.get("properties", {})} == {
        "Begun",
        "Intake",
        "IntakeRow",
        "Run",
    }
    for name, shape in shapes.items():
        if "id" in shape.get("properties", {}):
            assert {"id", "code"} <= set(shape["required"]), name


def test_every_list_in_pages_says_how_long_they_are(schema: dict[str, Any]) -> None:
    parameters = {
        operation["operationId"]: {each["name"]: each for each in operation["parameters"]}
        for operations in schema["paths"].values()
        for operation in operations.values()
        if "Paginated" in str(operation["responses"])
    }
    assert len(parameters) == 7
    for known in parameters.values():
        assert known["page_size"]["schema"] == {"type": "integer", "minimum": 1, "default": 100}
        assert "500" in known["page_size"]["description"]
        assert "cursor" in known


def test_the_schema_is_served_to_everybody_as_yaml_and_as_json(client: Client) -> None:
    assert client.get("/api/schema/").content.startswith(b"openapi: 3.1")
    served = client.get("/api/schema/", headers={"Accept": "application/json"})
    assert orjson.loads(served.content)["info"]["title"] == "Stepwise"


def test_the_page_that_reads_the_schema_to_people_is_served_to_everybody(client: Client) -> None:
    page = client.get("/api/docs/")
    assert page.status_code == 200
    assert "script-src 'self';" in page["Content-Security-Policy"] + ";"
