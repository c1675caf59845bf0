"""`manage.py withdraw INTAKE`: take back everything that one intake brought."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotator import intake
from annotator.errors import DomainError
from annotator.models import Intake, Person


class Command(BaseCommand):
    help = "Withdraw an intake: its solutions no longer count, open work on them is closed. Nothing is deleted."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("intake", metavar="INTAKE", help="its code, as `load` printed it")
        parser.add_argument("--by", metavar="NAME", help="account to which the withdrawal is put down")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            person = Person.objects.get(username=options["by"]) if options["by"] else None
            withdrawn = intake.withdraw(Intake.objects.get(code=options["intake"]), person)
        except Person.DoesNotExist:
            raise CommandError(f"There is no account {options['by']}.") from None
        except Intake.DoesNotExist:
            raise CommandError(f"There is no intake {options['intake']}.") from None
        except DomainError as error:
            raise CommandError(str(error)) from error
        count = withdrawn.solutions.filter(withdrawn_at=withdrawn.withdrawn_at).count()
        self.stdout.write(f"withdrawn  {withdrawn.code}  {count} solutions")
