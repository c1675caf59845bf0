"""One project: what needs doing now, how far it is, how fast, and who is in it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from annotator import activity
from annotator.models import SolutionStatus
from annotator.permissions import Right
from annotator.quality.figures import Chart
from annotator.quality.progress import by_status, throughput
from annotator.views.access import member_of

KEYS: Final = {
    SolutionStatus.SETTLED: "",
    SolutionStatus.MACHINE: "b",
    SolutionStatus.QUEUED: "c",
    SolutionStatus.DISPUTED: "c",
    SolutionStatus.NEW: "rest",
}
"""Colour of each status in the bar (components.css)."""


@require_safe
@login_required
def project(request: HttpRequest, slug: str) -> HttpResponse:
    found, rights = member_of(request, slug)
    if Right.VIEW not in rights:
        return redirect("label", slug)
    statuses = by_status([found])[found.pk]
    days = throughput(found)
    read = sum(number for _, number in days)
    lived = (days[-1][0] - found.created_at.astimezone(UTC).date()).days + 1
    context = {
        "total": statuses.total(),
        "statuses": [
            {"value": value, "label": label, "number": statuses[value], "key": KEYS[SolutionStatus(value)]}
            for value, label in SolutionStatus.choices
        ],
        "settled": statuses[SolutionStatus.SETTLED],
        "machine": statuses[SolutionStatus.MACHINE],
        "waiting": statuses[SolutionStatus.QUEUED] + statuses[SolutionStatus.DISPUTED],
        "todo": [
            {"text": line.text, "url": reverse(line.route, args=line.arguments)}
            for line in activity.todo(found, statuses, rights)
        ],
        "read": read,
        "read_a_day": f"{read / max(1, min(lived, len(days))):,.1f}",
        "chart": _chart([(datetime(d.year, d.month, d.day, tzinfo=UTC), n) for d, n in days]),
        "team": activity.team(found),
        "may_manage": Right.MANAGE in rights,
    }
    template = "annotator/project/_now.html" if request.GET.get("part") == "now" else "annotator/project/page.html"
    return render(request, template, context)


def _chart(days: list[tuple[datetime, int]]) -> Chart:
    return {
        "x": [day.timestamp() for day, _ in days],
        "time": True,
        "series": [{"label": "solutions read", "kind": "bars", "values": [number for _, number in days]}],
    }
