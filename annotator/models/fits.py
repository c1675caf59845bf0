"""The few numbers that a project's posteriors rest on, and how they were come by."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils import timezone

from annotator.models.codes import new_code
from annotator.models.holds import LIVE_STATES, Held, WorkState


class Fit(Held):
    """One fit of the posterior's parameters to a project's own evidence. The current one is in force."""

    code = models.CharField(max_length=12, unique=True, default=new_code, editable=False)
    project = models.ForeignKey("annotator.Project", on_delete=models.CASCADE, related_name="fits")
    parameters: models.JSONField[dict[str, Any] | None, dict[str, Any] | None] = models.JSONField(null=True)
    """`reasoning.first_error.Parameters.to_json`; the defaults where it fell back, empty until it is done."""
    report: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)
    """`annotator.fitting.Report`, empty until it is done."""
    detail = models.TextField(blank=True)
    looked = models.PositiveIntegerField(default=0, help_text="Solutions with rollouts when it was asked for")
    told = models.PositiveIntegerField(default=0, help_text="Solutions that people had told of when it was asked for")
    created_by = models.ForeignKey("annotator.Person", null=True, on_delete=models.SET_NULL, related_name="+")
    """Empty where the sweep asked for it."""
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    superseded_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["project"], condition=models.Q(state="done", superseded_at=None), name="fit_one_current"
            ),
            # Two at once would compute the same twice, and the first to end would be superseded by its equal.
            models.UniqueConstraint(
                fields=["project"], condition=models.Q(state__in=LIVE_STATES), name="fit_one_under_way"
            ),
            models.CheckConstraint(condition=models.Q(state__in=WorkState.values), name="fit_state_known"),
            # In force without parameters, every posterior of the project would fail.
            models.CheckConstraint(
                condition=models.Q(state="done", parameters__isnull=False)
                | (~models.Q(state="done") & models.Q(parameters__isnull=True)),
                name="fit_done_has_parameters",
            ),
        ]

    def __str__(self) -> str:
        return f"fit {self.code}: {self.state}"
