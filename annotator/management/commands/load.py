"""`manage.py load FILE --project SLUG --format NAME`: read a file in, and say what became of its rows."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotator import intake
from annotator.errors import DomainError
from annotator.models import Intake, Person, Project, WorkState
from annotator.setup import create_project
from reasoning.characters import unescape


class Command(BaseCommand):
    help = "Read a file into a project. Rows that are known add nothing; refused rows are listed with their reasons."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--project", required=True, metavar="SLUG")
        parser.add_argument("--format", required=True, metavar="NAME", help=", ".join(sorted(intake.FORMATS)))
        parser.add_argument("--create", action="store_true", help="make the project where there is none")
        parser.add_argument("--source", help="source of rows that name none")
        parser.add_argument("--splitter", help="how a text without steps is split (auto)")
        parser.add_argument("--as", dest="labels_as", help="labels that come along: labels, or evidence")
        parser.add_argument("--annotators-are-people", action="store_true", default=None)
        parser.add_argument("--model", help="whose scores a file of scores holds, where its rows do not say")
        parser.add_argument("--container", help="jsonl, json or parquet; found out by itself")
        parser.add_argument("--by", metavar="NAME", help="account to which the intake is put down")

    def handle(self, *args: Any, **options: Any) -> None:
        given = {
            name: options[name]
            for name in ("source", "splitter", "labels_as", "annotators_are_people", "model", "container")
        }
        try:
            person = Person.objects.get(username=options["by"]) if options["by"] else None
            intake.reader_of(options["format"])
            project = self._project(options["project"], person, create=options["create"])
            read = intake.load(options["file"], project, options["format"], given, person)
        except Person.DoesNotExist:
            raise CommandError(f"There is no account {options['by']}.") from None
        except (DomainError, OSError) as error:
            raise CommandError(str(error)) from error
        self._report(read)

    def _project(self, slug: str, person: Person | None, *, create: bool) -> Project:
        project = Project.objects.filter(slug=slug).first()
        if project is None and not create:
            raise CommandError(f"There is no project {slug}; --create makes it.")
        return project or create_project(slug, slug, person)

    def _report(self, read: Intake) -> None:
        for refusal in read.refusals.iterator():
            where = f"line {refusal.line}" + (f", {refusal.field}" if refusal.field else "")
            self.stdout.write(f"refused {where}: {unescape(refusal.reason)}")
        self.stdout.write(f"intake  {read.code}")
        for name in ("read", "new", "known", "refused"):
            self.stdout.write(f"{name:8}{getattr(read, f'rows_{name}')}")
        if read.state != WorkState.DONE:
            raise CommandError(read.detail or f"The intake is {read.state}.")
        if read.rows_new + read.rows_known == 0:
            raise CommandError("No row of the file could be read.")
