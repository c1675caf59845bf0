"""Start, pause, resume, cancel; how far a run is and what failed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Count, Max, QuerySet, Window
from django.db.models.functions import Left, RowNumber
from django.utils import timezone

from annotator.enqueue import enqueue
from annotator.errors import Conflict
from annotator.models import (
    LIVE_STATES,
    Endpoint,
    Person,
    Project,
    Run,
    RunItem,
    RunItemState,
    RunKind,
    Solution,
    WorkState,
    record,
)
from annotator.runs.searches import made_by
from annotator.runs.selection import check_config, check_kind, endpoint_for, kept_config, nothing, selected, skips

_MOST_REASONS: Final = 20
"""Why items of a run failed, at most; the rest is rare."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. `rate` in solutions a minute over its life, `eta_seconds` None where it cannot be told."""

    total: int
    done: int
    failed: int
    skipped: int
    rate: float
    eta_seconds: float | None

    @property
    def waiting(self) -> int:
        return self.total - self.done - self.failed - self.skipped

    @property
    def share(self) -> float:
        return 1 - self.waiting / self.total if self.total else 1.0


@dataclass(slots=True)
class FailureGroup:
    """Items of one run that failed or were skipped for one reason."""

    reason: str
    count: int
    skipped: bool
    examples: list[str] = field(default_factory=list)
    """Codes of up to three solutions."""


def start(
    project: Project,
    kind: str,
    *,
    selection: Mapping[str, Any] | None = None,
    config: Mapping[str, Any] | None = None,
    person: Person | None = None,
    seed: int = 0,
) -> Run:
    """Record a run with its selection frozen, and hand it to the workers; with nothing selected it is done at once."""
    selection, config = dict(selection or {}), dict(config or {})
    check_kind(kind)
    check_config(config)
    _check_open(project)
    endpoint = endpoint_for(project, kind)
    config = kept_config(project, kind, endpoint, config, seed)
    chosen = selected(project, kind, selection, endpoint, config)
    with transaction.atomic():
        run = Run.objects.create(
            project=project,
            kind=kind,
            endpoint=endpoint,
            config=config | {"selection": selection},
            seed=seed,
            created_by=person,
        )
        run.total = _freeze(run, chosen)
        for reason, condition in skips(project, kind).items():
            items = RunItem.objects.filter(run=run, solution__in=Solution.objects.filter(condition, project=project))
            items.update(state=RunItemState.SKIPPED, detail=reason, ended_at=timezone.now())
        if not run.total:
            run.state, run.ended_at = WorkState.DONE, timezone.now()
            run.detail = f"nothing to do: {nothing(kind, selection)}"
        run.save(update_fields=["total", "state", "detail", "ended_at"])
        record("run.started", project=project, actor=person, subject=run.code, kind_of_run=kind, total=run.total)
        if run.total:
            enqueue("advance_run", run.pk)
    return run


def _check_open(project: Project) -> None:
    if project.archived_at is not None:
        raise Conflict(f"{project} is archived")


def _freeze(run: Run, rows: QuerySet[Solution]) -> int:
    """Copy the selection into run items inside the database; returns how many."""
    sql, parameters = rows.values_list("pk", flat=True).query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO annotator_runitem (run_id, solution_id, state, detail) "  # noqa: S608 - the ORM wrote `sql`
            f"SELECT %s, chosen.pk, 'waiting', '' FROM ({sql}) AS chosen (pk) ORDER BY chosen.pk",
            (run.pk, *parameters),
        )
        return int(cursor.rowcount)


def _move(run: Run, old: tuple[str, ...], new: str, detail: str, person: Person | None) -> Run:
    """Compare and set: somebody else, or the run's own end, may have been first."""
    ended = timezone.now() if new in (WorkState.CANCELLED, WorkState.FAILED) else None
    moved = Run.objects.filter(pk=run.pk, state__in=old).update(state=new, detail=detail, ended_at=ended)
    run.refresh_from_db()
    if not moved:
        raise Conflict(f"the run is {run.state}")
    record(f"run.{new}", project=run.project, actor=person, subject=run.code, detail=detail)
    return run


def pause(run: Run, person: Person | None = None, detail: str = "paused by hand") -> Run:
    """What is in flight is finished and stored; nothing new is asked; what was begun is decided on."""
    with transaction.atomic():
        _move(run, LIVE_STATES, WorkState.PAUSED, detail, person)
        enqueue("advance_run", run.pk)
    return run


