"""Where domain errors become pages: mapped once, here, so that views only catch what they can answer better."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from annotator.errors import DomainError


class DomainErrors:
    """Middleware. A whole page for a whole page; for htmx, a message at the top of the page that is open."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, DomainError):
            return None
        if request.headers.get("HX-Request"):
            response = render(request, "annotator/errors/_message.html", {"error": exception})
            # 200, for htmx swaps no other status here; it carries what happened in words.
            response["HX-Retarget"], response["HX-Reswap"] = "#messages", "innerHTML show:top"
            return response
        template = "403.html" if exception.status == 403 else "annotator/errors/page.html"
        context = {"error": exception, "exception": exception.detail}
        return render(request, template, context, status=exception.status)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that was open for too long, or came from elsewhere."""
    return render(request, "403_csrf.html", {"reason": reason}, status=403)
