"""The labelling page. A GET never takes a lock: work is claimed, skipped and handed in by POST."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from annotator import queue
from annotator.errors import Conflict, DomainError, Invalid, NotAllowed, StaleDraft
from annotator.models import Assignment, Draft, EvidenceMode, FinishReason, Person, Project, Rater
from annotator.permissions import Right
from annotator.views.access import project_for
from annotator.views.sheet import evidence_by_step, sheet_of

_RATING: Final = re.compile("rating-(0|[1-9][0-9]{0,8})")


def _rater(request: HttpRequest) -> Rater:
    assert isinstance(request.user, Person)
    return request.user.work_as()


def _own(request: HttpRequest, slug: str, code: str) -> tuple[Project, Rater]:
    """Whose assignment it is, and the project that it belongs to: another project's rules must not answer for it."""
    project, rater = project_for(request, slug, Right.LABEL), _rater(request)
    if queue.find(code, rater).solution.project_id != project.pk:
        raise Http404(f"no assignment {code} in {project}")
    return project, rater


def _desk(project: Project, rater: Rater, assignment: Assignment | None) -> dict[str, Any]:
    """What the page needs, whether or not there is a solution on it."""
    sheet = sheet_of(assignment) if assignment else None
    if assignment and sheet and sheet.evidence_mode == EvidenceMode.ALWAYS:
        queue.note_evidence_seen(assignment)
    return {
        "project": project,
        "sheet": sheet,
        "free": queue.free_count(project, rater),
        "lease_seconds": project.lease_minutes * 60,
    }


def _next(request: HttpRequest, project: Project, rater: Rater, assignment: Assignment | None) -> HttpResponse:
    """The next solution, in place for htmx and by way of a redirect for plain forms."""
    if not request.headers.get("HX-Request"):
        return redirect("label", project.slug)
    return render(request, "annotator/label/_next.html", _desk(project, rater, assignment))


@login_required
@require_GET
def page(request: HttpRequest, slug: str) -> HttpResponse:
    project, rater = project_for(request, slug, Right.LABEL), _rater(request)
    return render(request, "annotator/label/page.html", _desk(project, rater, queue.held(project, rater)))


@login_required
@require_POST
def claim(request: HttpRequest, slug: str) -> HttpResponse:
    """The solution that is on the person's desk already, else a new one."""
    project, rater = project_for(request, slug, Right.LABEL), _rater(request)
    return _next(request, project, rater, _work_for(project, rater))


def _work_for(project: Project, rater: Rater) -> Assignment | None:
    """What is held comes first: work that was interrupted by something returned is not left to its lease."""
    return queue.held(project, rater) or queue.claim(project, rater)


@login_required
@require_POST
def skip(request: HttpRequest, slug: str, code: str) -> HttpResponse:
    project, rater = _own(request, slug, code)
    queue.skip(code, rater)
    return _next(request, project, rater, _work_for(project, rater))


@login_required
@require_POST
def renew(request: HttpRequest, slug: str, code: str) -> HttpResponse:
    _, rater = _own(request, slug, code)
    try:
        queue.renew(code, rater)
    except DomainError as error:
        return _refused(error)
    return JsonResponse({})


@login_required
@require_POST
def draft(request: HttpRequest, slug: str, code: str) -> HttpResponse:
    """Keep unsubmitted work. JSON in and out: the scripts' own door."""
    _, rater = _own(request, slug, code)
    try:
        kept = queue.save_draft(code, rater, **_read_draft(request.body))
    except StaleDraft as error:
        current = Draft.objects.filter(assignment__code=code).values_list("version", flat=True).first()
        return _refused(error, version=current)
    except DomainError as error:
        return _refused(error)
    return JsonResponse({"version": kept.version})


def _refused(error: DomainError, **more: Any) -> HttpResponse:
    said = {"kind": type(error).__name__, "title": error.title, "detail": error.detail}
    return JsonResponse({**said, **more}, status=error.status)