def cancel(run: Run, person: Person | None = None) -> Run:
    """As `pause`, for good. What was stored stays, and counts; what is waiting will be skipped."""
    with transaction.atomic():
        _move(run, (*LIVE_STATES, WorkState.PAUSED), WorkState.CANCELLED, "cancelled by hand", person)
        enqueue("advance_run", run.pk)
    return run


def resume(run: Run, person: Person | None = None) -> Run:
    """Go on with what is waiting, and with what failed. Raises Conflict where the project is archived."""
    _check_open(run.project)
    with transaction.atomic():
        _move(run, (WorkState.PAUSED, WorkState.FAILED, WorkState.DONE), WorkState.QUEUED, "", person)
        failed = RunItem.objects.filter(run=run, state=RunItemState.FAILED)
        failed.update(state=RunItemState.WAITING, detail="")
        enqueue("advance_run", run.pk)
    return run


def progress(run: Run) -> Progress:
    return progress_of([run])[run.pk]


def progress_of(runs: Sequence[Run]) -> dict[int, Progress]:
    """Of many runs, by their pk; one query."""
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    rows = RunItem.objects.filter(run__in=runs).values_list("run", "state").annotate(n=Count("pk")).order_by()
    for pk, state, number in rows:
        counts[pk][state] = number
    return {run.pk: _progress(run, counts[run.pk]) for run in runs}


def _progress(run: Run, counts: Counter[str]) -> Progress:
    done, failed = counts[RunItemState.DONE], counts[RunItemState.FAILED]
    waiting = counts[RunItemState.WAITING]
    rate, eta = 0.0, None
    if run.started_at is not None and done + failed:
        minutes = max(((run.ended_at or timezone.now()) - run.started_at) / timedelta(minutes=1), 1 / 60)
        rate = (done + failed) / minutes
        eta = waiting / rate * 60 if run.state in LIVE_STATES else None
    return Progress(counts.total(), done, failed, counts[RunItemState.SKIPPED], rate, eta)


def outcome(run: Run) -> Counter[str]:
    """What has become of the solutions that the run is done with, or has made: how many stand in each status now."""
    if run.kind == RunKind.SEARCH:
        live = made_by(run)
    else:
        live = Solution.objects.live().filter(run_items__run=run, run_items__state=RunItemState.DONE)
    return Counter(dict(live.values_list("status").annotate(Count("pk")).order_by()))


def failures(run: Run) -> list[FailureGroup]:
    """Failed and skipped items by reason, most frequent first, with examples.

    Reasons are one when they begin alike: what follows quotes the one reply that was at fault.
    """
    return failures_of([run])[run.pk]


def failures_of(runs: Sequence[Run]) -> dict[int, list[FailureGroup]]:
    """Of many runs, by their pk; two queries."""
    ended = RunItem.objects.filter(run__in=runs, state__in=(RunItemState.FAILED, RunItemState.SKIPPED))
    ended = ended.annotate(beginning=Left("detail", 60))
    kind = ("run_id", "beginning", "state")
    number = Window(RowNumber(), partition_by=[*kind], order_by="pk")
    examples: dict[tuple[int, str, str], list[str]] = defaultdict(list)
    first = ended.annotate(number=number).filter(number__lte=3).order_by("pk")
    for pk, beginning, state, code in first.values_list(*kind, "solution__code"):
        examples[pk, beginning, state].append(code)
    found: dict[int, list[FailureGroup]] = {run.pk: [] for run in runs}
    groups = ended.values(*kind).annotate(n=Count("pk"), whole=Max("detail")).order_by("-n", "beginning")
    for each in groups:
        of_run = found[each["run_id"]]
        if len(of_run) < _MOST_REASONS:
            shown = examples[each["run_id"], each["beginning"], each["state"]]
            of_run.append(FailureGroup(each["whole"], each["n"], each["state"] == RunItemState.SKIPPED, shown))
    return found


def ask_test(endpoint: Endpoint) -> None:
    """Have a worker ask this endpoint one small question; the answer lands in `endpoint.test_*`."""
    Endpoint.objects.filter(pk=endpoint.pk).update(
        test_asked_at=timezone.now(), test_answered_at=None, test_ok=None, test_answer=""
    )
    enqueue("test_endpoint", endpoint.pk)
