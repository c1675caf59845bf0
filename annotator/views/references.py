"""The reference answer of a problem, given or corrected by a manager."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from annotator import stand_ins
from annotator.errors import DomainError
from annotator.models import Solution
from annotator.permissions import Right
from annotator.views.access import Request, project_for


@require_POST
@login_required
def give_answer(request: Request, slug: str, code: str) -> HttpResponse:
    """`code` is the solution on whose page it was given."""
    project = project_for(request, slug, Right.MANAGE)
    solution = get_object_or_404(Solution.objects.select_related("problem__project"), project=project, code=code)
    try:
        stand_ins.give_answer(solution.problem, request.POST.get("answer", "").strip(), request.user)
        messages.success(request, "Saved. The problem's solutions are being graded and decided on again.")
    except DomainError as error:
        messages.error(request, f"Not saved: {error.detail}.")
    return redirect("solution", slug, code)
