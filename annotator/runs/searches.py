"""What is particular to search runs: their items are problems, and what they yield are solutions and pairs of steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum

from annotator.models import (
    Endpoint,
    Preference,
    Rollout,
    Run,
    RunItem,
    RunItemState,
    RunKind,
    Selection,
    Solution,
    WorkState,
)
from annotator.models.problems import SolutionQuerySet

LIMITS: Final[dict[str, tuple[type, float, float]]] = {
    "selections": (int, 1, 10_000),
    "rollouts": (int, 1, 100_000),
    "root_rollouts": (int, 0, 1_000),
    "alpha": (float, 1e-3, 1),
    "beta": (float, 1e-3, 1),
    "length": (float, 1, 1e6),
    "explore": (float, 0, 100),
    "sound": (float, 0, 1),
    "mass": (float, 0, 1),
}
"""Of a search's configuration; the symbols of selection are OmegaPRM's (Luo et al. 2024), `length` is its L."""
DEFAULTS: Final[dict[str, float]] = {
    "selections": 8,
    "rollouts": 200,
    "root_rollouts": 8,
    "alpha": 0.5,
    "beta": 0.9,
    "length": 500,
    "explore": 0.125,
    "sound": 0.5,
    "mass": 0.5,
}
"""Those of `reasoning.search`, which the web process does not load."""
LOOK: Final = 12.0
"""Rollouts assumed to find the first error of one selected solution, until a run of the project shows better."""


def unit_of(kind: str) -> str:
    """What the items of a run are, in words."""
    return "problems" if kind == RunKind.SEARCH else "solutions"


def problems_of(rows: QuerySet[Solution]) -> QuerySet[Solution]:
    """The problems that these solutions are of, each by its oldest live solution."""
    live = Solution.objects.live()
    older = live.filter(problem=OuterRef("problem"), pk__lt=OuterRef("pk"))
    return live.filter(~Exists(older), problem__in=rows.values("problem"))


def unsearched(rows: QuerySet[Solution], endpoint: Endpoint) -> QuerySet[Solution]:
    """Without the problems that a search has looked into with this model, or is about to."""
    looked = RunItem.objects.filter(
        Q(run__config__model=endpoint.model) | ~Q(run__config__has_key="model"),
        run__kind=RunKind.SEARCH,
        run__endpoint=endpoint,
        state__in=(RunItemState.DONE, RunItemState.WAITING),
        solution__problem=OuterRef("problem"),
    )
    return rows.filter(~Exists(looked.exclude(run__state=WorkState.CANCELLED, state=RunItemState.WAITING)))


def rollouts_a_problem(project_id: int, config: Mapping[str, Any]) -> tuple[float, bool]:
    """How many rollouts a problem takes, and whether earlier searches of the project say so."""
    limit = float(config.get("rollouts", DEFAULTS["rollouts"]))
    earlier = Run.objects.filter(project=project_id, kind=RunKind.SEARCH, rollouts__gt=0)
    drawn = earlier.aggregate(n=Sum("rollouts", default=0))["n"]
    # What elects stand-ins is counted apart.
    drawn -= Rollout.objects.filter(run__in=earlier, prefix=0, solution__problem__answer=None).count()
    through = RunItem.objects.filter(run__in=earlier, state__in=(RunItemState.DONE, RunItemState.FAILED)).count()
    if through:
        return min(drawn / through, limit), True
    wanted = {name: int(config.get(name, DEFAULTS[name])) for name in ("root_rollouts", "selections")}
    return min(wanted["root_rollouts"] + wanted["selections"] * LOOK, limit), False


@dataclass(frozen=True, slots=True)
class Yield:
    """What a search run came to."""

    selections: int
    solutions: int
    """New ones that are still there."""
    preferences: int
    """Those that `preferences_of` shows."""


def yielded(run: Run) -> Yield:
    return yielded_of([run])[run.pk]


def yielded_of(runs: Sequence[Run]) -> dict[int, Yield]:
    """Of many search runs, by their pk; three queries."""
    selections = Selection.objects.filter(run__in=runs)
    made = selections.filter(
        rollout__isnull=False,
        solution__forked_from__isnull=False,
        solution__withdrawn_at=None,
        solution__superseded_by=None,
    )
    pairs = Preference.objects.in_force().filter(run__in=runs)
    pairs = pairs.filter(solution__withdrawn_at=None, solution__superseded_by=None)
    counts = [
        dict(rows.order_by().values_list("run").annotate(Count(what, distinct=True)))
        for rows, what in ((selections, "pk"), (made, "solution"), (pairs, "pk"))
    ]
    return {run.pk: Yield(*(each.get(run.pk, 0) for each in counts)) for run in runs}


def made_by(run: Run) -> SolutionQuerySet:
    """The new solutions of a search that are still there."""
    made = run.selections.filter(rollout__isnull=False)
    return Solution.objects.live().filter(pk__in=made.values("solution"), forked_from__isnull=False)


def preferences_of(project_id: int) -> QuerySet[Preference]:
    """A project's pairs of steps, newest first, without those of solutions that were withdrawn or whose majority answer
    no longer counts.
    """
    rows = Preference.objects.in_force().filter(problem__project=project_id)
    return rows.filter(solution__withdrawn_at=None, solution__superseded_by=None).order_by("-pk")
