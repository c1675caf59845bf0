"""Where the models are. A key goes in and never comes out."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotator import runs
from annotator.models import Endpoint, record
from annotator.views.access import Request, staff_only
from annotator.views.forms import mark_invalid
from annotator.views.forms.endpoints import EndpointForm

PATIENCE: Final = timedelta(seconds=60)
"""A test that no worker has answered by then says so."""


@require_safe
@login_required
def endpoints(request: HttpRequest) -> HttpResponse:
    staff_only(request)
    rows = Endpoint.objects.annotate(projects=Count("judging", distinct=True) + Count("completing", distinct=True))
    return render(request, "annotator/endpoints/page.html", {"rows": rows, "count": len(rows)})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def new_endpoint(request: Request) -> HttpResponse:
    staff_only(request)
    return _edit(request, Endpoint())


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def endpoint(request: Request, code: str) -> HttpResponse:
    staff_only(request)
    return _edit(request, get_object_or_404(Endpoint, code=code))


def _edit(request: Request, found: Endpoint) -> HttpResponse:
    before = Endpoint.objects.filter(pk=found.pk).first()
    form = EndpointForm(request.POST or None, instance=found)
    if request.method == "POST" and form.is_valid():
        forgot = found.point_to(form.cleaned_data["base_url"], before.base_url if before else "")
        if key := form.cleaned_data["key"]:
            found.set_key(key)
        found.save()
        record("endpoint.changed", actor=request.user, subject=found.code, fields=form.changed_data)
        messages.success(request, f"{found} is saved.")
        if forgot and not key:
            messages.warning(request, "Its address changed, so its key was forgotten: enter the key for the new one.")
        return redirect("endpoint", found.code)
    mark_invalid(form)
    context = {"form": form, "endpoint": before, **_test_state(before)}
    return render(request, "annotator/endpoints/edit.html", context, status=422 if form.errors else 200)


def _test_state(found: Endpoint | None) -> dict[str, object]:
    if found is None or found.test_asked_at is None:
        return {"tested": False}
    answered = found.test_answered_at is not None and found.test_answered_at >= found.test_asked_at
    late = not answered and timezone.now() - found.test_asked_at > PATIENCE
    return {"tested": True, "answered": answered, "late": late, "patience": PATIENCE.seconds}


@require_POST
@login_required
def ask_endpoint(request: Request, code: str) -> HttpResponse:
    """Press "Test": a worker asks the endpoint, the fragment waits for its answer."""
    staff_only(request)
    found = get_object_or_404(Endpoint, code=code)
    runs.ask_test(found)
    return redirect("endpoint_test", code) if request.htmx else redirect("endpoint", code)


@require_safe
@login_required
def endpoint_test(request: HttpRequest, code: str) -> HttpResponse:
    staff_only(request)
    found = get_object_or_404(Endpoint, code=code)
    return render(request, "annotator/endpoints/_test.html", {"endpoint": found, **_test_state(found)})