def _read_draft(body: bytes) -> dict[str, Any]:
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Invalid("body", "must be JSON") from error
    kinds: dict[str, Any] = {"ratings": dict, "undo": list, "comment": str, "seconds": (int, float), "version": int}
    for name, kind in kinds.items():
        if not isinstance(sent, dict) or not isinstance(sent.get(name), kind):
            raise Invalid(name, "is missing or of the wrong type")
    return {name: sent[name] for name in kinds}


@login_required
@require_POST
def evidence(request: HttpRequest, slug: str, code: str, index: int) -> HttpResponse:
    """What machines say of one step, once it has been rated; from then on the work is not blind."""
    project, rater = _own(request, slug, code)
    assignment = queue.find(code, rater)
    if project.evidence_mode == EvidenceMode.NEVER:
        raise NotAllowed("this project shows no evidence while labelling")
    kept = Draft.objects.filter(assignment=assignment).first()
    if project.evidence_mode == EvidenceMode.AFTER_RATING and str(index) not in (kept.ratings if kept else {}):
        raise Conflict(f"evidence on step {index + 1} is shown after it has been rated")
    found = evidence_by_step(assignment.solution)
    if index >= len(found):
        raise Invalid("index", f"the solution has {len(found)} steps")
    if found[index]:
        queue.note_evidence_seen(assignment)
    return render(request, "annotator/label/_evidence.html", {"evidence": found[index], "number": index + 1})


@login_required
@require_POST
def submit(request: HttpRequest, slug: str, code: str) -> HttpResponse:
    """Hand in, and go on with the next solution. What is refused stays on the page, and is told in a line."""
    project, rater = _own(request, slug, code)
    body = read_form(request.POST)
    try:
        queue.submit(code, rater, queue.read_submission(body), key=request.POST.get("key") or None)
    except DomainError as error:
        if not request.headers.get("HX-Request"):
            _keep_posted(code, rater, body)
            messages.error(request, in_words(error))
            return redirect("label", project.slug)
        response = render(request, "annotator/label/_refused.html", {"error": error, "words": in_words(error)})
        response["HX-Retarget"], response["HX-Reswap"] = "#refused", "innerHTML"
        return response
    return _next(request, project, rater, _work_for(project, rater))


def _keep_posted(code: str, rater: Rater, body: dict[str, Any]) -> None:
    """A browser without scripts has no draft: what it sent and was refused becomes one, if the lease still stands."""
    kept = Draft.objects.filter(assignment__code=code, assignment__rater=rater).first()
    ratings = {str(each.pop("index")): each for each in body["ratings"]}
    try:
        queue.save_draft(
            code,
            rater,
            ratings=ratings,
            undo=kept.undo if kept else [],
            comment=body["comment"],
            seconds=body["seconds"],
            version=kept.version if kept else 0,
        )
    except Conflict:
        return


def in_words(error: DomainError) -> str:
    """Indices in messages count from 0, pages from 1."""
    return re.sub(
        r"\bsteps? [\d, ]+", lambda words: re.sub(r"\d+", lambda n: str(int(n[0]) + 1), words[0]), error.detail
    )


def read_form(post: QueryDict) -> dict[str, Any]:
    """The sheet's fields as the API would send them. "As rated" stands for the finish reason that the ratings imply."""
    indices = sorted(int(name[1]) for name in map(_RATING.fullmatch, post) if name)
    ratings: list[dict[str, Any]] = [
        {
            "index": index,
            "rating": post[f"rating-{index}"],
            "reason": post.get(f"reason-{index}", ""),
            "correction": post.get(f"correction-{index}", ""),
        }
        for index in indices
    ]
    finish = post.get("finish", "")
    return {
        "ratings": ratings,
        "finish_reason": finish if finish in FinishReason.values else _implied([each["rating"] for each in ratings]),
        "comment": post.get("comment", ""),
        "seconds": _seconds(post.get("seconds", "")),
    }


def _implied(ratings: list[str]) -> str:
    if "-1" in ratings:
        return FinishReason.FOUND_ERROR
    return FinishReason.GIVE_UP if "unsure" in ratings else FinishReason.SOLUTION


def _seconds(text: str) -> float:
    return float(text) if re.fullmatch(r"\d{1,7}(\.\d{1,3})?", text) else 0.0
