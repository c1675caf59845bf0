"""What machines (and other people's files) say. Append-only: a correction is a new row."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

VERDICTS = ("right", "wrong", "unknown")
IMPORTED = "imported"
"""The grader of verdicts that came in a file."""


class Judgement(models.Model):
    """What one LLM judge said of a solution's steps. A judge that failed leaves no row."""

    solution = models.ForeignKey("annotator.Solution", on_delete=models.CASCADE, related_name="judgements")
    run = models.ForeignKey("annotator.Run", null=True, on_delete=models.SET_NULL, related_name="+")
    model = models.CharField(max_length=200)
    prompt = models.CharField(max_length=64, help_text="Hash of the prompt")
    parameters = models.CharField(max_length=64, help_text="Hash of temperature, votes and the like")
    sample = models.PositiveSmallIntegerField(default=0)
    step_count = models.PositiveIntegerField()
    first_error = models.IntegerField(help_text="0-based; −1 says that no step is wrong")
    verdicts: models.JSONField[list[int | None], list[int | None]] = models.JSONField(default=list)
    reason = models.TextField(blank=True)
    prompt_tokens = models.PositiveIntegerField(default=0)
    completion_tokens = models.PositiveIntegerField(default=0)
    cost = models.FloatField(default=0.0)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints: ClassVar = [
            # One reply counted twice would weigh twice.
            models.UniqueConstraint(
                fields=["solution", "model", "prompt", "parameters", "sample"], name="judgement_once"
            ),
            models.CheckConstraint(
                condition=models.Q(first_error__gte=-1, first_error__lt=models.F("step_count")),
                name="judgement_first_error_is_a_step",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model} says {self.first_error}"


class Rollout(models.Model):
    """One continuation sampled from a step prefix. Its grades are rows of their own."""

    solution = models.ForeignKey("annotator.Solution", on_delete=models.CASCADE, related_name="rollouts")
    run = models.ForeignKey("annotator.Run", null=True, on_delete=models.SET_NULL, related_name="+")
    prefix = models.PositiveIntegerField()
    step_count = models.PositiveIntegerField()
    model = models.CharField(max_length=200)
    parameters = models.CharField(max_length=64)
    sample = models.PositiveIntegerField()
    text = models.TextField(blank=True)
    answer = models.TextField(null=True)
    seed = models.BigIntegerField(null=True)
    finish_reason = models.CharField(max_length=32, blank=True)
    prompt_tokens = models.PositiveIntegerField(default=0)
    completion_tokens = models.PositiveIntegerField(default=0)
    cost = models.FloatField(default=0.0)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints: ClassVar = [
            # One reply of a model counted twice would weigh twice.
            models.UniqueConstraint(
                fields=["solution", "prefix", "model", "parameters", "sample"], name="rollout_once"
            ),
            models.CheckConstraint(
                condition=models.Q(prefix__lte=models.F("step_count")), name="rollout_prefix_is_within"
            ),
        ]

    def __str__(self) -> str:
        return f"rollout {self.sample} after {self.prefix} steps"


class StandIn(models.Model):
    """The majority of sampled answers, in place of a reference answer that the problem lacks. Superseded, never edited.

    What is graded against it names it, and so does every posterior and settlement that rests on such grades.
    """

    problem = models.ForeignKey("annotator.Problem", on_delete=models.CASCADE, related_name="stand_ins")
    run = models.ForeignKey("annotator.Run", null=True, on_delete=models.SET_NULL, related_name="+")
    answer = models.TextField(help_text="Escaped (reasoning.characters)")
    votes = models.PositiveIntegerField(help_text="Answers that agree on it")
    runner_up = models.PositiveIntegerField(help_text="Votes of the strongest answer that does not agree with it")
    total = models.PositiveIntegerField(help_text="Samples that had an answer")
    samples = models.PositiveIntegerField(help_text="Whole solutions drawn")
    drawn_by = ArrayField(models.CharField(max_length=200), help_text="Models that wrote the samples")
    grader = models.CharField(max_length=40, help_text="The version that said which answers agree")
    simulated = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    superseded_at: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["problem"], condition=models.Q(superseded_at=None), name="stand_in_one_current"
            ),
            # A tie has no majority, and no vote is counted twice.
            models.CheckConstraint(
                condition=models.Q(
                    votes__gt=models.F("runner_up"),
                    total__gte=models.F("votes") + models.F("runner_up"),
                    samples__gte=models.F("total"),
                ),
                name="stand_in_counts_nest",
            ),
            models.CheckConstraint(condition=models.Q(answer__regex=r"\S"), name="stand_in_says_something"),
            models.CheckConstraint(condition=models.Q(drawn_by__len__gt=0), name="stand_in_names_who_drew"),
        ]

    def __str__(self) -> str:
        return f"{self.votes} of {self.total} sampled answers agree"


