"""Structured output: `response_format` as OpenAI's protocol has it, and a reply that keeps to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from reasoning.errors import InvalidInput

Form = Mapping[str, Any]
"""A JSON schema; `ANY_OBJECT` for the mode that asks for some JSON object."""

ANY_OBJECT: Final[Form] = {"type": "object", "properties": {"answer": {"type": "string"}}}
_DEEPEST: Final = 32


def form_of(body: Mapping[str, Any]) -> Form | None:
    """The form that a request's body asks for; None for plain text. Raises `InvalidInput`."""
    match body.get("response_format"):
        case None | {"type": "text"}:
            return None
        case {"type": "json_object"}:
            return ANY_OBJECT
        case {"type": "json_schema", "json_schema": {"name": str(), "schema": dict(schema)}}:
            formed("", schema)  # refuses now what it could not fill in later
            return schema
    raise InvalidInput("'response_format' must be text, json_object, or json_schema with a name and a schema")


def formed(text: str, form: Form | None) -> str:
    """What is said in the form asked for: as it stands where it keeps to it, else as the text of its strings."""
    if form is None or _keeps(text, form):
        return text
    return orjson.dumps(_filled(form, form, text)).decode()


def _keeps(text: str, form: Form) -> bool:
    """Whether a text is an object of the form's properties: the judge's is what its own schema says."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    if not isinstance(value, dict):
        return False
    known = form.get("properties", value)
    return all(name in value for name in form.get("required", ())) and all(name in known for name in value)


def _filled(schema: Any, root: Form, text: str, depth: int = 0) -> Any:
    """A small value that keeps to the schema."""
    if depth > _DEEPEST:
        raise InvalidInput("'response_format': the schema has no end")
    match schema:
        case {"const": value} | {"enum": [value, *_]}:
            return value
        case {"anyOf": [first, *_]} | {"oneOf": [first, *_]} | {"allOf": [first]}:
            return _filled(first, root, text, depth + 1)
        case {"$ref": str(path)}:
            return _filled(_referred(path, root), root, text, depth + 1)
        case {"type": "object", "properties": dict(properties)}:
            return {name: _filled(each, root, text, depth + 1) for name, each in properties.items()}
        case {"type": "object"}:
            return {}
        case {"type": "array"}:
            return [_filled(schema.get("items", {}), root, text, depth + 1)] * schema.get("minItems", 0)
        case {"type": "integer" | "number"}:
            return max(0, schema.get("minimum", 0))
        case {"type": "boolean"}:
            return False
        case {"type": "null"}:
            return None
        case {"type": [first, *_]}:
            return _filled({**schema, "type": first}, root, text, depth + 1)
    return text


def _referred(path: str, root: Form) -> Any:
    found: Any = root
    for name in path.removeprefix("#").split("/")[1:]:
        if not isinstance(found, dict) or name not in found:
            raise InvalidInput(f"'response_format': there is no {path}")
        found = found[name]
    return found
