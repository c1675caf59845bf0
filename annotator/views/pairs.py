"""Pairs of steps that searches found: which of two ways to go on is the better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from annotator import beliefs, runs, sightings
from annotator.models import Person, Preference, Project, Run, RunKind
from annotator.permissions import Right
from annotator.views.access import Request, project_for
from annotator.views.paging import page_of
from reasoning.characters import escape, unescape


@dataclass(frozen=True, slots=True)
class Pair:
    """One pair with the texts as they are shown."""

    row: Preference
    problem: str
    before: list[str]
    """The steps that both follow."""
    chosen: str
    rejected: str
    withheld: str
    """Why the pair is not shown, in words."""


def _pair(row: Preference, withheld: str) -> Pair:
    value = beliefs.solution_value(row.solution)
    before = [step.text for step in value.steps[: row.prefix]]
    return Pair(row, value.problem.statement, before, unescape(row.chosen), unescape(row.rejected), withheld)


def _pairs(person: Person, rows: Sequence[Preference]) -> list[Pair]:
    """With what this person may be shown, which is noted: a pair says what machines think of its solution."""
    withheld = sightings.withheld(person, [row.solution for row in rows])
    sightings.note(person, [row.solution for row in rows if row.solution_id not in withheld])
    return [_pair(row, withheld.get(row.solution_id, "")) for row in rows]


def _filtered(request: HttpRequest, project: Project) -> QuerySet[Preference]:
    rows = runs.preferences_of(project.pk)
    if search := request.GET.get("search"):
        rows = rows.filter(run__code=search)
    if words := escape(request.GET.get("q", "").strip()):
        rows = rows.filter(problem__statement__icontains=words)
    return rows


def _filters(request: HttpRequest, project: Project) -> list[dict[str, Any]]:
    searches = Run.objects.filter(project=project, kind=RunKind.SEARCH)[:100]
    choices = [(run.code, f"{run.created_at:%Y-%m-%d} {run.code}") for run in searches]
    return [{"name": "search", "word": "Found by", "choices": choices, "value": request.GET.get("search", "")}]


@require_safe
@login_required
def pairs(request: Request, slug: str) -> HttpResponse:
    project = project_for(request, slug, Right.VIEW)
    rows = _filtered(request, project)
    shown = rows.select_related("run", "solution__problem").prefetch_related("solution__step_rows")
    page = page_of(request, shown, size=25)
    context = {
        "page": page,
        "pairs": _pairs(request.user, page.rows),
        "count": rows.count(),
        "filters": _filters(request, project),
        "search": request.GET.get("q", ""),
        "narrowed": any(request.GET.get(name) for name in ("q", "search")),
        "may_manage": Right.MANAGE in request.rights,
    }
    return render(request, "annotator/pairs/page.html", context)
