"""What people do: slots, assignments, drafts, annotations, ratings, reviews."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from annotator.models.codes import new_code

if TYPE_CHECKING:
    from django_stubs_ext.db.models.manager import RelatedManager


class Purpose(models.TextChoices):
    LABEL = "label"
    AUDIT = "audit"
    """Drawn before routing; read blind and whole."""


class SlotState(models.TextChoices):
    FREE = "free"
    TAKEN = "taken"
    DONE = "done"
    CLOSED = "closed"
    """No longer wanted: the solution was withdrawn, or settled otherwise."""


class Slot(models.Model):
    """One allowed annotation of one solution. Claims lock these rows and nothing else."""

    project = models.ForeignKey("annotator.Project", on_delete=models.CASCADE, related_name="slots")
    solution = models.ForeignKey("annotator.Solution", on_delete=models.CASCADE, related_name="slots")
    number = models.PositiveSmallIntegerField()
    purpose = models.CharField(max_length=8, choices=Purpose, default=Purpose.LABEL)
    state = models.CharField(max_length=8, choices=SlotState, default=SlotState.FREE)
    priority = models.FloatField(default=0.0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["solution", "number"], name="slot_once"),
            models.CheckConstraint(condition=models.Q(purpose__in=Purpose.values), name="slot_purpose_known"),
            models.CheckConstraint(condition=models.Q(state__in=SlotState.values), name="slot_state_known"),
        ]
        indexes: ClassVar = [
            # The only index a claim walks: it holds free slots alone, so leases that stand cost nothing.
            models.Index(
                models.F("project"),
                models.F("priority").desc(),
                models.F("id"),
                condition=models.Q(state="free"),
                name="slot_free",
            ),
        ]

    def __str__(self) -> str:
        return f"slot {self.number} of {self.solution_id}"


class AssignmentState(models.TextChoices):
    OPEN = "open"
    SUBMITTED = "submitted"
    RELEASED = "released"
    SKIPPED = "skipped"
    """Released, and never to be served to the same rater again."""
    EXPIRED = "expired"


class Assignment(models.Model):
    """The right of one annotator to label one solution until its lease ends."""

    code = models.CharField(max_length=12, unique=True, default=new_code, editable=False)
    slot = models.ForeignKey(Slot, on_delete=models.CASCADE, related_name="assignments")
    solution = models.ForeignKey("annotator.Solution", on_delete=models.CASCADE, related_name="assignments")
    rater = models.ForeignKey("annotator.Rater", on_delete=models.PROTECT, related_name="assignments")
    state = models.CharField(max_length=10, choices=AssignmentState, default=AssignmentState.OPEN)
    asked = ArrayField(
        models.PositiveIntegerField(), help_text="Indices of the steps that this person is asked to rate"
    )
    lease_until = models.DateTimeField()
    evidence_seen_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            # More work than slots.
            models.UniqueConstraint(
                fields=["slot"], condition=models.Q(state__in=("open", "submitted")), name="assignment_one_a_slot"
            ),
            # One rater must not fill two slots of a solution, nor hold two leases on it.
            models.UniqueConstraint(
                fields=["solution", "rater"],
                condition=models.Q(state__in=("open", "submitted")),
                name="assignment_one_a_rater",
            ),
            models.CheckConstraint(condition=models.Q(state__in=AssignmentState.values), name="assignment_state_known"),
            models.CheckConstraint(
                condition=models.Q(lease_until__gt=models.F("created_at")), name="assignment_lease_ends_later"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["lease_until"], condition=models.Q(state="open"), name="assignment_lapsing"),
            models.Index(fields=["rater", "-id"], name="assignment_by_rater"),
        ]

    def __str__(self) -> str:
        return f"assignment {self.code}: {self.state}"


class Sighting(models.Model):
    """A rater has been shown what others say of a solution, elsewhere than at work on it: on its page, in a list."""

    rater = models.ForeignKey("annotator.Rater", on_delete=models.CASCADE, related_name="+")
    solution = models.ForeignKey("annotator.Solution", on_delete=models.CASCADE, related_name="sightings")
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints: ClassVar = [
            # The first one tells; a list that is opened every minute must not fill the table.
            models.UniqueConstraint(fields=["solution", "rater"], name="sighting_once"),
        ]

    def __str__(self) -> str:
        return f"{self.rater_id} saw {self.solution_id}"


class Draft(models.Model):
    """Work not yet submitted, with its undo log. Mutable; one an assignment."""

    assignment = models.OneToOneField(Assignment, on_delete=models.CASCADE, related_name="draft")
    ratings: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)
    """{"<index>": {"rating": -1|0|1|"unsure", "reason"?: str, "correction"?: str}}"""
    undo: models.JSONField[list[Any], list[Any]] = models.JSONField(default=list)
    comment = models.TextField(blank=True)
    seconds = models.FloatField(default=0.0)
    version = models.PositiveIntegerField(default=0)
    updated_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"draft of {self.assignment_id}, version {self.version}"


class FinishReason(models.TextChoices):
    FOUND_ERROR = "found_error", "found the first error"
    SOLUTION = "solution", "no step is wrong"
    BAD_PROBLEM = "bad_problem", "the problem is faulty"
    GIVE_UP = "give_up", "could not tell"


class Annotation(models.Model):
    """One person's submitted work on one solution. Append-only but for being superseded."""

    code = models.CharField(max_length=12, unique=True, default=new_code, editable=False)
    assignment = models.ForeignKey(Assignment, null=True, on_delete=models.PROTECT, related_name="annotations")
    """Empty for an adjudication, which needs no slot."""
    solution = models.ForeignKey("annotator.Solution", on_delete=models.CASCADE, related_name="annotations")
    rater = models.ForeignKey("annotator.Rater", on_delete=models.PROTECT, related_name="annotations")
    purpose = models.CharField(max_length=12, default=Purpose.LABEL)
    """label, audit or adjudication."""
    finish_reason = models.CharField(max_length=12, choices=FinishReason)
    comment = models.TextField(blank=True)
    seconds = models.FloatField(default=0.0)
    blind = models.BooleanField(help_text="Made before any evidence was shown")
    idempotency_key = models.CharField(max_length=200, null=True, blank=True)
    body_hash = models.CharField(max_length=64, blank=True)
    superseded_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    rating_rows: RelatedManager[Rating]
    reviews: RelatedManager[Review]

    class Meta:
        constraints: ClassVar = [
            # Two current annotations of one solution by one rater would let one voice count twice.
            models.UniqueConstraint(
                fields=["solution", "rater"], condition=models.Q(superseded_at=None), name="annotation_one_current"
            ),
            # The same submission sent again must find itself, not make a second.
            models.UniqueConstraint(
                fields=["rater", "idempotency_key"],
                condition=models.Q(idempotency_key__isnull=False),
                name="annotation_once_by_key",
            ),
            models.CheckConstraint(
                condition=models.Q(finish_reason__in=FinishReason.values), name="annotation_finish_reason_known"
            ),
            models.CheckConstraint(
                condition=models.Q(purpose__in=(*Purpose.values, "adjudication")), name="annotation_purpose_known"
            ),
        ]

    def __str__(self) -> str:
        return f"annotation {self.code}"


RATINGS = ("-1", "0", "1", "unsure")


class Rating(models.Model):
    """−1 / 0 / +1 that a person gave a step, or "unsure". Unrated steps have no row."""

    annotation = models.ForeignKey(Annotation, on_delete=models.CASCADE, related_name="rating_rows")
    solution = models.ForeignKey("annotator.Solution", on_delete=models.CASCADE, related_name="+")
    index = models.PositiveIntegerField()
    rating = models.CharField(max_length=6)
    reason = models.TextField(blank=True)
    correction = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["index"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["annotation", "index"], name="rating_once"),
            models.CheckConstraint(condition=models.Q(rating__in=RATINGS), name="rating_known"),
        ]

    def __str__(self) -> str:
        return f"step {self.index}: {self.rating}"


class Review(models.Model):
    """A second person accepts an annotation or returns it."""

    annotation = models.ForeignKey(Annotation, on_delete=models.CASCADE, related_name="reviews")
    reviewer = models.ForeignKey("annotator.Rater", on_delete=models.PROTECT, related_name="+")
    accepted = models.BooleanField()
    comment = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["annotation", "reviewer"], name="review_once"),
        ]

    def __str__(self) -> str:
        return f"{'accepted' if self.accepted else 'returned'} {self.annotation_id}"
