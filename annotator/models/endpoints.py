"""Where the models are, and what was asked of them: endpoints, runs, and every call."""

from __future__ import annotations

import base64
import hashlib
from typing import Any, ClassVar

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from annotator.models.codes import new_code
from annotator.models.holds import LIVE_STATES, Held, WorkState


class EndpointKind(models.TextChoices):
    JUDGE = "judge"
    COMPLETER = "completer"
    SCORER = "scorer"


def _vault() -> Fernet:
    digest = hashlib.sha256(b"stepwise endpoint keys\0" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(digest))


class Endpoint(models.Model):
    """A model behind an OpenAI-compatible URL. Its key can be written and used, never read back."""

    code = models.CharField(max_length=12, unique=True, default=new_code, editable=False)
    name = models.CharField(max_length=80, unique=True)
    kind = models.CharField(max_length=10, choices=EndpointKind)
    base_url = models.URLField(max_length=300)
    key_encrypted = models.BinaryField(null=True, blank=True, editable=False)
    model = models.CharField(max_length=200)
    slots = models.PositiveSmallIntegerField(
        default=16,
        validators=[MinValueValidator(1), MaxValueValidator(1024)],
        help_text="Requests in flight at once",
    )
    prompt_price = models.FloatField(default=0.0, help_text="Per million prompt tokens")
    completion_price = models.FloatField(default=0.0, help_text="Per million completion tokens")
    temperature = models.FloatField(default=0.7, validators=[MinValueValidator(0.0), MaxValueValidator(2.0)])
    max_tokens = models.PositiveIntegerField(default=2048)
    timeout_seconds = models.PositiveSmallIntegerField(default=120)
    simulated = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    # The last press of "Test", answered by a worker because views never call a model.
    test_asked_at = models.DateTimeField(null=True, blank=True, editable=False)
    test_answered_at = models.DateTimeField(null=True, blank=True, editable=False)
    test_ok = models.BooleanField(null=True, editable=False)
    test_answer = models.TextField(blank=True, editable=False)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(kind__in=EndpointKind.values), name="endpoint_kind_known"),
            models.CheckConstraint(condition=models.Q(slots__gte=1), name="endpoint_slots_positive"),
            models.CheckConstraint(
                condition=models.Q(prompt_price__gte=0, completion_price__gte=0), name="endpoint_prices_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def point_to(self, base_url: str, before: str) -> bool:
        """Set the address; True where it is another one and the key that belonged to the old one was forgotten."""
        self.base_url = base_url
        moved = base_url.rstrip("/") != before.rstrip("/")
        if not moved:
            return False
        self.simulated = False
        forgot = self.key_encrypted is not None
        self.set_key("")
        return forgot

    def set_key(self, key: str) -> None:
        """Keep `key` encrypted under the installation's secret; empty forgets it."""
        self.key_encrypted = _vault().encrypt(key.encode()) if key else None

    def reveal_key(self) -> str:
        """The key for a call. Empty where there is none, or where the installation's secret has changed."""
        if not self.key_encrypted:
            return ""
        try:
            return _vault().decrypt(bytes(self.key_encrypted)).decode()
        except InvalidToken:
            return ""


class RunKind(models.TextChoices):
    JUDGE = "judge"
    ROLLOUTS = "rollouts"
    SCORE = "score"
    SEARCH = "search"
    ROUTE = "route"


class Spend(models.TextChoices):
    """By what a run of rollouts counts its costs; `spend` of its config."""

    ROLLOUTS = "rollouts", "rollouts: all count the same"
    TOKENS = "tokens", "tokens: the cheaper go first"


class Run(Held):
    """One recorded execution of a judge, rollout plan, PRM, tree search or routing over chosen solutions."""

    code = models.CharField(max_length=12, unique=True, default=new_code, editable=False)
    project = models.ForeignKey("annotator.Project", on_delete=models.CASCADE, related_name="runs")
    kind = models.CharField(max_length=10, choices=RunKind)
    endpoint = models.ForeignKey(Endpoint, null=True, blank=True, on_delete=models.PROTECT, related_name="runs")
    config: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)
    seed = models.BigIntegerField(default=0)
    detail = models.TextField(blank=True)
    total = models.PositiveIntegerField(default=0)
    calls = models.PositiveIntegerField(default=0)
    rollouts = models.PositiveIntegerField(default=0)
    prompt_tokens = models.BigIntegerField(default=0)
    completion_tokens = models.BigIntegerField(default=0)
    cost = models.FloatField(default=0.0)
    created_by = models.ForeignKey("annotator.Person", null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(kind__in=RunKind.values), name="run_kind_known"),
            models.CheckConstraint(condition=models.Q(state__in=WorkState.values), name="run_state_known"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["state"], condition=models.Q(state__in=LIVE_STATES), name="run_live"),
            models.Index(fields=["project", "-id"], name="run_by_project"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} run {self.code}"

    @classmethod
    def unattended(cls) -> list[int]:
        """… and cancelled ones of which something is waiting: what they had begun is still to be decided on."""
        waiting = RunItem.objects.filter(run=models.OuterRef("pk"), state=RunItemState.WAITING)
        free = models.Q(held_until=None) | models.Q(held_until__lt=timezone.now())
        left = cls._default_manager.filter(free, models.Exists(waiting), state=WorkState.CANCELLED)
        return [*super().unattended(), *left.values_list("pk", flat=True)]


class RunItemState(models.TextChoices):
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


class RunItem(models.Model):
    """One solution of one run. What is still waiting is what a restarted run goes on with."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="items")
    solution = models.ForeignKey("annotator.Solution", on_delete=models.CASCADE, related_name="run_items")
    state = models.CharField(max_length=8, choices=RunItemState, default=RunItemState.WAITING)
    detail = models.TextField(blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            # Chosen twice it would be looked at and paid for twice.
            models.UniqueConstraint(fields=["run", "solution"], name="run_item_once"),
            models.CheckConstraint(condition=models.Q(state__in=RunItemState.values), name="run_item_state_known"),
        ]
        indexes: ClassVar = [models.Index(fields=["run", "state", "id"], name="run_item_by_state")]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.solution_id}: {self.state}"


class Call(models.Model):
    """One request to an endpoint: what it used and how it ended. Append-only."""

    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, related_name="calls")
    run = models.ForeignKey(Run, null=True, on_delete=models.CASCADE, related_name="call_rows")
    ok = models.BooleanField()
    status = models.PositiveSmallIntegerField(null=True)
    model = models.CharField(max_length=200, blank=True)
    prompt_tokens = models.PositiveIntegerField(default=0)
    completion_tokens = models.PositiveIntegerField(default=0)
    cost = models.FloatField(default=0.0)
    seconds = models.FloatField(default=0.0)
    attempts = models.PositiveSmallIntegerField(default=1)
    detail = models.TextField(blank=True)
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["run", "id"], name="call_by_run")]

    def __str__(self) -> str:
        return f"call {self.pk}: {'ok' if self.ok else self.detail}"
