"""Where both a machine and people have spoken of a solution. What the machine thought *before* anybody rated it counts:
a posterior that has already heard the people would agree with them for nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any, Final, NamedTuple

from django.db.models import Exists, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, Now

from annotator.models import (
    Annotation,
    ImportedAnnotation,
    Judgement,
    Posterior,
    Project,
    Rollout,
    Score,
    Settlement,
    Solution,
    Source,
)

BY_PEOPLE: Final = (Source.HUMAN, Source.ADJUDICATED, Source.GOLD, Source.IMPORTED)


class Compared(NamedTuple):
    """First errors of one solution: 0-based, −1 none."""

    solution: int
    steps: int
    people: int
    machine: int
    certainty: float
    """max P of the posterior; 1 for a judge, who says one thing."""
    audit: bool


def compared(project: Project) -> list[Compared]:
    """Solutions settled by people, with the last posterior from before the first of them read it.

    Those whose file brought annotators along are left out: the posterior has heard these from the beginning.
    """
    own = {"solution": OuterRef("solution")}
    first_read = Annotation.objects.filter(**own).order_by("created_at").values("created_at")[:1]
    beliefs = Posterior.objects.filter(**own, created_at__lte=OuterRef("read_at")).order_by("-created_at", "-pk")
    heard = Exists(ImportedAnnotation.objects.filter(**own, first_error__isnull=False))
    looked = Exists(Judgement.objects.filter(**own)) | Exists(Rollout.objects.filter(**own))
    rows = (
        _by_people(project)
        .filter(looked | Exists(Score.objects.standing().filter(**own)))
        .exclude(heard)
        .annotate(read_at=Coalesce(Subquery(first_read), Now()))
        .annotate(machine=Subquery(beliefs.values("first_error")[:1]))
        .annotate(certainty=Subquery(beliefs.values("certainty")[:1]))
        .filter(machine__isnull=False)
        .values_list("solution", "step_count", "first_error", "machine", "certainty", "audit")
    )
    return [Compared(pk, steps, people, said, sure, audit is not None) for pk, steps, people, said, sure, audit in rows]


def judged(project: Project) -> dict[str, list[Compared]]:
    """The same for each judge model alone; several votes of one judge count as what most of them say."""
    settled = {
        row[0]: row[1:] for row in _by_people(project).values_list("solution", "step_count", "first_error", "audit")
    }
    votes: dict[tuple[str, int], Counter[int]] = defaultdict(Counter)
    live = Solution.objects.live().filter(project=project)
    rows = Judgement.objects.filter(solution__in=live).order_by("pk").values_list("model", "solution", "first_error")
    for model, solution, first_error in rows.iterator():
        if solution in settled:
            votes[model, solution][first_error] += 1
    found: dict[str, list[Compared]] = defaultdict(list)
    for (model, solution), said in votes.items():
        steps, people, audit = settled[solution]
        found[model].append(Compared(solution, steps, people, said.most_common(1)[0][0], 1.0, audit is not None))
    return dict(found)


def _by_people(project: Project) -> QuerySet[Any]:
    live = Solution.objects.live().filter(project=project)
    settled = Settlement.objects.filter(solution__in=live, superseded_at=None, source__in=BY_PEOPLE)
    return settled.exclude(first_error=None).annotate(audit=F("solution__audit"))
