from __future__ import annotations

import json

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    assert formed(said, form_of({"response_format": {"type": "json_object"}})) == said
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
            "short": {"type": "string", "maxLength": 2},
            "above": {"type": "integer", "exclusiveMinimum": 4},
            "below": {"type": "number", "maximum": -1.5},
            "again": {"anyOf": [{"$ref": "#"}, {"type": "null"}]},
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
        "short": "so",
        "above": 5,
        "below": -2,
        "again": None,
    }


leaves = st.sampled_from(
    [
        {"type": "string"},
        {"type": "string", "maxLength": 3},
        {"type": "integer", "minimum": 2, "maximum": 9},
        {"type": "number", "exclusiveMaximum": -0.5},
        {"type": "boolean"},
        {"type": ["null", "string"]},
        {"enum": ["x", 1, None]},
        {"const": 7},
        {"$ref": "#/$defs/leaf"},
        {"anyOf": [{"$ref": "#/$defs/leaf"}, {"type": "null"}]},
    ]
)


def _objects(inner):
    names = st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    return names.map(
        lambda parts: {"type": "object", "properties": parts, "required": [*parts], "additionalProperties": False}
    )


schemas = st.recursive(
    leaves, lambda inner: _objects(inner) | inner.map(lambda one: {"type": "array", "items": one, "minItems": 2})
)


@given(schemas, st.text() | st.sampled_from(["{}", "[]", "3", '{"a": 1}']))
def test_whatever_is_said_the_reply_keeps_to_the_schema(schema, said):
    whole = {
        "type": "object",
        "properties": {"x": schema},
        "required": ["x"],
        "$defs": {"leaf": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}},
    }
    reply = json.loads(formed(said, asked_for(whole)))
    jsonschema.validate(reply, whole)


@pytest.mark.parametrize("said", ['{"n": "1"}', '{"n": 1, "m": 2}', "{}", "[1]", '{"n": true}', "7"])
def test_what_does_not_keep_to_the_schema_in_its_depths_is_not_let_through(said):
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    assert json.loads(formed(said, asked_for(schema | {"additionalProperties": False}))) == {"n": 0}


@pytest.mark.parametrize(
    "asked",
    [
        "json",
        {"type": "yaml"},
        {"type": "json_schema"},
        {"type": "json_schema", "json_schema": {"schema": {}}},
        {"type": "json_schema", "json_schema": {"name": "n", "schema": {"$ref": "#"}}},
        {"type": "json_schema", "json_schema": {"name": "n", "schema": {"$ref": "#/$defs/x"}}},
        {"type": "json_schema", "json_schema": {"name": "n", "schema": {"$ref": "http://127.0.0.1:9/schema"}}},
        {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "array", "minItems": 10**12}}},
        {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "integer", "minimum": "3"}}},
        {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "string", "pattern": "^[0-9]+$"}}},
        {
            "type": "json_schema",
            "json_schema": {"name": "n", "schema": {"type": "integer", "minimum": 3, "maximum": 2}},
        },
    ],
)
def test_a_form_that_is_none_or_has_no_end_is_refused(asked):
    with pytest.raises(InvalidInput, match="response_format"):
        form_of({"response_format": asked})
