"""`manage.py load_sample`: what `make run` does on every start before the pages open. Safe to repeat."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from annotator import setup
from annotator.models import Person


class Command(BaseCommand):
    help = "Bring the environment's endpoints up to date and, the first time, load the sample project."

    def handle(self, *args: Any, **options: Any) -> None:
        endpoints = setup.ensure_endpoints()
        manager = Person.objects.filter(is_staff=True, is_active=True).order_by("pk").first()
        project = setup.load_sample(manager)
        self.stderr.write(f"endpoints: {', '.join(map(str, endpoints)) or 'none'}")
        if project is not None:
            self.stderr.write(f"sample project: {project.slug}, {project.solutions.count()} solutions")
