"""People's accounts: add somebody to a project, hand out a password, take somebody out. No mail is needed."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final

from django.core.exceptions import ValidationError
from django.db import transaction

from annotator.errors import Conflict, Invalid, NotAllowed
from annotator.models import Membership, Person, Project, Role, join, record

LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class Added:
    """`password` is to be shown once; None for an account that was there already."""

    person: Person
    password: str | None


def new_password() -> str:
    """Four groups of four from 31 characters (79 bits), to be read out and typed."""
    groups = ("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(4))
    return "-".join(groups)


def find_or_create(username: str, actor: Person) -> Added:
    """The account of this name; a new one gets a password that must be changed at the first sign-in."""
    username = username.strip()
    existing = Person.objects.filter(username__iexact=username).first()
    if existing is not None:
        if not existing.is_active:
            raise Invalid("username", f"the account {existing} is closed")
        return Added(existing, None)
    _check_name(username)
    password = new_password()
    person = Person.objects.create_user(username, password=password, must_change_password=True)
    record("person.added", actor=actor, subject=username)
    return Added(person, password)


def _check_name(username: str) -> None:
    try:
        Person._meta.get_field("username").clean(username, None)
    except ValidationError as error:
        raise Invalid("username", " ".join(error.messages)) from error


@transaction.atomic
def add_person(username: str, is_staff: bool, actor: Person) -> Added:
    """A new account in no project yet."""
    added = find_or_create(username, actor)
    if added.password is None:
        raise Invalid("username", f"there is an account {added.person} already")
    if is_staff:
        added.person.is_staff = True
        added.person.save(update_fields=["is_staff"])
    return added


@transaction.atomic
def add_to_project(project: Project, username: str, role: str, actor: Person) -> Added:
    """Somebody in this role, by account name; made if nobody has it."""
    added = find_or_create(username, actor)
    if Membership.objects.filter(person=added.person, project=project).exists():
        raise Invalid("username", f"{added.person} is in this project already")
    join(added.person, project, role)
    record("member.added", project=project, actor=actor, subject=added.person.username, role=role)
    return added


@transaction.atomic
def change_role(membership: Membership, role: str, actor: Person) -> Membership:
    if role not in Role.values:
        raise Invalid("role", f"{role!r} is not one of {', '.join(Role.values)}")
    if role != Role.MANAGER:
        _keep_a_manager(membership)
    changed = join(membership.person, membership.project, role)
    record("member.changed", project=membership.project, actor=actor, subject=membership.person.username, role=role)
    return changed


@transaction.atomic
def remove(membership: Membership, actor: Person) -> None:
    """Out of the project; what they did stays."""
    _keep_a_manager(membership)
    record("member.removed", project=membership.project, actor=actor, subject=membership.person.username)
    membership.delete()


def _keep_a_manager(membership: Membership) -> None:
    managers = Membership.objects.select_for_update().filter(project=membership.project, role=Role.MANAGER)
    if membership.role == Role.MANAGER and len(managers) == 1:
        raise Conflict(f"{membership.person} is the only manager of {membership.project}: make somebody else one first")


def may_reset(actor: Person, person: Person) -> bool:
    """Whoever runs the installation may for all. A manager may for those who work in no project but their own, or the
    new password would open projects that are none of their business."""
    if actor.is_staff:
        return True
    managed = Membership.objects.filter(person=actor, role=Role.MANAGER).values("project")
    own = Membership.objects.filter(person=person)
    return not person.is_staff and own.exists() and not own.exclude(project__in=managed).exists()


@transaction.atomic
def reset_password(person: Person, actor: Person) -> str:
    """A new password, shown once and changed at the next sign-in. It ends the person's sessions everywhere."""
    if not may_reset(actor, person):
        raise NotAllowed(f"{person} also works in projects that you do not manage: ask whoever runs the installation")
    password = new_password()
    person.set_password(password)
    person.must_change_password = True
    person.save(update_fields=["password", "must_change_password"])
    record("person.password_reset", actor=actor, subject=person.username)
    return password


@transaction.atomic
def set_active(person: Person, active: bool, actor: Person) -> None:
    """Close an account, or open it again. Its work stays either way."""
    if person == actor:
        raise Conflict("You cannot close your own account.")
    person.is_active = active
    person.save(update_fields=["is_active"])
    record("person.opened" if active else "person.closed", actor=actor, subject=person.username)
