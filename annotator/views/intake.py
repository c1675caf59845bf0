"""Files in: upload one, watch it being read, see what was refused and why, take it back."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Count, Min
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from annotator import intake as domain
from annotator.errors import DomainError, Invalid
from annotator.models import LIVE_STATES, Intake, Project, Refusal, Solution
from annotator.permissions import Right
from annotator.views.access import Request, project_for
from annotator.views.forms import mark_invalid
from annotator.views.forms.intake import Upload
from annotator.views.paging import page_of

EXAMPLES = 3


@require_safe
@login_required
def intakes(request: HttpRequest, slug: str) -> HttpResponse:
    return _page(request, project_for(request, slug, Right.MANAGE), Upload())


def _page(request: HttpRequest, project: Project, form: Upload) -> HttpResponse:
    mark_invalid(form)
    rows = Intake.objects.filter(project=project).select_related("created_by")
    page = page_of(request, rows)
    context = {
        "form": form,
        "page": page,
        "rows": page.rows,
        "count": rows.count(),
        "live": any(one.state in LIVE_STATES for one in page.rows),
    }
    template = "_list" if request.GET.get("part") == "list" else "page"
    return render(request, f"annotator/intake/{template}.html", context, status=422 if form.errors else 200)


@require_POST
@login_required
def upload(request: Request, slug: str) -> HttpResponse:
    """Keep the file, and let a worker read it. A script that sends it, for the bar, is told the address in a header."""
    project = project_for(request, slug, Right.MANAGE)
    form = Upload(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, project, form)
    file: UploadedFile[Any] = form.cleaned_data["file"]
    try:
        made = domain.receive(
            project,
            file.chunks(),
            format=_format_of(file, form.cleaned_data["format"]),
            options=form.options(),
            person=request.user,
            name=file.name or "",
        )
    except Invalid as error:
        form.add_error(None, error.detail)
        return _page(request, project, form)
    where = reverse("intake", args=[slug, made.code])
    if request.htmx:
        return HttpResponse(headers={"HX-Redirect": where})
    return redirect(where)


def _format_of(file: UploadedFile[Any], chosen: str) -> str:
    """The chosen format, or the one that the first rows look like. Raises Invalid where they look like none."""
    if chosen:
        return chosen
    file.seek(0)
    found = domain.guess(file.read(domain.HEAD))
    file.seek(0)
    if found is None:
        raise Invalid("format", "the first rows look like none that is known; choose one")
    return found


@require_POST
@login_required
def look(request: HttpRequest, slug: str) -> HttpResponse:
    """What the first bytes of a file would become (`head`), in the chosen format or the one they look like."""
    project_for(request, slug, Right.MANAGE)
    head = request.FILES.get("head")
    start = head.read(domain.HEAD) if head else b""
    form = Upload(request.POST)
    form.is_valid()
    chosen = request.POST.get("format") or domain.guess(start)
    context: dict[str, Any] = {"format": chosen, "guessed": not request.POST.get("format")}
    if chosen:
        try:
            context["preview"] = domain.preview(start, chosen, form.options(), count=EXAMPLES)
        except DomainError as error:
            context["problem"] = error.detail
    return render(request, "annotator/intake/_look.html", context)


def _intake(request: HttpRequest, slug: str, code: str) -> Intake:
    project = project_for(request, slug, Right.MANAGE)
    return get_object_or_404(Intake.objects.select_related("created_by", "project"), project=project, code=code)


@require_safe
@login_required
def intake(request: HttpRequest, slug: str, code: str) -> HttpResponse:
    found = _intake(request, slug, code)
    context = {
        "intake": found,
        "live": found.state in LIVE_STATES,
        "options": {name: value for name, value in found.options.items() if value},
        "solutions": Solution.objects.live().filter(intake=found).count(),
        "refusals": _refusals(found),
    }
    template = "_live" if request.GET.get("part") == "live" else "detail"
    return render(request, f"annotator/intake/{template}.html", context)


def _refusals(found: Intake) -> list[dict[str, Any]]:
    """By field and reason, most frequent first, each with its first examples."""
    rows = Refusal.objects.filter(intake=found)
    groups = rows.values("field", "reason").annotate(number=Count("pk"), first=Min("line")).order_by("-number", "first")
    return [
        {
            **group,
            "examples": list(rows.filter(field=group["field"], reason=group["reason"]).order_by("line")[:EXAMPLES]),
        }
        for group in groups[:20]
    ]


class _Echo:
    """A file whose only act is to hand back what is written."""

    def write(self, text: str) -> str:
        return text


def _harmless(cell: object) -> object:
    """Text from a file that a spreadsheet would run as a formula gets an apostrophe before it."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


@require_safe
@login_required
def refusals_csv(request: HttpRequest, slug: str, code: str) -> StreamingHttpResponse:
    """Every refused row: line, field, reason, how it begins."""
    found = _intake(request, slug, code)
    writer = csv.writer(_Echo())

    def lines() -> Iterator[str]:
        yield writer.writerow(["line", "field", "reason", "excerpt"])
        rows = Refusal.objects.filter(intake=found).values_list("line", "field", "reason", "excerpt")
        for row in rows.iterator():
            yield writer.writerow([_harmless(cell) for cell in row])

    response = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{found.code}-refused.csv"'
    return response


@require_POST
@login_required
def withdraw(request: Request, slug: str, code: str) -> HttpResponse:
    found = domain.withdraw(_intake(request, slug, code), request.user)
    messages.success(request, f"{found} is withdrawn.")
    return redirect("intake", slug, code)
