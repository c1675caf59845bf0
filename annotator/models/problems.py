"""What is labelled: problems, their solutions, the solutions' steps, and where they came from."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.db import models
from django.utils import timezone

from annotator.models.codes import new_code
from annotator.models.holds import Held, WorkState

if TYPE_CHECKING:
    from django_stubs_ext.db.models.manager import RelatedManager

    from annotator.models.decisions import Label, Settlement
    from annotator.models.work import Annotation


class Intake(Held):
    """One file that was read in, or is being read."""

    code = models.CharField(max_length=12, unique=True, default=new_code, editable=False)
    project = models.ForeignKey("annotator.Project", on_delete=models.CASCADE, related_name="intakes")
    name = models.CharField(max_length=300, blank=True)
    format = models.CharField(max_length=32)
    options: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)
    path = models.CharField(max_length=500, blank=True, help_text="The file as it was received")
    bytes = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    detail = models.TextField(blank=True)
    rows_read = models.PositiveIntegerField(default=0)
    rows_new = models.PositiveIntegerField(default=0)
    rows_known = models.PositiveIntegerField(default=0)
    rows_refused = models.PositiveIntegerField(default=0)
    created_by = models.ForeignKey("annotator.Person", null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    ended_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(state__in=WorkState.values), name="intake_state_known"),
        ]

    def __str__(self) -> str:
        return self.name or self.code


class Refusal(models.Model):
    """One row that an intake did not take, and why."""

    intake = models.ForeignKey(Intake, on_delete=models.CASCADE, related_name="refusals")
    line = models.PositiveIntegerField(help_text="Line of the file, from 1 (row number where rows are not lines)")
    field = models.CharField(max_length=80, blank=True)
    reason = models.TextField()
    excerpt = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["line", "pk"]

    def __str__(self) -> str:
        return f"line {self.line}, {self.field}: {self.reason}"


class Problem(models.Model):
    """A statement, with a reference answer where known. Text is stored escaped (reasoning.characters)."""

    code = models.CharField(max_length=12, unique=True, default=new_code, editable=False)
    project = models.ForeignKey("annotator.Project", on_delete=models.CASCADE, related_name="problems")
    statement = models.TextField()
    answer = models.TextField(null=True, blank=True)
    key = models.CharField(max_length=64, editable=False)
    """sha256 of the normalised statement and answer."""
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    answered_at = models.DateTimeField(null=True, editable=False)
    """When its reference answer was given or corrected; empty where it is the one that it came with."""

    class Meta:
        constraints: ClassVar = [
            # Problems are one when normalised text and answer are; two rows would split it over train and test.
            models.UniqueConstraint(fields=["project", "key"], name="problem_once"),
        ]

    def __str__(self) -> str:
        return self.statement[:80]


class SolutionStatus(models.TextChoices):
    NEW = "new", "not decided"
    QUEUED = "queued", "waiting for people"
    DISPUTED = "disputed", "people disagree"
    MACHINE = "machine", "labelled by machines"
    SETTLED = "settled", "labelled"


def digest(parts: Sequence[str | None]) -> str:
    """sha256 of texts in order; None is told from an empty one."""
    found = hashlib.sha256()
    for part in parts:
        held = b"\x00" if part is None else b"\x01" + part.encode("utf-8", "surrogatepass")
        found.update(len(held).to_bytes(8, "big") + held)
    return found.hexdigest()


_SPACE: Final = re.compile(r"\s+")


def problem_key(statement: str, answer: str | None) -> str:
    """What a problem is known by within its project; of unescaped text."""
    return digest([_SPACE.sub(" ", unicodedata.normalize("NFC", statement)).strip(), answer])


def content_hash(statement: str, answer: str | None, steps: Sequence[str]) -> str:
    """By which a solution without an id of its own is known again. Texts as they came, not escaped."""
    return digest([statement, answer, *steps])


class SolutionQuerySet(models.QuerySet["Solution"]):
    def live(self) -> SolutionQuerySet:
        """Neither withdrawn nor superseded."""
        return self.filter(withdrawn_at=None, superseded_by=None)


KEPT: Final = "stepwise"
"""Key of a solution's `meta` that is the project's own: what its row had and nothing uses, for native exports."""


class Solution(models.Model):
    """One chain of steps for a problem. Its text never changes; a new splitting is a new solution."""

    code = models.CharField(max_length=12, unique=True, default=new_code, editable=False)
    project = models.ForeignKey("annotator.Project", on_delete=models.CASCADE, related_name="solutions")
    problem = models.ForeignKey(Problem, on_delete=models.CASCADE, related_name="solutions")
    intake = models.ForeignKey(Intake, null=True, on_delete=models.SET_NULL, related_name="solutions")
    source = models.CharField(max_length=120, blank=True)
    source_id = models.CharField(max_length=300, null=True, blank=True)
    content_hash = models.CharField(max_length=64, editable=False)
    """sha256 of problem and steps, and of labels never: the same row read again is known by it."""
    text = models.TextField(help_text="Escaped (reasoning.characters); offsets count code points of the unescaped text")
    step_count = models.PositiveIntegerField()
    generator = models.CharField(max_length=200, blank=True)
    own_answer = models.TextField(null=True, blank=True)
    meta: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict, blank=True)
    status = models.CharField(max_length=10, choices=SolutionStatus, default=SolutionStatus.NEW)
    superseded_by = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="supersedes"
    )
    forked_from = models.ForeignKey("self", null=True, blank=True, on_delete=models.CASCADE, related_name="forks")
    """The solution that a search let this one branch off from; their first `forked_at` steps are the same text."""
    forked_at = models.PositiveIntegerField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = SolutionQuerySet.as_manager()
    step_rows: RelatedManager[Step]
    forks: RelatedManager[Solution]
    labels: RelatedManager[Label]
    settlements: RelatedManager[Settlement]
    annotations: RelatedManager[Annotation]

    class Meta:
        constraints: ClassVar = [
            # A row read in again is known by (project, source, id) …
            models.UniqueConstraint(
                fields=["project", "source", "source_id"],
                condition=models.Q(source_id__isnull=False, withdrawn_at=None, superseded_by=None),
                name="solution_once_by_id",
            ),
            # … else by the hash of problem and steps.
            models.UniqueConstraint(
                fields=["project", "content_hash"],
                condition=models.Q(source_id=None, withdrawn_at=None, superseded_by=None),
                name="solution_once_by_content",
            ),
            models.CheckConstraint(condition=models.Q(step_count__gte=1), name="solution_has_a_step"),
            models.CheckConstraint(condition=models.Q(status__in=SolutionStatus.values), name="solution_status_known"),
            # A branch without a place, or a place without a branch.
            models.CheckConstraint(
                condition=models.Q(forked_from=None, forked_at=None)
                | models.Q(forked_from__isnull=False, forked_at__isnull=False),
                name="solution_fork_is_whole",
            ),
            # A fork has a step of its own …
            models.CheckConstraint(
                condition=models.Q(forked_at=None) | models.Q(forked_at__lt=models.F("step_count")),
                name="solution_fork_adds_a_step",
            ),
            # … and is younger than what it forks from, so that no chain of forks comes back to itself.
            models.CheckConstraint(
                condition=models.Q(forked_from=None) | models.Q(forked_from__lt=models.F("id")),
                name="solution_fork_is_younger",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["project", "status", "id"], name="solution_by_status"),
            models.Index(fields=["project", "id"], name="solution_by_project"),
        ]

    def __str__(self) -> str:
        return self.source_id or self.code

    @property
    def live_forks(self) -> models.QuerySet[Solution]:
        """What searches let branch off it, by where."""
        return self.forks.filter(withdrawn_at=None, superseded_by=None).order_by("forked_at", "pk")


class Step(models.Model):
    """One unit of a solution: `solution.text[start:end]` of the unescaped text, in code points."""

    solution = models.ForeignKey(Solution, on_delete=models.CASCADE, related_name="step_rows")
    index = models.PositiveIntegerField()
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()

    class Meta:
        ordering: ClassVar = ["index"]
        constraints: ClassVar = [
            # Also the target of the composite foreign keys of ratings and labels.
            models.UniqueConstraint(fields=["solution", "index"], name="step_once"),
            models.CheckConstraint(condition=models.Q(end__gte=models.F("start")), name="step_ends_after_start"),
        ]

    def __str__(self) -> str:
        return f"step {self.index} of {self.solution_id}"
