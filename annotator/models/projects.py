"""A project: its settings are everything that steers machines and people."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

if TYPE_CHECKING:
    from annotator.models.people import Membership


MOST_EXAMPLES: Final = 8
"""More teach a judge little, and each is paid for with every call."""


class EvidenceMode(models.TextChoices):
    AFTER_RATING = "after_rating", "after a step is rated"
    ALWAYS = "always", "from the start"
    NEVER = "never", "never"


class Project(models.Model):
    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    guidelines = models.TextField(blank=True, help_text="What annotators read about this project's ratings")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True)

    # routing
    threshold = models.FloatField(
        default=0.95,
        validators=[MinValueValidator(0.5), MaxValueValidator(1.0)],
        help_text="Machines label a solution when max P(first error) reaches this",
    )
    audit_share = models.FloatField(
        default=0.05,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text="Share drawn at random before routing and read blind and whole",
    )
    audit_seed = models.CharField(max_length=32, default="audit")

    # people
    overlap = models.PositiveSmallIntegerField(
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(20)],
        help_text="People who read each queued solution",
    )
    evidence_mode = models.CharField(max_length=12, choices=EvidenceMode, default=EvidenceMode.AFTER_RATING)
    lease_minutes = models.PositiveSmallIntegerField(
        default=30, validators=[MinValueValidator(1), MaxValueValidator(24 * 60)]
    )

    # machines
    judge = models.ForeignKey(
        "annotator.Endpoint", null=True, blank=True, on_delete=models.SET_NULL, related_name="judging"
    )
    completer = models.ForeignKey(
        "annotator.Endpoint", null=True, blank=True, on_delete=models.SET_NULL, related_name="completing"
    )
    judge_votes = models.PositiveSmallIntegerField(default=1, validators=[MinValueValidator(1), MaxValueValidator(32)])
    judge_examples = models.PositiveSmallIntegerField(
        default=0,
        validators=[MaxValueValidator(MOST_EXAMPLES)],
        help_text="Solutions settled by people that the judge is shown before it is asked",
    )
    rollout_price = models.FloatField(
        default=0.005,
        validators=[MinValueValidator(0.0)],
        help_text="Stop rolling out when the next rollout is worth less than this",
    )
    rollout_cap = models.PositiveSmallIntegerField(default=64, help_text="At most so many rollouts a solution")
    stand_ins = models.BooleanField(
        default=False, help_text="Where a problem has no reference answer, the majority of sampled answers stands in"
    )
    stand_in_samples = models.PositiveSmallIntegerField(
        default=16,
        validators=[MinValueValidator(8), MaxValueValidator(64)],
        help_text="Whole solutions drawn to find a majority answer",
    )

    # budgets over the life of the project; empty is unlimited
    token_budget = models.BigIntegerField(null=True, blank=True, validators=[MinValueValidator(0)])
    money_budget = models.FloatField(null=True, blank=True, validators=[MinValueValidator(0.0)])
    rollout_budget = models.BigIntegerField(null=True, blank=True, validators=[MinValueValidator(0)])

    memberships: models.Manager[Membership]

    class Meta:
        ordering: ClassVar = ["name", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(threshold__gte=0, threshold__lte=1), name="project_threshold_probability"
            ),
            models.CheckConstraint(
                condition=models.Q(audit_share__gte=0, audit_share__lte=1), name="project_audit_share_probability"
            ),
            # No slot at all would queue solutions that nobody can ever claim.
            models.CheckConstraint(condition=models.Q(overlap__gte=1), name="project_overlap_positive"),
            models.CheckConstraint(condition=models.Q(lease_minutes__gte=1), name="project_lease_positive"),
            models.CheckConstraint(
                condition=models.Q(evidence_mode__in=EvidenceMode.values), name="project_evidence_mode_known"
            ),
            # With fewer no majority is ever decisive: they would be paid for in vain.
            models.CheckConstraint(
                condition=models.Q(stand_in_samples__gte=8, stand_in_samples__lte=64),
                name="project_stand_in_samples_enough",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def archive(self, away: bool = True) -> None:
        """Put it away, or take it out again. Archived projects start no runs and serve no work; nothing is lost."""
        self.archived_at = timezone.now() if away else None
        self.save(update_fields=["archived_at"])

    @property
    def rests_on_simulator(self) -> bool:
        """Do its machines answer from the built-in simulator? Pages, labels and exports then say so."""
        return any(endpoint is not None and endpoint.simulated for endpoint in (self.judge, self.completer))
