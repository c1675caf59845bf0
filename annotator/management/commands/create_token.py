"""`manage.py create_token NAME --scope read,intake,label,export,manage`: prints the token alone on its last line."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotator.models import Person, Scope, Token


def scopes(text: str) -> list[str]:
    """`read,label` as a list, in the order of `Scope`."""
    asked = {part.strip() for part in text.split(",") if part.strip()}
    if not asked or (unknown := asked - set(Scope.values)):
        raise ArgumentTypeError(f"scopes are {', '.join(Scope.values)}" + (f", not {sorted(unknown)}" if asked else ""))
    return [scope for scope in Scope.values if scope in asked]


class Command(BaseCommand):
    help = "Make an API token. It is printed once, alone on the last line; only its hash is kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="whose token it is")
        parser.add_argument("--scope", type=scopes, required=True, help=f"of {','.join(Scope.values)}")
        parser.add_argument("--label", default="", help="what it is for")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            person = Person.objects.get(username=options["name"])
        except Person.DoesNotExist:
            raise CommandError(f"There is no account {options['name']}.") from None
        _, secret = Token.issue(person, options["scope"], options["label"])
        self.stderr.write(f"A token of {person} for {', '.join(options['scope'])}:")
        self.stdout.write(secret)
