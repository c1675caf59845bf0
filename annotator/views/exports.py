"""Datasets out: see what would be in one while choosing, watch it being made, fetch it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from annotator import exports as domain
from annotator.errors import Invalid
from annotator.models import LIVE_STATES, Export, ExportFile, Project
from annotator.permissions import Right
from annotator.views.access import Request, project_for
from annotator.views.forms import mark_invalid
from annotator.views.forms.exports import NewExport, fitting
from annotator.views.paging import page_of


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def exports(request: Request, slug: str) -> HttpResponse:
    """The choices with what they would give (`part=preview` is that alone); posted, the export is asked for.

    `options_of` names the format whose options were on the page: a preview in another brings its own.
    """
    project = project_for(request, slug, Right.EXPORT)
    form = NewExport(request.POST or (fitting(request.GET) if "format" in request.GET else None))
    if request.method == "POST" and form.is_valid():
        try:
            made = domain.request(project, form.cleaned_data["format"], form.choices(), request.user)
        except Invalid as error:
            form.add_error(error.field if error.field in form.fields else None, error.reason)
        else:
            return redirect("export", slug, made.code)
    if request.GET.get("part") == "preview":
        others = request.GET.get("options_of", form.writer.name) != form.writer.name
        context = {**_preview(project, form), "form": form, "others": others}
        return render(request, "annotator/exports/_preview.html", context)
    mark_invalid(form)
    rows = Export.objects.filter(project=project).select_related("created_by", "snapshot")
    context = {
        "form": form,
        "page": page_of(request, rows),
        "count": rows.count(),
        # Counting tens of thousands of solutions takes seconds: an untouched page asks for it once it stands.
        **(_preview(project, form) if form.is_bound else {"later": True}),
    }
    return render(request, "annotator/exports/page.html", context, status=422 if form.errors else 200)


def _preview(project: Project, form: NewExport) -> dict[str, Any]:
    """What an export with these choices would hold, or why there can be none, in words."""
    if not form.is_bound:
        form = NewExport(form.initial_data())
    if not form.is_valid():
        return {"problem": next(iter(form.errors.values()))[0]}
    try:
        return {"preview": domain.preview(project, form.cleaned_data["format"], form.choices())}
    except Invalid as error:
        return {"problem": error.detail}


@require_safe
@login_required
def export(request: HttpRequest, slug: str, code: str) -> HttpResponse:
    project = project_for(request, slug, Right.EXPORT)
    found = get_object_or_404(Export.objects.select_related("snapshot", "created_by"), project=project, code=code)
    origin = settings.STEPWISE_ORIGIN or f"{request.scheme}://{request.get_host()}"
    files = [
        {"file": file, "curl": f'curl -fOJ -H "Authorization: Bearer $STEPWISE_TOKEN" {origin}{_api(found, file)}'}
        for file in ExportFile.objects.filter(export=found)
    ]
    context = {
        "export": found,
        "live": found.state in LIVE_STATES,
        "files": files,
        "unit": domain.FORMATS[found.format].unit,
    }
    template = "_live" if request.GET.get("part") == "live" else "page"
    return render(request, f"annotator/export/{template}.html", context)


def _api(found: Export, file: ExportFile) -> str:
    return reverse("export_file", args=[found.code, file.name])


@require_safe
@login_required
def export_download(request: HttpRequest, slug: str, code: str, name: str) -> FileResponse:
    """The same bytes that the API serves, for somebody who is signed in."""
    project = project_for(request, slug, Right.EXPORT)
    file = get_object_or_404(ExportFile, export__project=project, export__code=code, name=name)
    path = Path(file.path)
    if not path.is_file():
        raise Http404(f"{name} is gone from the disk")
    response = FileResponse(path.open("rb"), as_attachment=True, filename=file.name)
    response["ETag"] = f'"{file.sha256}"'
    return response
