from __future__ import annotations

import json

import pytest

from reasoning.errors import InvalidInput
from reasoning.evidence.judge_prompt import SCHEMA
from reasoning.simulator.forms import form_of, formed


def asked_for(schema):
    return form_of({"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}})


def test_plain_text_stays_as_it_is():
    assert formed("so 42.", form_of({})) == formed("so 42.", form_of({"response_format": {"type": "text"}})) == "so 42."


def test_a_reply_that_keeps_to_the_form_stays_as_it_is():
    said = '{"unable": false, "steps": [], "first_error": -1, "reason": "Every step follows."}'
    assert formed(said, asked_for(dict(SCHEMA.definition))) == said
    assert formed(said, form_of({"response_format": {"type": "json_object"}})) != said
    assert formed(said, asked_for({"type": "object"})) == said


def test_what_is_said_fills_the_strings_of_the_form():
    schema = {
        "type": "object",
        "$defs": {"leaf": {"type": "object", "properties": {"count": {"type": "integer", "minimum": 3}}}},
        "properties": {
            "text": {"type": "string"},
            "kind": {"enum": ["a", "b"]},
            "leaf": {"$ref": "#/$defs/leaf"},
            "maybe": {"anyOf": [{"type": "null"}, {"type": "string"}]},
            "several": {"type": "array", "items": {"type": "boolean"}, "minItems": 2},
            "either": {"type": ["number", "null"]},
            "none": {"type": "array"},
            "free": {"type": "object"},
        },
    }
    assert json.loads(formed("so 42.", asked_for(schema))) == {
        "text": "so 42.",
        "kind": "a",
        "leaf": {"count": 3},
        "maybe": None,
        "several": [False, False],
        "either": 0,
        "none": [],
        "free": {},
    }


@pytest.mark.parametrize(
    "asked",
    [
        "json",
        {"type": "yaml"},
        {"type": "json_schema"},
        {"type": "json_schema", "json_schema": {"schema": {}}},
        {"type": "json_schema", "json_schema": {"name": "n", "schema": {"$ref": "#"}}},
        {"type": "json_schema", "json_schema": {"name": "n", "schema": {"$ref": "#/$defs/x"}}},
    ],
)
def test_a_form_that_is_none_or_has_no_end_is_refused(asked):
    with pytest.raises(InvalidInput, match="response_format"):
        form_of({"response_format": asked})
