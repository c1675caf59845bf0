"""`manage.py create_user NAME --password P [--project SLUG --role ROLE]`."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from annotator.models import Person, Project, Role, join


class Command(BaseCommand):
    help = (
        "Make an account, or set the password and role of one that exists. "
        "The role manager without a project runs the whole installation."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--password", help="asked for on the terminal, or read from standard input, if not given")
        parser.add_argument("--project", metavar="SLUG", help="give the role in this project")
        parser.add_argument("--role", choices=Role.values, help=f"in a project, {Role.ANNOTATOR} if not given")

    def handle(self, *args: Any, **options: Any) -> None:
        name, slug, role = options["name"], options["project"], options["role"]
        if role and not slug and role != Role.MANAGER:
            raise CommandError(f"--role {role} needs --project.")
        with transaction.atomic():
            person, made = Person.objects.get_or_create(username=name)
            self._set_password(person, options["password"] or _ask())
            if slug:
                join(person, _project(slug), role or Role.ANNOTATOR)
            elif role == Role.MANAGER:
                person.is_staff = person.is_superuser = True
            person.full_clean()
            person.save()
        place = f" as {role or Role.ANNOTATOR} of {slug}" if slug else " as manager of everything" if role else ""
        self.stderr.write(f"{'Made' if made else 'Changed'} {name}{place}.")

    @staticmethod
    def _set_password(person: Person, password: str) -> None:
        try:
            validate_password(password, person)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        person.set_password(password)


def _project(slug: str) -> Project:
    try:
        return Project.objects.get(slug=slug)
    except Project.DoesNotExist:
        raise CommandError(f"There is no project {slug}.") from None


def _ask() -> str:
    if sys.stdin.isatty():
        import getpass

        return getpass.getpass("Password: ")
    return sys.stdin.readline().rstrip("\n")
