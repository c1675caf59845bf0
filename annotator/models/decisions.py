"""What was concluded: posteriors, routing, settlements and their labels, disagreements, audits, certificates."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from annotator.models.fits import Fit


class Posterior(models.Model):
    """P(first error = i), then P(none): length step_count + 1, each 0..1 (CHECKs in the migration)."""

    solution = models.ForeignKey("annotator.Solution", on_delete=models.CASCADE, related_name="posteriors")
    step_count = models.PositiveIntegerField()
    probabilities = ArrayField(models.FloatField())
    certainty = models.FloatField(help_text="max P")
    first_error = models.IntegerField(help_text="argmax; −1 none")
    evidence_hash = models.CharField(max_length=64)
    fit = models.ForeignKey(Fit, null=True, on_delete=models.SET_NULL, related_name="+")
    simulated = models.BooleanField(default=False, help_text="Some of its evidence came from the simulator")
    stand_in = models.ForeignKey(
        "annotator.StandIn", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    """The majority answer that some of its evidence was graded against, for want of a reference answer."""
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    superseded_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["solution"], condition=models.Q(superseded_at=None), name="posterior_one_current"
            ),
            models.CheckConstraint(
                condition=models.Q(certainty__gte=0, certainty__lte=1), name="posterior_certainty_probability"
            ),
            models.CheckConstraint(
                condition=models.Q(first_error__gte=-1, first_error__lt=models.F("step_count")),
                name="posterior_first_error_is_a_step",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["stand_in"], condition=models.Q(stand_in__isnull=False), name="posterior_by_stand_in"),
        ]

    def __str__(self) -> str:
        return f"posterior of {self.solution_id}: {self.first_error} at {self.certainty:.2f}"


class Audit(models.Model):
    """A solution drawn at random before it was routed, to be read blind and whole."""

    project = models.ForeignKey("annotator.Project", on_delete=models.CASCADE, related_name="audits")
    solution = models.OneToOneField("annotator.Solution", on_delete=models.CASCADE, related_name="audit")
    share = models.FloatField(help_text="The audit share in force when it was drawn")
    drawn_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(share__gt=0, share__lte=1), name="audit_share_probability"),
        ]

    def __str__(self) -> str:
        return f"audit of {self.solution_id}"


class Certificate(models.Model):
    """A threshold on the posterior with a proven bound on the error among what it accepts."""

    project = models.ForeignKey("annotator.Project", on_delete=models.CASCADE, related_name="certificates")
    threshold = models.FloatField()
    alpha = models.FloatField()
    delta = models.FloatField()
    audits = models.PositiveIntegerField()
    accepted = models.PositiveIntegerField()
    wrong = models.PositiveIntegerField()
    bound = models.FloatField()
    issued_at = models.DateTimeField(default=timezone.now, editable=False)
    withdrawn_at: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["project"], condition=models.Q(withdrawn_at=None), name="certificate_one_in_force"
            ),
            models.CheckConstraint(
                condition=models.Q(threshold__gte=0, threshold__lte=1, bound__gte=0, bound__lte=1)
                & models.Q(alpha__gt=0, alpha__lt=1, delta__gt=0, delta__lt=1),
                name="certificate_probabilities",
            ),
            models.CheckConstraint(
                condition=models.Q(wrong__lte=models.F("accepted"), accepted__lte=models.F("audits")),
                name="certificate_counts_nest",
            ),
        ]

    def __str__(self) -> str:
        return f"certificate at {self.threshold:.3f}"


class Destination(models.TextChoices):
    MACHINE = "machine"
    PEOPLE = "people"
    AUDIT = "audit"


class Routing(models.Model):
    """Where a solution was sent, and why: to its label, or to people with the steps they are asked."""

    solution = models.ForeignKey("annotator.Solution", on_delete=models.CASCADE, related_name="routings")
    posterior = models.ForeignKey(Posterior, null=True, on_delete=models.CASCADE, related_name="routings")
    destination = models.CharField(max_length=8, choices=Destination)
    reason = models.TextField()
    """In words, for the annotator: "judge and rollouts disagree"."""
    asked = ArrayField(models.PositiveIntegerField(), default=list)
    threshold = models.FloatField()
    certificate = models.ForeignKey(Certificate, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    superseded_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["solution"], condition=models.Q(superseded_at=None), name="routing_one_current"
            ),
            models.CheckConstraint(
                condition=models.Q(destination__in=Destination.values), name="routing_destination_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.solution_id} to {self.destination}"


class Source(models.TextChoices):
    MACHINE = "machine"
    IMPORTED = "imported"
    HUMAN = "human"
    ADJUDICATED = "adjudicated"
    GOLD = "gold"


class Settlement(models.Model):
    """One settled state of one solution: the labels of its steps hang on it. Superseded, never edited."""

    solution = models.ForeignKey("annotator.Solution", on_delete=models.CASCADE, related_name="settlements")
    source = models.CharField(max_length=12, choices=Source)
    provisional = models.BooleanField(default=False, help_text="By machines, without a certificate in force")
    step_count = models.PositiveIntegerField()
    first_error = models.IntegerField(null=True, help_text="−1 none; empty where the labels leave it open")
    posterior = models.ForeignKey(Posterior, null=True, on_delete=models.PROTECT, related_name="settlements")
    certificate = models.ForeignKey(Certificate, null=True, on_delete=models.SET_NULL, related_name="settlements")
    annotations: models.ManyToManyField[Any, Any] = models.ManyToManyField(
        "annotator.Annotation", related_name="settlements", blank=True
    )
    intake = models.ForeignKey("annotator.Intake", null=True, on_delete=models.SET_NULL, related_name="+")
    finish_reason = models.CharField(max_length=12, blank=True)
    simulated = models.BooleanField(default=False)
    stand_in = models.ForeignKey(
        "annotator.StandIn", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    """The posterior's, where its labels rest on that; no certificate speaks for them then."""
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    superseded_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["solution"], condition=models.Q(superseded_at=None), name="settlement_one_current"
            ),
            models.CheckConstraint(condition=models.Q(source__in=Source.values), name="settlement_source_known"),
            models.CheckConstraint(
                condition=models.Q(provisional=False) | models.Q(source="machine"),
                name="settlement_only_machines_are_provisional",
            ),
            models.CheckConstraint(
                condition=~models.Q(source="machine") | models.Q(posterior__isnull=False),
                name="settlement_by_machine_has_posterior",
            ),
            models.CheckConstraint(
                condition=~models.Q(source="machine", provisional=False) | models.Q(stand_in=None),
                name="settlement_by_stand_in_is_provisional",
            ),
            models.CheckConstraint(
                condition=models.Q(first_error=None)
                | models.Q(first_error__gte=-1, first_error__lt=models.F("step_count")),
                name="settlement_first_error_is_a_step",
            ),
            # The target of the labels' composite foreign key.
            models.UniqueConstraint(
                fields=["id", "solution", "source", "provisional"], name="settlement_key_for_labels"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["stand_in"], condition=models.Q(stand_in__isnull=False), name="settlement_by_stand_in"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.solution_id} settled by {self.source}"


