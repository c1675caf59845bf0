"""Who may do what: one table of rights, asked in one way by pages and API alike."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from django.db.models import QuerySet
from django.http import Http404

from annotator.errors import NotAllowed
from annotator.models import Membership, Person, Project, Role


class Right(StrEnum):
    VIEW = "view"
    """See the project's solutions, runs, quality."""
    LABEL = "label"
    REVIEW = "review"
    """Review, adjudicate."""
    EXPORT = "export"
    MANAGE = "manage"
    """Settings, people, intake, runs."""


RIGHTS: Final[Mapping[str, frozenset[Right]]] = {
    Role.ANNOTATOR: frozenset({Right.LABEL}),
    Role.REVIEWER: frozenset({Right.LABEL, Right.REVIEW, Right.VIEW}),
    Role.TRAINER: frozenset({Right.VIEW, Right.EXPORT}),
    Role.MANAGER: frozenset(Right),
}


def rights_in(person: Person, project: Project) -> frozenset[Right]:
    """What `person` may do in `project`; whoever runs the installation may everything."""
    if person.is_staff:
        return frozenset(Right)
    membership = Membership.objects.filter(person=person, project=project).first()
    return RIGHTS[membership.role] if membership else frozenset()


def project_for(person: Person, slug: str, right: Right) -> Project:
    """The project, if `person` has `right` in it.

    Raises Http404 where they are no member (a project's existence is nobody else's business), NotAllowed where
    they are one without that right.
    """
    project = member_of(person, slug)
    if right not in rights_in(person, project):
        raise NotAllowed(f"{person} has no right to {right} in {project}; a manager of the project can change that")
    return project


def member_of(person: Person, slug: str) -> Project:
    """The project, if `person` has any right in it. Raises Http404 where they have none."""
    project = Project.objects.select_related("judge", "completer").filter(slug=slug).first()
    if project is None or not rights_in(person, project):
        raise Http404(f"no project {slug}")
    return project


def open_to(person: Person) -> QuerySet[Project]:
    """Projects that `person` may open, with their endpoints."""
    projects = Project.objects.select_related("judge", "completer")
    return projects if person.is_staff else projects.filter(memberships__person=person)


def projects_of(person: Person) -> list[Project]:
    """Projects that `person` may open, those not archived first."""
    return sorted(open_to(person), key=lambda project: (project.archived_at is not None, project.name.lower()))
