"""Every error of the API leaves here, as problem+json (RFC 9457)."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from annotator.errors import DomainError, Invalid

CONTENT_TYPE: Final = "application/problem+json"
PREFIX: Final = "/api/"


def problem(status: int, detail: str, title: str = "", **more: Any) -> dict[str, Any]:
    """The members that every problem has; the title is the status's own name unless another says more."""
    return {
        "type": "about:blank",
        "title": title or HTTPStatus(status).phrase,
        "status": int(status),
        "detail": detail,
        **more,
    }


def handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. What is nobody's fault but ours is not handled: it is logged and answers 500."""
    if isinstance(error, Invalid):
        fields = [{"field": error.field, "reason": error.reason}]
        return _respond(problem(error.status, error.detail, error.title, errors=fields))
    if isinstance(error, DomainError):
        return _respond(problem(error.status, error.detail, error.title))
    if isinstance(error, Http404):
        error = exceptions.NotFound(str(error) or None)
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if isinstance(error, exceptions.ValidationError):
        fields = list(_flatten(error.detail))
        detail = "; ".join(f"{field['field']}: {field['reason']}" for field in fields)
        return _respond(problem(Invalid.status, detail, Invalid.title, errors=fields))
    if isinstance(error, exceptions.APIException):
        scheme = getattr(error, "auth_header", None)  # set by REST framework on what answers 401
        headers = {"WWW-Authenticate": str(scheme)} if scheme else {}
        return _respond(problem(error.status_code, str(error.detail)), headers)
    return None


def _flatten(detail: Any, path: str = "") -> Iterator[dict[str, str]]:
    """Field paths such as `ratings[2].rating` from DRF's nested error detail."""
    if isinstance(detail, dict):
        for key, value in detail.items():
            name = "" if key == "non_field_errors" else str(key)
            yield from _flatten(value, f"{path}.{name}" if path and name else path or name)
    elif isinstance(detail, list) and any(isinstance(item, dict | list) for item in detail):
        for number, item in enumerate(detail):
            yield from _flatten(item, f"{path}[{number}]")
    else:
        for reason in detail if isinstance(detail, list) else [detail]:
            yield {"field": path or "body", "reason": str(reason)}


def _respond(body: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    set_rollback()
    return Response(body, status=body["status"], headers=headers, content_type=CONTENT_TYPE)


def plain(status: int, detail: str) -> JsonResponse:
    """A problem from where REST framework is not in between."""
    return JsonResponse(problem(status, detail), status=status, content_type=CONTENT_TYPE)


@csrf_exempt
def not_found(request: HttpRequest) -> JsonResponse:
    """An address of the API that there is not."""
    hint = "" if request.path.endswith("/") else " Addresses of calls end in a slash."
    return plain(HTTPStatus.NOT_FOUND, f"There is no {request.path}.{hint}")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Django's handler400: what it refuses before a view is asked."""
    if not request.path.startswith(PREFIX):
        return defaults.bad_request(request, exception)
    return plain(HTTPStatus.BAD_REQUEST, "The request cannot be understood.")


def server_error(request: HttpRequest) -> HttpResponseBase:
    """Django's handler500: it has been logged."""
    if not request.path.startswith(PREFIX):
        return defaults.server_error(request)
    return plain(HTTPStatus.INTERNAL_SERVER_ERROR, "This is a fault of the server; its log says more.")
