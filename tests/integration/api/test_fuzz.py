"""Schemathesis sends what the schema allows and what it does not: nothing may fail, and every answer is as described."""

from __future__ import annotations

import pytest
import schemathesis

from annotator.models import Role, WorkState
from tests import factories as make

CHECKS = [
    schemathesis.checks.not_a_server_error,
    schemathesis.checks.status_code_conformance,
    schemathesis.checks.content_type_conformance,
    schemathesis.checks.response_schema_conformance,
]


@pytest.fixture
def schema(web: str) -> schemathesis.BaseSchema:
    project = make.make_project(slug="fuzz")
    make.make_slot(make.make_solution(project))
    make.make_intake(project)
    make.make_run(project, state=WorkState.PAUSED)
    return schemathesis.openapi.from_url(f"{web}/api/schema/?format=json")
