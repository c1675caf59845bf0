"""The second row of places: what lies beside a page within its place of the header."""

from __future__ import annotations

from typing import Any, Final

from django import template
from django.urls import reverse

from annotator.models import Project
from annotator.permissions import Right

register = template.Library()

NEAR: Final = {
    "solutions": (
        ("solutions", "Solutions", Right.VIEW),
        ("runs", "Runs", Right.VIEW),
        ("pairs", "Pairs", Right.VIEW),
        ("intakes", "Intake", Right.MANAGE),
    ),
    "project_settings": (
        ("project_settings", "Project", Right.MANAGE),
        ("project_people", "People", Right.MANAGE),
    ),
}
"""By the place in the header: route (it takes the project's slug), word, and the right that shows it."""


@register.inclusion_tag("annotator/_components/tabs.html", takes_context=True)
def tabs(context: dict[str, Any], current: str) -> dict[str, Any]:
    """The pages beside `current`, a route's name."""
    project: Project = context["project"]
    rights: frozenset[Right] = getattr(context["request"], "rights", frozenset())
    group = next(pages for pages in NEAR.values() if any(name == current for name, _, _ in pages))
    shown = [
        {"url": reverse(name, args=[project.slug]), "word": word, "current": name == current}
        for name, word, right in group
        if right in rights
    ]
    return {"tabs": shown if len(shown) > 1 else []}
