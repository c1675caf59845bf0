"""All solutions of a project, searched and filtered; and everything known about one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from annotator import dossier, reviews, settlement, sightings
from annotator.errors import Invalid
from annotator.models import (
    Annotation,
    Destination,
    Intake,
    Label,
    Person,
    Posterior,
    Project,
    Routing,
    Run,
    RunKind,
    Selection,
    Settlement,
    Solution,
    SolutionStatus,
    Source,
)
from annotator.permissions import Right
from annotator.templatetags.texts import looks_like_code
from annotator.views.access import Request, project_for
from annotator.views.paging import page_of
from reasoning.characters import escape

SOURCES: Final = {
    "human": Q(settlements__source=Source.HUMAN),
    "adjudicated": Q(settlements__source=Source.ADJUDICATED),
    "machine": Q(settlements__source=Source.MACHINE, settlements__provisional=False),
    "provisional": Q(settlements__source=Source.MACHINE, settlements__provisional=True),
    "imported": Q(settlements__source=Source.IMPORTED),
    "gold": Q(settlements__source=Source.GOLD),
}
ERRORS: Final = {
    "none": Q(settlements__first_error=-1),
    "some": Q(settlements__first_error__gte=0),
    "open": Q(settlements__first_error=None),
}
ROUTES: Final = {"audit": Q(audit__isnull=False), "people": Q(routings__destination=Destination.PEOPLE)}


@dataclass(frozen=True, slots=True)
class Row:
    """One solution in the list, with its current rows."""

    solution: Solution
    settlement: Settlement | None
    posterior: Posterior | None
    reason: str
    cells: list[str]
    """A mark a step, as templatetags.marks knows them."""
    by: str
    """person or machine: whose the marks are."""
    withheld: str = ""
    """Why nothing of it is shown, in words."""

    @property
    def words(self) -> str:
        """What the strip says, for who cannot see it."""
        first = next((index for index, cell in enumerate(self.cells) if cell == "-1"), None)
        if first is not None:
            return f"first error at step {first + 1} of {len(self.cells)}, by {self.by}"
        return f"{len(self.cells)} steps, {self.cells.count('1')} good"


def cells_of(steps: int, labels: Sequence[Label], first_error: int | None) -> list[str]:
    """The settled value of each step, else what the machines believe; beyond the first error nothing is said."""
    if labels:
        said = {label.index: str(label.value) for label in labels}
        wrong = min((label.index for label in labels if label.value == -1), default=steps)
        return [said.get(i, "after" if i > wrong else "unrated") for i in range(steps)]
    if first_error is None:
        return ["unrated"] * steps
    wrong = first_error if first_error >= 0 else steps
    return ["1" if i < wrong else "-1" if i == wrong else "after" for i in range(steps)]


def _rows(person: Person, solutions: Sequence[Solution]) -> list[Row]:
    """With what this person may be shown, which is noted."""
    withheld = sightings.withheld(person, solutions)
    rows = [_row(each, withheld.get(each.pk, "")) for each in solutions]
    sightings.note(person, [row.solution for row in rows if row.posterior])
    return rows


def _row(solution: Any, withheld: str) -> Row:
    if withheld:
        return Row(solution, None, None, "", ["unrated"] * solution.step_count, "person", withheld)
    settlement = next(iter(solution.current_settlement), None)
    posterior = next(iter(solution.current_posterior), None)
    routing = next(iter(solution.current_routing), None)
    believed = posterior.first_error if posterior else None
    cells = cells_of(solution.step_count, solution.current_labels, believed)
    machine = settlement.source == Source.MACHINE if settlement else True
    return Row(
        solution, settlement, posterior, routing.reason if routing else "", cells, "machine" if machine else "person"
    )


def _with_current(rows: QuerySet[Solution]) -> QuerySet[Solution]:
    return rows.select_related("problem").prefetch_related(
        Prefetch("settlements", Settlement.objects.filter(superseded_at=None), "current_settlement"),
        Prefetch("posteriors", Posterior.objects.filter(superseded_at=None), "current_posterior"),
        Prefetch("routings", Routing.objects.filter(superseded_at=None), "current_routing"),
        Prefetch("labels", Label.objects.filter(superseded_at=None), "current_labels"),
    )


def _filters(request: HttpRequest, project: Project) -> list[dict[str, Any]]:
    intakes = Intake.objects.filter(project=project, withdrawn_at=None).values_list("code", "name")[:100]
    searches = Run.objects.filter(project=project, kind=RunKind.SEARCH)[:100]
    choices: dict[str, tuple[str, list[tuple[str, str]]]] = {
        "status": ("Status", [(value, str(label)) for value, label in SolutionStatus.choices]),
        "source": ("Labels", [(name, name) for name in SOURCES]),
        "error": ("First error", [("some", "some step"), ("none", "no error"), ("open", "left open")]),
        "route": ("Drawn", [("audit", "for audit"), ("people", "for people")]),
        "intake": ("Intake", [(code, name or code) for code, name in intakes]),
        "search": ("Made by", [(run.code, f"{run.created_at:%Y-%m-%d} {run.code}") for run in searches]),
    }
    return [
        {"name": name, "word": word, "choices": options, "value": request.GET.get(name, "")}
        for name, (word, options) in choices.items()
        if options
    ]


def filtered(request: HttpRequest, project: Project) -> QuerySet[Solution]:
    """Live solutions that the query string's filters and search leave."""
    rows = Solution.objects.live().filter(project=project)
    asked = request.GET
    if status := asked.get("status"):
        rows = rows.filter(status=status)
    if source := SOURCES.get(asked.get("source", "")):
        rows = rows.filter(source, settlements__superseded_at=None)
    if error := ERRORS.get(asked.get("error", "")):
        rows = rows.filter(error, settlements__superseded_at=None, settlements__isnull=False)
    if asked.get("route") == "audit":
        rows = rows.filter(ROUTES["audit"])
    elif asked.get("route") == "people":
        rows = rows.filter(ROUTES["people"], routings__superseded_at=None)
    if search := asked.get("search"):
        made = Selection.objects.filter(run__code=search, rollout__isnull=False)
        rows = rows.filter(pk__in=made.values("solution"), forked_from__isnull=False)
    if intake := asked.get("intake"):
        rows = rows.filter(intake__code=intake)
    if search := escape(asked.get("q", "").strip()):
        rows = rows.filter(Q(code=search) | Q(source_id__icontains=search) | Q(problem__statement__icontains=search))
    return rows


