"""Disagreements between people, and the page on which a reviewer settles one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Exists, OuterRef
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from annotator import queue, settlement, sightings
from annotator.errors import DomainError
from annotator.models import Disagreement, Project
from annotator.permissions import Right
from annotator.views.access import Request, project_for
from annotator.views.label import in_words, read_form
from annotator.views.sheet import sheet_of_disagreement

SHOWN = 200


@login_required
@require_GET
def page(request: Request, slug: str) -> HttpResponse:
    """The open ones, the oldest first."""
    project = project_for(request, slug, Right.REVIEW)
    own = settlement.parts_of(request.user.work_as()).filter(solution=OuterRef("solution"))
    waiting = _open(project).annotate(own=Exists(own))
    context = {"rows": waiting[:SHOWN], "count": waiting.count()}
    return render(request, "annotator/disagreements/page.html", context)


def _open(project: Project) -> Any:
    waiting = Disagreement.objects.filter(project=project, settled_at=None, solution__withdrawn_at=None)
    return waiting.select_related("solution__problem", "solution__project", "project").order_by("pk")


@login_required
@require_http_methods(["GET", "POST"])
def one(request: Request, slug: str, code: str) -> HttpResponse:
    """The labelling page with everybody's ratings beside the steps; a POST settles the disagreement."""
    project = project_for(request, slug, Right.REVIEW)
    disagreement = get_object_or_404(_open(project), solution__code=code)
    settlement.check_outside(disagreement, request.user.work_as())
    if request.method == "GET":
        sightings.note(request.user, [disagreement.solution])
        context = {"sheet": sheet_of_disagreement(disagreement)}
        return render(request, "annotator/disagreements/one.html", context)
    try:
        submission = queue.read_submission(read_form(request.POST))
        settlement.adjudicate(disagreement, request.user.work_as(), submission)
    except DomainError as error:
        if not request.headers.get("HX-Request"):
            messages.error(request, in_words(error))
            return redirect("disagreement", slug, code)
        response = render(request, "annotator/label/_refused.html", {"error": error, "words": in_words(error)})
        response["HX-Retarget"], response["HX-Reswap"] = "#refused", "innerHTML"
        return response
    return _onwards(request, project)


def _onwards(request: Request, project: Project) -> HttpResponse:
    """To the next disagreement, or back to the empty list."""
    own = settlement.parts_of(request.user.work_as()).values("solution")
    following = _open(project).exclude(solution__in=own).first()
    url = reverse("disagreements", args=[project.slug])
    if following is not None:
        url = reverse("disagreement", args=[project.slug, following.solution.code])
    if not request.headers.get("HX-Request"):
        return redirect(url)
    response = HttpResponse(status=204)
    response["HX-Redirect"] = url
    return response
