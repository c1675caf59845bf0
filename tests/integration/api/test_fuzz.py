"""Schemathesis sends what the schema allows and what it does not: nothing fails, every answer is as described."""

from __future__ import annotations

from typing import Any, Final

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi import checks as openapi

from annotator.models import Role
from tests import factories as make

EXAMPLES: Final = 5
"""An operation and mode."""
URI_TOO_LONG: Final = 414
"""Said by gunicorn, before the application is asked."""
# What fits the schema need not fit the project, so nothing is said of which values are to be taken.
CHECKS: Final = [
    not_a_server_error,
    openapi.status_code_conformance,
    openapi.content_type_conformance,
    openapi.response_schema_conformance,
]


@pytest.fixture
def known(web: str) -> dict[str, Any]:
    """One of each thing, so that most addresses lead somewhere."""
    project = make.make_project(slug="fuzz", judge=make.make_endpoint("judge"))
    manager = make.make_person(project=project, role=Role.MANAGER, staff=True)
    solution = make.make_solution(project)
    assignment = make.make_assignment(make.make_slot(solution), manager.work_as())
    return {
        "token": make.make_token(manager),
        "slug": [project.slug],
        "move": ["pause", "resume"],
        "assignments": [assignment.code],
        "exports": ["none"],
        "intakes": [make.make_intake(project).code],
        "runs": [make.make_run(project).code],
        "solutions": [solution.code],
    }


def test_nothing_that_a_program_sends_breaks_the_api(web: str, known: dict[str, Any]) -> None:
    with requests.Session() as session:
        tried = 0
        for result in schemathesis.openapi.from_url(f"{web}/api/schema/?format=json").get_all_operations():
            assert isinstance(result, Ok)
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                _try_out(result.ok(), mode, known, session)
                tried += 1
    assert tried > 40


def _try_out(operation: Any, mode: GenerationMode, known: dict[str, Any], session: requests.Session) -> None:
    kind = operation.path.split("/")[3]
    headers = {"Authorization": f"Bearer {known['token']}"}

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), data=st.data())
    def send(case: Any, data: st.DataObject) -> None:
        for name in case.path_parameters or {}:
            there = known.get(kind if name == "code" else name, [])
            if there and data.draw(st.integers(0, 3)):
                case.path_parameters[name] = data.draw(st.sampled_from(there))
        case.headers = {**(case.headers or {}), **headers}  # it would garble the token too, and get no further
        response = case.call(session=session)
        if response.status_code != URI_TOO_LONG:
            case.validate_response(response, checks=CHECKS)

    send()