@require_safe
@login_required
def solutions(request: Request, slug: str) -> HttpResponse:
    project = project_for(request, slug, Right.VIEW)
    rows = filtered(request, project)
    page = page_of(request, _with_current(rows))
    context = {
        "page": page,
        "rows": _rows(request.user, page.rows),
        "count": rows.count(),
        "filters": _filters(request, project),
        "search": request.GET.get("q", ""),
        "narrowed": any(
            request.GET.get(name) for name in ("q", "status", "source", "error", "route", "intake", "search")
        ),
    }
    return render(request, "annotator/solutions/page.html", context)


def _found(request: HttpRequest, slug: str, code: str, right: Right) -> Solution:
    rows = Solution.objects.select_related("problem", "intake", "project")
    return get_object_or_404(rows, project=project_for(request, slug, right), code=code)


@require_safe
@login_required
def solution(request: Request, slug: str, code: str) -> HttpResponse:
    found = _found(request, slug, code, Right.VIEW)
    withheld = sightings.withheld(request.user, [found]).get(found.pk, "")
    known = dossier.bare(found) if withheld else dossier.dossier(found)
    if known.sways:
        sightings.note(request.user, [found])
    context = {
        "known": known,
        "withheld": withheld,
        "work": []
        if withheld or Right.REVIEW not in request.rights
        else reviews.standing(found, request.user.work_as()),
        "solution": found,
        "code": looks_like_code(step.text for step in known.steps),
        "believed": known.posterior.first_error + 1 if known.posterior else None,
    }
    return render(request, "annotator/solution/page.html", context)


@require_POST
@login_required
def show_solution(request: Request, slug: str, code: str) -> HttpResponse:
    """Show what was withheld: from now on this person's work on it is not blind."""
    found = _found(request, slug, code, Right.VIEW)
    sightings.ask_to_see(request.user, found)
    return redirect("solution", slug, code)


@require_POST
@login_required
def review(request: Request, slug: str, code: str, annotation: str) -> HttpResponse:
    """Accept what somebody handed in, or return it to them (`verdict=accept|return`) with a comment."""
    found = _found(request, slug, code, Right.REVIEW)
    work = get_object_or_404(Annotation, solution=found, code=annotation)
    verdict = request.POST.get("verdict")
    if verdict not in ("accept", "return"):
        raise Invalid("verdict", "must be accept or return")
    accepted = verdict == "accept"
    settlement.review(work, request.user.work_as(), accepted, request.POST.get("comment", "").strip())
    messages.success(request, "Accepted." if accepted else "Returned: it is the next thing that they are given.")
    return redirect("solution", slug, code)
