"""`manage.py export --project SLUG --format NAME --out DIR`: the same snapshot that the API makes."""

from __future__ import annotations

import shutil
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotator import exports
from annotator.errors import DomainError
from annotator.models import Export, ExportFile, Person, Project, WorkState


class Command(BaseCommand):
    help = "Write the labels of a project, as they stand, into a folder."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--project", required=True, metavar="SLUG")
        parser.add_argument("--format", required=True, metavar="NAME", help=", ".join(sorted(exports.FORMATS)))
        parser.add_argument("--out", required=True, type=Path, metavar="DIR")
        parser.add_argument("--split", help="train=0.9,test=0.1")
        parser.add_argument("--provisional", action="store_true", default=None, help="with uncertified machine labels")
        for name, values in exports.CHOICES.items():
            parser.add_argument(f"--{name.replace('_', '-')}", help=", ".join(values))
        parser.add_argument("--by", metavar="NAME", help="account to which the export is put down")

    def handle(self, *args: Any, **options: Any) -> None:
        choices = {name: options[name] for name in ("split", "provisional", *exports.CHOICES)}
        try:
            person = Person.objects.get(username=options["by"]) if options["by"] else None
            project = Project.objects.get(slug=options["project"])
            export = exports.make(project, options["format"], choices, person)
            if export.state != WorkState.DONE:
                raise CommandError(export.detail or f"The export is {export.state}.")
            self._copy(export, options["out"])
        except Person.DoesNotExist:
            raise CommandError(f"There is no account {options['by']}.") from None
        except Project.DoesNotExist:
            raise CommandError(f"There is no project {options['project']}.") from None
        except (DomainError, OSError) as error:
            raise CommandError(str(error)) from error

    def _copy(self, export: Export, out: Path) -> None:
        out.mkdir(parents=True, exist_ok=True)
        for file in ExportFile.objects.filter(export=export):
            shutil.copyfile(file.path, out / file.name)
            self.stdout.write(f"{file.sha256}  {out / file.name}")
        self.stdout.write(f"export  {export.code}")
        self.stdout.write(f"rows    {export.rows}")
        if export.simulated:
            self.stderr.write("Some of these labels rest on the built-in simulator: see manifest.json.")
