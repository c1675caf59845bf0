"""Where domain errors become pages: mapped once, here, so that views only catch what they can answer better."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url

from annotator.errors import DomainError


class DomainErrors:
    """Middleware. A whole page for a whole page; for htmx, a message at the top of the page that is open.

    A fragment that would become the sign-in form, because the session ended, becomes such a message too.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if _holds_nul(request):
            raise BadRequest("An address cannot hold NUL.")
        response = self.get_response(request)
        if request.headers.get("HX-Request") and response.headers.get("Location", "").startswith(
            resolve_url(settings.LOGIN_URL)
        ):
            return _message(request, {"signed_out": True})
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, DomainError):
            return None
        if request.headers.get("HX-Request"):
            return _message(request, {"error": exception})
        template = "403.html" if exception.status == 403 else "annotator/errors/page.html"
        context = {"error": exception, "exception": exception.detail}
        return render(request, template, context, status=exception.status)


def _holds_nul(request: HttpRequest) -> bool:
    """PostgreSQL cannot even be asked for such a text. The API says so itself, by the field's name."""
    if request.path.startswith("/api/"):
        return False
    return "\0" in request.path or any("\0" in value for _, values in request.GET.lists() for value in values)


def _message(request: HttpRequest, context: dict[str, object]) -> HttpResponse:
    """200, for htmx swaps errors of no other kind; it says what happened in words."""
    response = render(request, "annotator/errors/_message.html", context)
    response["HX-Retarget"], response["HX-Reswap"] = "#messages", "innerHTML show:top"
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that was open for too long, or came from elsewhere."""
    return render(request, "403_csrf.html", {"reason": reason}, status=403)
