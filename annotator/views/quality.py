"""The manager's page: one question a section, its answer first."""

from __future__ import annotations

import csv
import hashlib

import orjson
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from annotator import fitting
from annotator.errors import Conflict
from annotator.permissions import Right
from annotator.quality import FIGURES, everything
from annotator.views.access import Request, project_for


@require_safe
@login_required
def quality(request: Request, slug: str) -> HttpResponse:
    """`seen=HASH` asks whether anything has changed since: 204 if not, so that an open page stays still."""
    project = project_for(request, slug, Right.VIEW)
    figures = everything(project)
    seen = hashlib.sha256(orjson.dumps(figures)).hexdigest()[:16]
    if request.GET.get("seen") == seen:
        return HttpResponse(status=204)
    template = "_figures" if "seen" in request.GET else "page"
    context = {"figures": figures, "seen": seen, "may_manage": Right.MANAGE in request.rights}
    return render(request, f"annotator/quality/{template}.html", context)


@require_POST
@login_required
def fit_now(request: Request, slug: str) -> HttpResponse:
    """Ask for a fit; where one is under way, that is it."""
    project = project_for(request, slug, Right.MANAGE)
    try:
        fitting.request(project, request.user)
    except Conflict as error:
        messages.error(request, error.detail)
    return redirect(reverse("quality", args=[slug]) + "#habits")


@require_safe
@login_required
def quality_csv(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """The table of one figure."""
    project = project_for(request, slug, Right.VIEW)
    if name not in FIGURES:
        raise Http404(f"no figure {name}")
    table = FIGURES[name](project)["table"]
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{project.slug}-{name}.csv"'
    writer = csv.writer(response)
    writer.writerow(table["columns"])
    writer.writerows(table["rows"])
    return response
