"""`manage.py purge PROJECT --yes-i-mean PROJECT`: remove a project for good."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotator import intake
from annotator.models import Person, Project


class Command(BaseCommand):
    help = "Remove a project with all its solutions, evidence, ratings, labels and files. It cannot be undone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("project", metavar="SLUG")
        parser.add_argument("--yes-i-mean", metavar="SLUG", required=True, help="the slug again")
        parser.add_argument("--by", metavar="NAME", help="account to which the purge is put down")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["yes_i_mean"] != options["project"]:
            raise CommandError(f"--yes-i-mean must be {options['project']}; nothing was removed.")
        try:
            person = Person.objects.get(username=options["by"]) if options["by"] else None
            counts = intake.purge(Project.objects.get(slug=options["project"]), person)
        except Person.DoesNotExist:
            raise CommandError(f"There is no account {options['by']}.") from None
        except Project.DoesNotExist:
            raise CommandError(f"There is no project {options['project']}.") from None
        for name, count in counts.items():
            self.stdout.write(f"{name:24}{count}")
        self.stdout.write(f"purged  {options['project']}")
