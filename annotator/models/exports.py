"""Frozen, hashed dataset files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models
from django.utils import timezone

from annotator.models.codes import new_code
from annotator.models.holds import Held, WorkState

if TYPE_CHECKING:
    from django_stubs_ext.db.models.manager import RelatedManager


class Snapshot(models.Model):
    """The labels of a project as they stood at one moment: its last change at or before `cutoff`."""

    project = models.ForeignKey("annotator.Project", on_delete=models.CASCADE, related_name="snapshots")
    cutoff = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["project", "cutoff"], name="snapshot_once")]

    def __str__(self) -> str:
        return f"{self.project_id} at {self.cutoff:%Y-%m-%d %H:%M:%S}"


class Export(Held):
    """One snapshot in one format with named choices. Asked for again it is found, not made again."""

    code = models.CharField(max_length=12, unique=True, default=new_code, editable=False)
    project = models.ForeignKey("annotator.Project", on_delete=models.CASCADE, related_name="exports")
    snapshot = models.ForeignKey(Snapshot, on_delete=models.CASCADE, related_name="exports")
    format = models.CharField(max_length=32)
    choices: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)
    choices_hash = models.CharField(max_length=64)
    detail = models.TextField(blank=True)
    rows = models.PositiveIntegerField(default=0)
    rows_total = models.PositiveIntegerField(default=0)
    simulated = models.BooleanField(default=False)
    stand_in = models.BooleanField(default=False, help_text="Some of its labels rest on majority answers")
    created_by = models.ForeignKey("annotator.Person", null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    ended_at = models.DateTimeField(null=True, blank=True)

    files: RelatedManager[ExportFile]

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            # With ExportFile's append-only hashes: one snapshot, format and choices never has two contents.
            models.UniqueConstraint(fields=["snapshot", "format", "choices_hash"], name="export_once"),
            models.CheckConstraint(condition=models.Q(state__in=WorkState.values), name="export_state_known"),
        ]

    def __str__(self) -> str:
        return f"{self.format} export {self.code}"


class ExportFile(models.Model):
    """One file of an export: its bytes are known by their hash and stay so."""

    export = models.ForeignKey(Export, on_delete=models.CASCADE, related_name="files")
    name = models.CharField(max_length=120)
    bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    path = models.CharField(max_length=500)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["export", "name"], name="export_file_once")]

    def __str__(self) -> str:
        return self.name
