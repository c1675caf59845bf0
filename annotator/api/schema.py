"""What the OpenAPI schema says beside the views: names without our suffixes, and how every error looks."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.openapi import AutoSchema

from annotator.api.problems import CONTENT_TYPE

PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "description": "RFC 9457. `errors` names the fields where a body or a parameter was refused.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "reason"],
                "properties": {"field": {"type": "string"}, "reason": {"type": "string"}},
            },
        },
    },
}


class Operations(AutoSchema):
    """One operation a method: its description is the method's docstring, `ProjectShape` is called `Project`."""

    def get_description(self) -> str:  # type: ignore[override]
        method = getattr(self.view, self.method.lower())
        return str(method.__doc__ or "")

    def _get_serializer_name(self, serializer: Any, direction: Any, bypass_extensions: bool = False) -> str:
        name: str = super()._get_serializer_name(serializer, direction, bypass_extensions)
        return name.replace("Shape", "")


def describe(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """A drf-spectacular hook: every operation may answer 4XX with a problem."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM
    answer = {
        "description": "What is wrong, in words",
        "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for operations in result["paths"].values():
        for operation in operations.values():
            operation["responses"]["4XX"] = answer
    return result
