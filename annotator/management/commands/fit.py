"""`manage.py fit --project SLUG`: fit the posterior's parameters to a project's evidence, now."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotator import fitting, quality, tasks
from annotator.errors import DomainError
from annotator.models import Person, Project, WorkState


class Command(BaseCommand):
    help = "Fit what the posteriors assume to a project's own evidence; then decide again where each solution goes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--project", required=True, metavar="SLUG")
        parser.add_argument("--by", metavar="NAME", help="account to which the fit is put down")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            person = Person.objects.get(username=options["by"]) if options["by"] else None
            project = Project.objects.get(slug=options["project"])
            fit = fitting.make(project, person, tasks.decide_again)
        except Person.DoesNotExist:
            raise CommandError(f"There is no account {options['by']}.") from None
        except Project.DoesNotExist:
            raise CommandError(f"There is no project {options['project']}.") from None
        except DomainError as error:
            raise CommandError(str(error)) from error
        if fit.state != WorkState.DONE:
            raise CommandError(fit.detail or f"The fit is {fit.state}.")
        figure = quality.FIGURES["habits"](project)
        for name, value in figure["values"]["report"].items():
            self.stdout.write(f"{name:22}{'–' if value is None else value}")
        for words, fitted, default in figure["table"]["rows"]:
            self.stdout.write(f"{words}  {fitted}  (default {default})")
        self.stdout.write(figure["answer"])
        self.stdout.write(f"fit  {fit.code}")
