"""What happened, who did it, when. Append-only."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils import timezone


class Event(models.Model):
    project = models.ForeignKey("annotator.Project", null=True, on_delete=models.CASCADE, related_name="events")
    actor = models.ForeignKey("annotator.Person", null=True, on_delete=models.SET_NULL, related_name="+")
    kind = models.CharField(max_length=60, help_text="noun.verb, such as run.started")
    subject = models.CharField(max_length=60, blank=True, help_text="Code of what it happened to")
    data: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["project", "-id"], name="event_by_project")]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"


def record(kind: str, *, project: Any = None, actor: Any = None, subject: str = "", **data: Any) -> Event:
    """Write one event; `data` must be JSON."""
    return Event.objects.create(kind=kind, project=project, actor=actor, subject=subject, data=data)