class Label(models.Model):
    """The settled value of one step. Solution, source and provisional are its settlement's (composite key)."""

    settlement = models.ForeignKey(Settlement, on_delete=models.CASCADE, related_name="labels")
    solution = models.ForeignKey("annotator.Solution", on_delete=models.CASCADE, related_name="labels")
    index = models.PositiveIntegerField()
    value = models.SmallIntegerField()
    p_correct = models.FloatField(null=True, help_text="Soft label of a machine: P(first error lies beyond, or none)")
    source = models.CharField(max_length=12, choices=Source)
    provisional = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    superseded_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["index"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["solution", "index"], condition=models.Q(superseded_at=None), name="label_one_current"
            ),
            models.CheckConstraint(condition=models.Q(source__in=Source.values), name="label_has_a_source"),
            models.CheckConstraint(condition=models.Q(value__in=(-1, 0, 1)), name="label_value_known"),
            # The posterior knows wrong and not wrong; neutral is a person's word.
            models.CheckConstraint(
                condition=~models.Q(source="machine", value=0), name="label_machine_is_never_neutral"
            ),
            models.CheckConstraint(
                condition=models.Q(p_correct=None) | models.Q(p_correct__gte=0, p_correct__lte=1),
                name="label_p_correct_probability",
            ),
        ]

    def __str__(self) -> str:
        return f"step {self.index}: {self.value} ({self.source})"


class Disagreement(models.Model):
    """People differ on a solution; it waits for an expert."""

    project = models.ForeignKey("annotator.Project", on_delete=models.CASCADE, related_name="disagreements")
    solution = models.ForeignKey("annotator.Solution", on_delete=models.CASCADE, related_name="disagreements")
    reason = models.TextField()
    opened_at = models.DateTimeField(default=timezone.now, editable=False)
    settled_at = models.DateTimeField(null=True, blank=True)
    settlement = models.ForeignKey(Settlement, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["solution"], condition=models.Q(settled_at=None), name="disagreement_one_open"
            ),
        ]

    def __str__(self) -> str:
        return f"disagreement on {self.solution_id}"
