"""Everything that steers one project; and putting it away."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from annotator import setup
from annotator.models import Project, record
from annotator.permissions import Right
from annotator.views.access import Request, project_for
from annotator.views.forms import mark_invalid
from annotator.views.forms.projects import ProjectSettings


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def project_settings(request: Request, slug: str) -> HttpResponse:
    project = project_for(request, slug, Right.MANAGE)
    form = ProjectSettings(request.POST or None, instance=Project.objects.get(pk=project.pk))
    if request.method == "POST" and form.is_valid():
        changed = {name: form.cleaned_data[name] for name in form.changed_data}
        run = setup.change_project(project, request.user, changed)
        messages.success(request, "Saved." if changed else "Nothing was changed.")
        if run is not None:
            solutions = f"{run.total:,} solution{'' if run.total == 1 else 's'}"
            messages.info(request, f"A route run decides again on {solutions} with these settings: see Runs.")
        return redirect("project_settings", slug)
    mark_invalid(form)
    context = {"form": form, "put_away": {"put": "away"}}
    return render(request, "annotator/settings/page.html", context, status=422 if form.errors else 200)


@require_POST
@login_required
def archive(request: Request, slug: str) -> HttpResponse:
    """Put a project away, or take it out again (`put=away|back`)."""
    project = project_for(request, slug, Right.MANAGE)
    away = request.POST.get("put") == "away"
    project.archive(away)
    record("project.archived" if away else "project.unarchived", project=project, actor=request.user)
    messages.success(request, f"{project} is {'archived' if away else 'back among the projects'}.")
    return redirect("project_settings", slug)
