"""The door of every page: who is asking, for which project, with which right; and what the header shows them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, cast

from django.http import HttpRequest
from django.urls import reverse
from django_htmx.middleware import HtmxDetails

from annotator import permissions
from annotator.errors import NotAllowed
from annotator.models import Person, Project
from annotator.permissions import Right


class Request(HttpRequest):
    """What views are handed: signed in, and told whether htmx asks."""

    user: Person
    htmx: HtmxDetails
    project: Project
    rights: frozenset[Right]


PLACES: Final = (
    ("label", "Label", Right.LABEL),
    ("solutions", "Solutions", Right.VIEW),
    ("quality", "Quality", Right.VIEW),
    ("exports", "Exports", Right.EXPORT),
    ("project_settings", "Settings", Right.MANAGE),
)
"""The route (it takes the project's slug), its word in the header, and the right that shows it."""


WITHIN: Final = {
    **dict.fromkeys(
        ("solution", "runs", "run", "new_run", "start_run", "pairs", "intakes", "intake", "upload"), "solutions"
    ),
    "export": "exports",
    "project_people": "project_settings",
    "reset_member": "project_settings",
    "disagreements": "label",
    "disagreement": "label",
}
"""Routes that are no place of their own, and the place that they belong to."""


def project_for(request: HttpRequest, slug: str, right: Right) -> Project:
    """The project, if the signed-in person has `right` in it; it is left on the request, for the header.

    Raises Http404 for outsiders and NotAllowed for members without the right, as `permissions.project_for` does.
    """
    person = cast(Person, request.user)
    project = permissions.project_for(person, slug, right)
    asked = cast(Request, request)
    asked.project, asked.rights = project, permissions.rights_in(person, project)
    return project


def member_of(request: HttpRequest, slug: str) -> tuple[Project, frozenset[Right]]:
    """The project and all rights in it, for a page that shows each role its own. Raises Http404 for outsiders."""
    person = cast(Person, request.user)
    project = permissions.member_of(person, slug)
    asked = cast(Request, request)
    asked.project, asked.rights = project, permissions.rights_in(person, project)
    return project, asked.rights


def staff_only(request: HttpRequest) -> None:
    """For the pages of whoever runs the installation. Raises NotAllowed."""
    if not cast(Person, request.user).is_staff:
        raise NotAllowed("Only who runs this installation may open that page.")


@dataclass(frozen=True)
class Shell:
    """What the header shows; worked out only when a page has one (fragments have none)."""

    request: HttpRequest

    @cached_property
    def projects(self) -> list[Project]:
        person = cast(Person, self.request.user)
        return [project for project in permissions.projects_of(person) if project.archived_at is None]

    @cached_property
    def places(self) -> list[dict[str, str]]:
        project: Project | None = getattr(self.request, "project", None)
        rights: frozenset[Right] = getattr(self.request, "rights", frozenset())
        return [
            {"name": name, "word": word, "url": reverse(name, args=[project.slug])}
            for name, word, right in PLACES
            if project is not None and right in rights
        ]


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `shell` for the header, and `project` where a view has opened one."""
    route = request.resolver_match.url_name or "" if request.resolver_match else ""
    place = WITHIN.get(route, route)
    return {"shell": Shell(request), "project": getattr(request, "project", None), "place": place}
