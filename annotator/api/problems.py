"""Every error of the API leaves here, as problem+json (RFC 9457)."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import set_rollback

from annotator.errors import DomainError, Invalid

CONTENT_TYPE = "application/problem+json"


def problem(code: int, title: str, detail: str, **more: Any) -> dict[str, Any]:
    return {"type": "about:blank", "title": title, "status": code, "detail": detail, **more}


def handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. What is nobody's fault but ours is not handled: it is logged and answers 500."""
    if isinstance(error, DomainError):
        fields = [{"field": error.field, "reason": error.reason}] if isinstance(error, Invalid) else None
        more = {"errors": fields} if fields else {}
        return _respond(problem(error.status, error.title, error.detail, **more), {})
    if isinstance(error, Http404):
        error = exceptions.NotFound(str(error) or None)
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if not isinstance(error, exceptions.APIException):
        return None
    headers = {}
    if header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = header
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait))
    if isinstance(error, exceptions.ValidationError):
        fields = list(_flatten(error.detail))
        detail = "; ".join(f"{field['field']}: {field['reason']}" for field in fields)
        return _respond(problem(422, "Invalid", detail, errors=fields), headers)
    title = str(getattr(error, "default_detail", "Error")).rstrip(".")
    return _respond(problem(error.status_code, title, str(error.detail)), headers)


def _flatten(detail: Any, path: str = "") -> Any:
    """Field paths such as `ratings[2].rating` from DRF's nested error detail."""
    if isinstance(detail, dict):
        for key, value in detail.items():
            yield from _flatten(value, f"{path}.{key}" if path else str(key))
    elif isinstance(detail, list) and any(isinstance(item, dict | list) for item in detail):
        for number, item in enumerate(detail):
            yield from _flatten(item, f"{path}[{number}]")
    else:
        for reason in detail if isinstance(detail, list) else [detail]:
            yield {"field": path or "body", "reason": str(reason)}


def _respond(body: dict[str, Any], headers: dict[str, str]) -> Response:
    set_rollback()
    return Response(body, status=body["status"], headers=headers, content_type=CONTENT_TYPE)


def not_found(request: HttpRequest) -> JsonResponse:
    """An address of the API that there is not."""
    body = problem(status.HTTP_404_NOT_FOUND, "Not found", f"There is no {request.path}.")
    return JsonResponse(body, status=404, content_type=CONTENT_TYPE)
