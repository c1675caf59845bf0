"""Runs: what one would take, start it, watch it, hold it."""

from __future__ import annotations

from typing import Any, Final

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from annotator import runs as domain
from annotator.errors import DomainError, Invalid
from annotator.models import LIVE_STATES, Project, Run, RunKind, SolutionStatus
from annotator.permissions import Right
from annotator.views.access import Request, project_for
from annotator.views.forms import mark_invalid
from annotator.views.forms.runs import NewRun
from annotator.views.paging import page_of

TRY: int = 5
"""Solutions of "try on five"."""
_TOLD_ELSEWHERE: Final = ("selection", "shown", "model")
"""Parts of a run's config that its page shows by themselves."""


@require_safe
@login_required
def runs(request: Request, slug: str) -> HttpResponse:
    project = project_for(request, slug, Right.VIEW)
    rows = Run.objects.filter(project=project).select_related("endpoint", "created_by")
    page = page_of(request, rows)
    progress = domain.progress_of(page.rows)
    context = {
        "page": page,
        "rows": [_shown(run, progress[run.pk]) for run in page.rows],
        "count": rows.count(),
        "live": any(run.state in LIVE_STATES for run in page.rows),
        "may_manage": Right.MANAGE in request.rights,
    }
    return render(request, f"annotator/runs/{'_list' if _fragment(request) else 'page'}.html", context)


def _shown(run: Run, progress: domain.Progress) -> dict[str, Any]:
    tokens = run.prompt_tokens + run.completion_tokens
    ended = progress.total - progress.waiting
    return {"run": run, "progress": progress, "ended": ended, "tokens": tokens, "unit": domain.unit_of(run.kind)}


def _fragment(request: HttpRequest) -> bool:
    return "part" in request.GET


@require_safe
@login_required
def new_run(request: HttpRequest, slug: str) -> HttpResponse:
    """The form, with what the run would take; `part=estimate` is that alone, while choices are made."""
    project = project_for(request, slug, Right.MANAGE)
    form = NewRun(request.GET if "kind" in request.GET else None, project=project)
    template = "_estimate" if _fragment(request) else "new"
    return render(request, f"annotator/runs/{template}.html", {"form": form, **_estimate(project, form)})


def _estimate(project: Project, form: NewRun) -> dict[str, Any]:
    """The estimate of a complete form, or why there is none, in words."""
    if not form.is_bound:
        form = NewRun(form.initial_data(), project=project)
    if not form.is_valid():
        return {"problem": next(iter(form.errors.values()))[0]}
    try:
        estimate = domain.estimate(project, form.chosen, form.selection(), form.config())
    except DomainError as error:
        return {"problem": error.detail.removeprefix("config.")}
    return {"estimate": estimate, "nothing": domain.nothing(form.chosen, form.selection())}


@require_POST
@login_required
def start_run(request: Request, slug: str) -> HttpResponse:
    """Start; with `try` on the first few solutions only. Where there is nothing to do, the form says so."""
    project = project_for(request, slug, Right.MANAGE)
    form = NewRun(request.POST, project=project)
    expected = _estimate(project, form)
    if form.is_valid() and not _is_empty(expected):
        selection = form.selection() | ({"limit": TRY} if "try" in request.POST else {})
        try:
            run = domain.start(project, form.chosen, selection=selection, config=form.config(), person=request.user)
        except Invalid as error:
            form.add_error(None, error.detail)
        else:
            return redirect("run", slug, run.code)
    mark_invalid(form)
    context = {"form": form, **expected, "refused": _is_empty(expected)}
    return render(request, "annotator/runs/new.html", context, status=422)


def _is_empty(expected: dict[str, Any]) -> bool:
    """Is nothing selected at all? What is left out of a run may still be decided by it."""
    estimate: domain.Estimate | None = expected.get("estimate")
    return estimate is not None and not estimate.solutions and not estimate.skipped


def _run(request: HttpRequest, slug: str, code: str, right: Right) -> Run:
    project = project_for(request, slug, right)
    rows = Run.objects.select_related("endpoint", "created_by", "project")
    return get_object_or_404(rows, project=project, code=code)


@require_safe
@login_required
def run(request: Request, slug: str, code: str) -> HttpResponse:
    found = _run(request, slug, code, Right.VIEW)
    context = {
        **_shown(found, domain.progress(found)),
        "live": found.state in LIVE_STATES,
        "outcome": [] if found.state in LIVE_STATES else _outcome(found),
        "yielded": domain.yielded(found) if found.kind == RunKind.SEARCH else None,
        "failures": domain.failures(found),
        "config": {name: value for name, value in found.config.items() if name not in _TOLD_ELSEWHERE},
        "shown": [example["solution"] for example in found.config.get("shown", ())],
        "selection": _in_words(found.config.get("selection") or {}),
        "may_manage": Right.MANAGE in request.rights,
    }
    return render(request, f"annotator/run/{'_live' if _fragment(request) else 'page'}.html", context)


def _in_words(selection: dict[str, Any]) -> list[str]:
    """What a run was narrowed to, one choice a line of words."""
    words = []
    if codes := selection.get("ids"):
        words.append(f"{len(codes):,} chosen")
    if status := selection.get("status"):
        words.append(SolutionStatus(status).label)
    if selection.get("decided"):
        words.append("labelled by machines or waiting for people")
    if intake := selection.get("intake"):
        words.append(f"of intake {intake}")
    if limit := selection.get("limit"):
        words.append(f"at most {limit:,}")
    if selection.get("again"):
        words.append("also those that had been looked at")
    return words


def _outcome(run: Run) -> list[dict[str, Any]]:
    """Statuses that any solution of the run came to, in words, the most settled first."""
    counts = domain.outcome(run)
    choices = reversed(SolutionStatus.choices)
    return [{"status": value, "words": words, "number": counts[value]} for value, words in choices if counts[value]]


@require_POST
@login_required
def change_run(request: Request, slug: str, code: str, act: str) -> HttpResponse:
    """`act`: pause, resume or cancel. Whoever was first wins; the page then shows what is."""
    found = _run(request, slug, code, Right.MANAGE)
    {"pause": domain.pause, "resume": domain.resume, "cancel": domain.cancel}[act](found, request.user)
    return redirect("run", slug, code)
