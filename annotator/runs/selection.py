"""Which solutions a run means, which endpoint it asks, and which of them get no look and why."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from annotator import examples
from annotator.errors import Invalid, Unusable
from annotator.models import Endpoint, Project, Rollout, Run, RunKind, Score, Solution, SolutionStatus, Spend
from annotator.models.projects import MOST_EXAMPLES
from annotator.runs import searches
from annotator.stand_ins import NO_ANSWER
from annotator.votes import votes_of

ONE_STEP: Final = "it has a single step: no prefix to roll out"
_LARGEST: Final = 10**9


def endpoint_for(project: Project, kind: str) -> Endpoint | None:
    """The endpoint that a run of this kind asks; None for routing, which asks nobody. Unusable where none is set."""
    if kind == RunKind.ROUTE:
        return None
    if kind == RunKind.SCORE:
        scorer = Endpoint.objects.filter(kind="scorer").first()
        if scorer is None:
            raise Unusable("no scorer: add an endpoint of the kind scorer first")
        return scorer
    endpoint = project.judge if kind == RunKind.JUDGE else project.completer
    if endpoint is None:
        role = "judge" if kind == RunKind.JUDGE else "completer"
        raise Unusable(f"{project} has no {role}: choose an endpoint in its settings")
    return endpoint


def kept_config(
    project: Project, kind: str, endpoint: Endpoint | None, config: Mapping[str, Any], seed: int
) -> dict[str, Any]:
    """The config that a run keeps: what was asked for, and what is settled for all of its life when it starts."""
    kept = dict(config)
    if endpoint is not None:
        kept["model"] = endpoint.model
        if kind == RunKind.JUDGE:
            kept |= examples.frozen(project, endpoint, config, seed)
    return kept


def selected(
    project: Project, kind: str, selection: Mapping[str, Any], endpoint: Endpoint | None, config: Mapping[str, Any]
) -> QuerySet[Solution]:
    """The solutions that a selection means. Invalid names a key that is unknown or has a bad value."""
    _check_selection(selection)
    rows: QuerySet[Solution] = Solution.objects.live().filter(project=project)
    if status := selection.get("status"):
        rows = rows.filter(status=status)
    if selection.get("decided"):
        rows = rows.filter(status__in=(SolutionStatus.QUEUED, SolutionStatus.MACHINE))
    if codes := selection.get("ids"):
        rows = rows.filter(code__in=codes)
    if intake := selection.get("intake"):
        rows = rows.filter(intake__code=intake)
    if kind == RunKind.SEARCH:
        rows = searches.problems_of(rows)
    if not selection.get("again") and not selection.get("ids"):
        rows = _lacking(rows, project, kind, endpoint, config)
    rows = rows.order_by("pk")
    if limit := selection.get("limit"):
        rows = rows[:limit]
    return rows


def nothing(kind: str, selection: Mapping[str, Any]) -> str:
    """Why a run has nothing to do where `selected` finds nothing, in words."""
    unit = searches.unit_of(kind).removesuffix("s")
    if kind == RunKind.ROUTE or selection.get("again") or selection.get("ids"):
        return f"no {unit} is selected"
    lacking = "is still to be searched" if kind == RunKind.SEARCH else "lacks this evidence"
    return f"no {unit} that is selected {lacking}"


def _check_selection(selection: Mapping[str, Any]) -> None:
    known = {"status", "decided", "ids", "intake", "limit", "again"}
    if unknown := sorted(set(selection) - known):
        raise Invalid(f"selection.{unknown[0]}", f"is not one of {', '.join(sorted(known))}")
    if (status := selection.get("status")) and status not in SolutionStatus.values:
        raise Invalid("selection.status", f"{status!r} is not one of {', '.join(SolutionStatus.values)}")
    limit = selection.get("limit")
    if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= _LARGEST):
        raise Invalid("selection.limit", f"must be a whole number from 1 to {_LARGEST:,}")
    codes = selection.get("ids")
    if codes is not None and not (isinstance(codes, list) and all(_is_code(code) for code in codes)):
        raise Invalid("selection.ids", "must be a list of solution codes")
    if (intake := selection.get("intake")) is not None and not _is_code(intake):
        raise Invalid("selection.intake", "must be an intake's code")
    for name in ("again", "decided"):
        if not isinstance(selection.get(name, False), bool):
            raise Invalid(f"selection.{name}", "must be true or false")


def _is_code(value: object) -> bool:
    """Could it be one? PostgreSQL cannot be asked for a text with NUL or lone surrogates."""
    return isinstance(value, str) and value.isascii() and "\0" not in value


def _lacking(
    rows: QuerySet[Solution], project: Project, kind: str, endpoint: Endpoint | None, config: Mapping[str, Any]
) -> QuerySet[Solution]:
    """Without a selection a run means the solutions that lack its evidence: votes that are still wanted of this very
    judge, or any rollout or score of this model.
    """
    if kind == RunKind.ROUTE or endpoint is None:
        return rows
    if kind == RunKind.SEARCH:
        return searches.unsearched(rows, endpoint)
    if kind == RunKind.JUDGE:
        votes = votes_of(project, endpoint, config)
        there = (
            votes.shown_whatever()
            .filter(solution__project=project)
            .values("solution")
            .annotate(n=Count("sample", distinct=True))
        )
        return rows.exclude(pk__in=there.filter(n__gte=votes.wanted).values("solution"))
    table: dict[str, QuerySet[Any]] = {
        RunKind.ROLLOUTS: Rollout.objects.all(),
        RunKind.SCORE: Score.objects.standing(),
    }
    # A reply may name its model otherwise than it was asked for; runs of old did not keep what they asked for.
    asked = Run.objects.filter(Q(config__model=endpoint.model) | ~Q(config__has_key="model"), endpoint=endpoint)
    own = table[kind].filter(Q(run__in=asked) | Q(model=endpoint.model), solution=OuterRef("pk"))
    if kind == RunKind.ROLLOUTS:
        own = own.filter(prefix__gt=0)  # a whole solution, drawn to elect a stand-in, says nothing of the steps
    return rows.filter(~Exists(own))


def skips(project: Project, kind: str) -> dict[str, Q]:
    """Why solutions of a selection get no look, by reason. Who wants stand-ins learns of the others in the run."""
    if kind not in (RunKind.ROLLOUTS, RunKind.SEARCH):
        return {}
    unanswered = {} if project.stand_ins else {NO_ANSWER: Q(problem__answer=None)}
    if kind == RunKind.SEARCH:
        return unanswered
    short = Q(step_count=1)
    return unanswered | {ONE_STEP: short & Q(problem__answer__isnull=False) if unanswered else short}


def check_kind(kind: str) -> None:
    if kind not in RunKind.values:
        raise Invalid("kind", f"{kind!r} is not one of {', '.join(RunKind.values)}")


def check_config(config: Mapping[str, Any]) -> None:
    limits: dict[str, tuple[type, float, float]] = {
        "votes": (int, 1, 32),
        "examples": (int, 0, MOST_EXAMPLES),
        "temperature": (float, 0, 2),
        "price": (float, 0, 1),
        "cap": (int, 1, 100_000),
        "max_tokens": (int, 1, 1_000_000),
        **searches.LIMITS,
    }
    for key, value in config.items():
        if key == "spend":
            if value not in Spend.values:
                raise Invalid("config.spend", f"is not one of {', '.join(Spend.values)}")
            continue
        if key not in limits:
            raise Invalid(f"config.{key}", f"is not one of spend, {', '.join(limits)}")
        kind, low, high = limits[key]
        number = isinstance(value, int if kind is int else (int, float)) and not isinstance(value, bool)
        if not (number and math.isfinite(value) and low <= value <= high):
            raise Invalid(f"config.{key}", f"must be a number from {low:g} to {high:g}")
