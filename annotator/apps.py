"""The one app of the project."""

from __future__ import annotations

from django.apps import AppConfig


class AnnotatorConfig(AppConfig):
    name = "annotator"
    label = "annotator"
    verbose_name = "Stepwise"

    def ready(self) -> None:
        """Make the Celery application the current one, so that tasks can be sent by name from anywhere."""
        from annotator import celery  # noqa: F401
