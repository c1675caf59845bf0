"""What tree search left behind: which wrong rollouts it took up, and which next step it found better than which.

The tree itself has no rows: it is the solutions of one problem, which share prefixes (`Solution.forked_from`).
"""

from __future__ import annotations

from typing import ClassVar, Self

from django.db import models
from django.db.models.functions import MD5
from django.utils import timezone

from annotator.models.codes import new_code


class Selection(models.Model):
    """A search took up one wrong rollout, joined it to the steps that it continues, and made a solution of it."""

    run = models.ForeignKey("annotator.Run", on_delete=models.CASCADE, related_name="selections")
    rollout = models.OneToOneField("annotator.Rollout", null=True, on_delete=models.CASCADE, related_name="selection")
    """UNIQUE: a pair of prefix and rollout is never selected twice. Empty where a wrong solution that was there from
    the start was taken up itself."""
    solution = models.ForeignKey("annotator.Solution", on_delete=models.CASCADE, related_name="selections")
    """The fork; or the solution of the same words, where there was one."""
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints: ClassVar = [
            # As for rollouts: its visits would count twice.
            models.UniqueConstraint(
                fields=["run", "solution"], condition=models.Q(rollout=None), name="selection_once_without_rollout"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["run", "id"], name="selection_by_run")]

    def __str__(self) -> str:
        return f"{self.solution_id} from rollout {self.rollout_id}"


class PreferenceQuerySet(models.QuerySet["Preference"]):
    def in_force(self) -> Self:
        """Those that rest on a reference answer, or on a stand-in that counts: see `GradeQuerySet.in_force`."""
        current = models.Q(
            stand_in__superseded_at=None, stand_in__problem__answer=None, stand_in__problem__project__stand_ins=True
        )
        return self.filter(models.Q(stand_in=None) | current)


class Preference(models.Model):
    """Of two steps that may follow one prefix, the one that is more likely right. Text is escaped."""

    code = models.CharField(max_length=12, unique=True, default=new_code, editable=False)
    problem = models.ForeignKey("annotator.Problem", on_delete=models.CASCADE, related_name="preferences")
    solution = models.ForeignKey("annotator.Solution", on_delete=models.CASCADE, related_name="preferences")
    """The solution whose first `prefix` steps both follow."""
    step_count = models.PositiveIntegerField()
    prefix = models.PositiveIntegerField()
    chosen = models.TextField()
    rejected = models.TextField()
    chosen_value = models.FloatField(help_text="P(no step up to and with it is wrong)")
    rejected_value = models.FloatField()
    run = models.ForeignKey("annotator.Run", on_delete=models.CASCADE, related_name="preferences")
    simulated = models.BooleanField(default=False)
    stand_in = models.ForeignKey("annotator.StandIn", null=True, on_delete=models.CASCADE, related_name="+")
    """The majority answer that said which ways end right, where there is no reference answer. A rule of the migration:
    it is the problem's own, and empty only where the problem has a reference answer."""
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = PreferenceQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            # The same pair twice would weigh twice; at most one of those on different grounds is in force. By digest: a
            # step may be longer than an index can hold.
            models.UniqueConstraint(
                "solution",
                "prefix",
                MD5("chosen"),
                MD5("rejected"),
                "stand_in",
                name="preference_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=models.Q(prefix__lte=models.F("step_count")), name="preference_prefix_is_within"
            ),
            # Neither better nor worse, or the wrong way round, would teach the opposite.
            models.CheckConstraint(
                condition=models.Q(
                    rejected_value__gte=0, chosen_value__lte=1, chosen_value__gt=models.F("rejected_value")
                ),
                name="preference_chosen_is_better",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["problem", "-id"], name="preference_by_problem"),
            models.Index(fields=["run", "-id"], name="preference_by_run"),
        ]

    def __str__(self) -> str:
        return f"{self.chosen[:40]} rather than {self.rejected[:40]}"
