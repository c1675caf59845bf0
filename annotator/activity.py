"""What happened last in projects, what needs doing now, and who is in them. Read-only, for the pages that open them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count, Max, OuterRef, Subquery
from django.utils import timezone

from annotator.models import (
    Annotation,
    Certificate,
    Disagreement,
    Event,
    Export,
    Intake,
    Membership,
    Person,
    Project,
    Run,
    Settlement,
    Solution,
    SolutionStatus,
    WorkState,
)
from annotator.permissions import Right

MOST: Final = 3
"""More than three things to do are none."""
LABELLED: Final = (SolutionStatus.SETTLED, SolutionStatus.MACHINE)


def last_activity(projects: Sequence[Project]) -> dict[int, datetime]:
    """When anything last happened, by project: an event, an annotation, or its making."""
    newest = Annotation.objects.filter(solution__project=OuterRef("pk")).order_by("-pk").values("created_at")[:1]
    rows = Project.objects.filter(pk__in=[project.pk for project in projects])
    events = dict(Event.objects.filter(project__in=rows).values_list("project").annotate(Max("at")).order_by("project"))
    found = {}
    for pk, made, read in rows.annotate(read=Subquery(newest)).values_list("pk", "created_at", "read"):
        found[pk] = max(at for at in (made, read, events.get(pk)) if at is not None)
    return found


def certificates(projects: Sequence[Project]) -> dict[int, Certificate]:
    """The latest certificate of each project, in force or withdrawn."""
    rows = Certificate.objects.filter(project__in=projects).order_by("project_id", "-pk").distinct("project_id")
    return {one.project_id: one for one in rows}


@dataclass(frozen=True, slots=True)
class Todo:
    """One line of what needs doing: the words, the route that it leads to, its arguments, and who may."""

    text: str
    route: str
    right: Right
    arguments: tuple[str, ...]
    query: str = ""


def todo(project: Project, statuses: Counter[str], rights: frozenset[Right]) -> list[Todo]:
    """At most MOST lines, the most pressing first, only what this person may do."""
    slug = project.slug
    lines = [*_stuck(project)]
    if not statuses.total():
        lines.append(Todo("No solutions yet: load a file", "intakes", Right.MANAGE, (slug,)))
    if disputed := Disagreement.objects.filter(project=project, settled_at=None).count():
        text = f"{disputed:,} disagreement{'s' * (disputed != 1)} to settle"
        lines.append(Todo(text, "disagreements", Right.REVIEW, (slug,)))
    running = Run.objects.filter(project=project, state__in=(WorkState.QUEUED, WorkState.RUNNING)).exists()
    if statuses[SolutionStatus.NEW] and not running:
        text = f"{statuses[SolutionStatus.NEW]:,} solutions that no machine has looked at: start a run"
        lines.append(Todo(text, "runs", Right.MANAGE, (slug,)))
    if waiting := statuses[SolutionStatus.QUEUED]:
        text = f"{waiting:,} solution{' waits' if waiting == 1 else 's wait'} to be read by people"
        lines.append(Todo(text, "label", Right.LABEL, (slug,)))
    done = sum(statuses[status] for status in LABELLED)
    if done and not Export.objects.filter(project=project).exists():
        lines.append(Todo(_unexported(project, done), "exports", Right.EXPORT, (slug,)))
    return [line for line in lines if line.right in rights][:MOST]


def _unexported(project: Project, done: int) -> str:
    """Of `done` labelled solutions, how many an export takes as it is, and how many only when asked to."""
    labelled = Solution.objects.live().filter(project=project, status__in=LABELLED)
    weak = Settlement.objects.filter(solution__in=labelled, superseded_at=None, provisional=True).count()
    firm = done - weak
    if firm <= 0:
        return f"{weak:,} provisional label{'s' * (weak != 1)} by machines, exported only when asked for"
    text = f"{firm:,} labelled solution{'s' * (firm != 1)} not exported yet"
    return f"{text}; {weak:,} more {'is' if weak == 1 else 'are'} provisional" if weak else text


def _stuck(project: Project) -> list[Todo]:
    """The newest run and the newest intake, where they stand still."""
    lines = []
    run = Run.objects.filter(project=project).first()
    if run is not None and run.state in (WorkState.PAUSED, WorkState.FAILED):
        text = f"The last {run.kind} run {'is paused' if run.state == WorkState.PAUSED else 'failed'}: {run.detail}"
        lines.append(Todo(text, "run", Right.VIEW, (project.slug, run.code)))
    intake = Intake.objects.filter(project=project, withdrawn_at=None).first()
    if intake is not None and intake.state == WorkState.FAILED:
        lines.append(
            Todo(f"{intake} was not read: {intake.detail}", "intake", Right.MANAGE, (project.slug, intake.code))
        )
    return lines


@dataclass(frozen=True, slots=True)
class Member:
    membership: Membership
    annotations: int
    recent: int
    """In the last fortnight."""
    last: datetime | None

    @property
    def person(self) -> Person:
        return self.membership.person


def team(project: Project) -> list[Member]:
    """Members, and how much each has read here."""
    members = Membership.objects.filter(project=project).select_related("person__rater").order_by("person__username")
    made = Annotation.objects.filter(solution__project=project, superseded_at=None).values_list("rater")
    counts = {rater: (n, last) for rater, n, last in made.annotate(Count("pk"), Max("created_at"))}
    fortnight = made.filter(created_at__gte=timezone.now() - timedelta(days=14))
    recent = dict(fortnight.annotate(Count("pk")))
    found = []
    for one in members:
        rater = one.person.rater_id or 0
        total, last = counts.get(rater, (0, None))
        found.append(Member(one, total, recent.get(rater, 0), last))
    return found