class GradeQuerySet(models.QuerySet[Any]):
    """Grades of rollouts, and of solutions' own answers."""

    @property
    def _of(self) -> str:
        return "solution" if self.model is OwnGrade else "rollout"

    @property
    def _answer(self) -> str:
        """The way to the reference answer."""
        return "solution__problem__answer" if self._of == "solution" else "rollout__solution__problem__answer"

    def by_answer(self) -> Self:
        """Those against a reference answer. One that has been corrected since counts until the answer is graded anew.

        A file's verdicts are not: nobody has their texts. They count unless the file's answer is known to be wrong.
        """
        answer = models.F(self._answer)
        wrong = models.Q(grader=IMPORTED) & ~models.Q(reference="") & ~models.Q(reference=answer)
        return self.filter(stand_in=None).exclude(wrong & models.Q(**{f"{self._answer}__isnull": False}))

    def in_force(self) -> Self:
        """Those that are evidence now.

        One against a stand-in counts while that is current, its problem has no reference answer, and its project wants
        stand-ins. It stays a row whatever becomes of it.
        """
        current = self.filter(
            stand_in__superseded_at=None, stand_in__problem__answer=None, stand_in__problem__project__stand_ins=True
        )
        return self.by_answer() | current.exclude(stand_in=None)

    def best(self) -> Self:
        """One of each answer: the latest against the present reference answer, else the latest against any that does
        not stand in for one, else the latest.
        """
        of = f"{self._of}_id"
        ranked = self.alias(current=models.Q(reference=models.F(self._answer))).order_by(
            of, models.F("current").desc(nulls_last=True), models.F("stand_in").asc(nulls_first=True), "-id"
        )
        return ranked.distinct(of)


class Grade(models.Model):
    """The verdict on one rollout's answer by one version of the grader against one reference answer, or a stand-in.

    Whole solutions, from the bare problem, have no grade against a stand-in: they are its voters.
    """

    rollout = models.ForeignKey(Rollout, on_delete=models.CASCADE, related_name="grades")
    grader = models.CharField(max_length=40)
    reference = models.TextField()
    stand_in = models.ForeignKey(StandIn, null=True, on_delete=models.CASCADE, related_name="+", db_index=False)
    verdict = models.CharField(max_length=8)
    rule = models.CharField(max_length=60, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = GradeQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["rollout", "grader", "reference"], condition=models.Q(stand_in=None), name="grade_once"
            ),
            # Apart, because a reference answer that comes later may be the stand-in's in the same words.
            models.UniqueConstraint(
                fields=["stand_in", "rollout", "grader"],
                condition=models.Q(stand_in__isnull=False),
                name="grade_once_by_stand_in",
            ),
            models.CheckConstraint(condition=models.Q(verdict__in=VERDICTS), name="grade_verdict_known"),
        ]

    def __str__(self) -> str:
        return f"{self.verdict} by {self.grader}"


class OwnGrade(models.Model):
    """The verdict on a solution's own final answer."""

    solution = models.ForeignKey("annotator.Solution", on_delete=models.CASCADE, related_name="own_grades")
    grader = models.CharField(max_length=40, help_text="The grader's version, or 'imported'")
    reference = models.TextField(blank=True)
    stand_in = models.ForeignKey(StandIn, null=True, on_delete=models.CASCADE, related_name="+", db_index=False)
    verdict = models.CharField(max_length=8)
    rule = models.CharField(max_length=60, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = GradeQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["solution", "grader", "reference"], condition=models.Q(stand_in=None), name="own_grade_once"
            ),
            models.UniqueConstraint(
                fields=["stand_in", "solution", "grader"],
                condition=models.Q(stand_in__isnull=False),
                name="own_grade_once_by_stand_in",
            ),
            models.CheckConstraint(condition=models.Q(verdict__in=VERDICTS), name="own_grade_verdict_known"),
        ]

    def __str__(self) -> str:
        return f"own answer {self.verdict}"


class ScoreQuerySet(models.QuerySet["Score"]):
    def standing(self) -> ScoreQuerySet:
        """Without those of withdrawn files."""
        return self.filter(intake__withdrawn_at=None)


class Score(models.Model):
    """What one PRM gave each step: P(step is right), length step_count (CHECK in the migration)."""

    solution = models.ForeignKey("annotator.Solution", on_delete=models.CASCADE, related_name="scores")
    run = models.ForeignKey("annotator.Run", null=True, on_delete=models.SET_NULL, related_name="+")
    intake = models.ForeignKey("annotator.Intake", null=True, on_delete=models.PROTECT, related_name="scores")
    """The file of scores that it came with; it counts for as long as that is not withdrawn."""
    model = models.CharField(max_length=200)
    parameters = models.CharField(max_length=64, blank=True)
    step_count = models.PositiveIntegerField()
    values = ArrayField(models.FloatField())
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ScoreQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            # One PRM speaks once of a solution …
            models.UniqueConstraint(
                fields=["solution", "model", "parameters"], condition=models.Q(intake=None), name="score_once"
            ),
            # … and once a file: what a withdrawn file said may be said again, rightly, by the next.
            models.UniqueConstraint(
                fields=["intake", "solution", "model", "parameters"],
                condition=models.Q(intake__isnull=False),
                name="score_once_a_file",
            ),
        ]

    def __str__(self) -> str:
        return f"scores by {self.model}"


class ImportedAnnotation(models.Model):
    """What an annotator of another tool said of a solution, as its file had it."""

    solution = models.ForeignKey("annotator.Solution", on_delete=models.CASCADE, related_name="imported_annotations")
    key = models.CharField(max_length=120, help_text="The annotator's name in the file; local to the row")
    step_count = models.PositiveIntegerField()
    first_error = models.IntegerField(null=True)
    step_labels: models.JSONField[list[int | None] | None, list[int | None] | None] = models.JSONField(null=True)
    data: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["solution", "key"], name="imported_annotation_once"),
            models.CheckConstraint(
                condition=models.Q(first_error=None)
                | models.Q(first_error__gte=-1, first_error__lt=models.F("step_count")),
                name="imported_first_error_is_a_step",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} says {self.first_error}"
