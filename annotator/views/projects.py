"""All projects that one may open, and a new one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from annotator import activity, permissions, setup
from annotator.errors import Invalid
from annotator.models import Certificate, Project, SolutionStatus
from annotator.quality.progress import by_status
from annotator.views.access import Request, staff_only
from annotator.views.forms import mark_invalid
from annotator.views.forms.projects import NewProject


@dataclass(frozen=True, slots=True)
class Row:
    """One project in the list."""

    project: Project
    statuses: Counter[str]
    certificate: Certificate | None
    last: datetime

    @property
    def total(self) -> int:
        return self.statuses.total()

    @property
    def settled(self) -> int:
        return self.statuses[SolutionStatus.SETTLED]

    @property
    def machine(self) -> int:
        return self.statuses[SolutionStatus.MACHINE]

    @property
    def waiting(self) -> int:
        return self.statuses[SolutionStatus.QUEUED] + self.statuses[SolutionStatus.DISPUTED]


@require_safe
@login_required
def projects(request: Request) -> HttpResponse:
    mine = permissions.projects_of(request.user)
    statuses, last, certificates = by_status(mine), activity.last_activity(mine), activity.certificates(mine)
    rows = [Row(one, statuses[one.pk], certificates.get(one.pk), last[one.pk]) for one in mine]
    live = [row for row in rows if row.project.archived_at is None]
    archived = [row for row in rows if row.project.archived_at is not None]
    return render(request, "annotator/projects/page.html", {"rows": live, "archived": archived})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def new_project(request: Request) -> HttpResponse:
    staff_only(request)
    form = NewProject(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            project = setup.create_project(person=request.user, **form.cleaned_data)
        except Invalid as error:
            form.add_error(error.field if error.field in form.fields else None, error.reason)
        else:
            messages.success(request, f"{project} is made. Load a file of solutions to begin.")
            return redirect("intakes", project.slug)
    mark_invalid(form)
    return render(request, "annotator/projects/new.html", {"form": form}, status=422 if form.errors else 200)
