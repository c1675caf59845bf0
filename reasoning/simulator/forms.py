"""Structured output: `response_format` as OpenAI's protocol has it, and a reply that keeps to it.

A schema that this server cannot fill in, a string's pattern say, is refused and never disobeyed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import orjson
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from referencing import Registry
from referencing.exceptions import Unresolvable

from reasoning.errors import InvalidInput

Form = Mapping[str, Any]
"""A JSON schema; `ANY_OBJECT` for the mode that asks for some JSON object."""

ANY_OBJECT: Final[Form] = {"type": "object", "properties": {"answer": {"type": "string"}}}
_DEEPEST: Final = 32
_LONGEST: Final = 1_000


def form_of(body: Mapping[str, Any]) -> Form | None:
    """The form that a request's body asks for; None for plain text. Raises `InvalidInput`."""
    match body.get("response_format"):
        case None | {"type": "text"}:
            return None
        case {"type": "json_object"}:
            return ANY_OBJECT
        case {"type": "json_schema", "json_schema": {"name": str(), "schema": dict(schema)}}:
            _validator(orjson.dumps(schema))  # what is no schema cannot be filled in
            if not _obeys(_filled(schema, schema, "some text"), schema):
                raise InvalidInput("'response_format': this server cannot fill in the schema")
            return schema
    raise InvalidInput("'response_format' must be text, json_object, or json_schema with a name and a schema")


def formed(text: str, form: Form | None) -> str:
    """What is said in the form asked for: as it stands where it keeps to it, else as the text of its strings."""
    if form is None or keeps(text, form):
        return text
    return orjson.dumps(_filled(form, form, text)).decode()


def keeps(text: str, form: Form) -> bool:
    """Whether a text is JSON that keeps to the form."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return _obeys(value, form)


def _obeys(value: Any, form: Form) -> bool:
    validator = _validator(orjson.dumps(form))
    try:
        return bool(validator.is_valid(value))
    except Unresolvable as error:
        raise InvalidInput(f"'response_format': there is no {error.ref}") from error


@lru_cache(maxsize=256)
def _validator(form: bytes) -> Draft202012Validator:
    schema = orjson.loads(form)
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise InvalidInput(f"'response_format': {error.message}") from error
    # a registry of its own: the default one would fetch what a schema refers to from wherever that is
    return Draft202012Validator(schema, registry=Registry())


def _filled(schema: Any, root: Form, text: str, depth: int = 0) -> Any:
    """A small value that keeps to the schema, where there is an easy one."""
    if depth > _DEEPEST:
        raise InvalidInput("'response_format': the schema has no end")
    match schema:
        case {"const": value} | {"enum": [value, *_]}:
            return value
        case {"anyOf": [*ways]} | {"oneOf": [*ways]} | {"allOf": [*ways]} if ways:
            return _filled(min(ways, key=_leads_on), root, text, depth + 1)
        case {"$ref": str(path)}:
            return _filled(_referred(path, root), root, text, depth + 1)
        case {"type": "object"} | {"properties": _}:
            return {name: _filled(each, root, text, depth + 1) for name, each in schema.get("properties", {}).items()}
        case {"type": "array"}:
            return [_filled(schema.get("items", {}), root, text, depth + 1)] * min(schema.get("minItems", 0), _LONGEST)
        case {"type": "integer" | "number"}:
            return _number(schema)
        case {"type": "boolean"}:
            return False
        case {"type": "null"}:
            return None
        case {"type": [first, *_]}:
            return _filled({**schema, "type": first}, root, text, depth + 1)
        case {"maxLength": int(most)} if len(text) > most:
            return text[:most]
    return text


def _leads_on(schema: Any) -> bool:
    """Whether filling it in leads to other schemas, and so perhaps back to where one is."""
    return isinstance(schema, dict) and "$ref" in schema


def _number(schema: Form) -> float:
    """Nought, or the whole number within the bounds that is nearest to it."""
    least: float = max(schema.get("minimum", -math.inf), schema.get("exclusiveMinimum", -math.inf) + 1)
    most: float = min(schema.get("maximum", math.inf), schema.get("exclusiveMaximum", math.inf) - 1)
    if least > 0:
        return math.ceil(least)
    return math.floor(most) if most < 0 else 0


def _referred(path: str, root: Form) -> Any:
    found: Any = root
    for name in path.removeprefix("#").split("/")[1:]:
        if not isinstance(found, dict) or name not in found:
            raise InvalidInput(f"'response_format': there is no {path}")
        found = found[name]
    return found
