"""`manage.py bootstrap`: everything between an empty database and a system that can serve. Safe to repeat."""

from __future__ import annotations

import hashlib
import json
import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand

from annotator.models import Person


class Command(BaseCommand):
    help = "Migrate, collect static files, make the first manager, load the sample project."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--report", type=Path, help="JSON file that says what was made")

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=1)
        if not settings.PLAIN_STATIC:
            collect_static()
        manager = make_first_manager(
            os.environ.get("STEPWISE_ADMIN_USER", ""), os.environ.get("STEPWISE_ADMIN_PASSWORD", "")
        )
        if settings.STEPWISE_SAMPLE:
            call_command("load_sample")
        if options["report"]:
            options["report"].write_text(json.dumps({"first_manager": manager}))


def make_first_manager(name: str, password: str) -> str | None:
    """Make the account that runs the installation where there is none. Its name, if it was made."""
    if not name or not password or Person.objects.filter(is_staff=True).exists():
        return None
    Person.objects.create_superuser(username=name, password=password)
    return name


def collect_static() -> None:
    """Collect and compress static files, unless that was done with the very same files."""
    root = Path(settings.STATIC_ROOT)
    stamp = root / ".collected"
    state = _static_state()
    if stamp.exists() and stamp.read_text() == state:
        return
    call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=["*.map", "redoc"])
    stamp.write_text(state)


def _static_state() -> str:
    digest = hashlib.sha256(settings.STORAGES["staticfiles"]["BACKEND"].encode())
    for finder in get_finders():
        for name, storage in finder.list([]):
            facts = os.stat(storage.path(name))
            digest.update(f"{name}\0{facts.st_size}\0{facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()
