"""The posterior's few parameters, fitted to a project's own evidence: asked for, carried out, put in force.

One fit of a project at a time; a worker holds it while it computes, and a killed worker's is found by the sweep. What
is in force stays so until the next one is done. A fit that finds too little, or that does worse on the solutions held
out, puts the defaults in force and says why.

A project is fitted on what its labels were settled from. That is no circle: what people settled is not decided again,
and what machines labelled is never a label here.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from statistics import fmean, stdev
from time import sleep
from typing import TYPE_CHECKING, Any, Final

import structlog
from django.db import connection, transaction
from django.db.models import DateTimeField, Exists, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from annotator import beliefs, grounds
from annotator.enqueue import enqueue
from annotator.errors import Conflict
from annotator.grounds import Grounds
from annotator.models import LIVE_STATES, Annotation, Fit, Intake, Person, Project, Run, RunKind, WorkState, record

if TYPE_CHECKING:
    from reasoning.first_error import Parameters

log = structlog.get_logger(__name__)

FEWEST: Final = 50
"""Solutions with rollouts, a reading or a label. With fewer, nothing but judges has spoken of the rest, and how often a
judge is right cannot be told from how often there is an error."""
FEWEST_SAID: Final = 20
"""Solutions whose first error people agree on, for the weights of repeated votes and of scores to be chosen by them."""
HOLD_SECONDS: Final = 60.0
"""A killed worker's fit is handed on after this long."""
_RENEW_EVERY: Final = 15.0
_GROWN: Final = 1.5
_GROWN_BY: Final = 25
"""Evidence has grown enough for another fit when there is half as much again, and so many solutions more."""


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a fit. Log-likelihoods are in nats a solution held out; None where none was."""

    fell_back: bool
    reason: str
    solutions: int
    """That carry any evidence and were used."""
    firm: int
    """Of them, with rollouts, a reading or a label."""
    told: int
    """Of them, that people told of: blind readings and labels."""
    labels: int
    left_out: int
    """Solutions beyond the most that a fit uses."""
    held_out: int
    log_likelihood: float | None
    log_likelihood_before: float | None
    """Of the defaults."""
    standard_error: float | None
    """Of the difference."""
    said: int
    """Solutions whose first error people agree on."""
    log_score: float | None
    """Mean log P(the first error that they name), given what machines say and these parameters. Not held out."""
    log_score_before: float | None
    """With the defaults."""
    defaults: dict[str, Any]
    """The parameters that every fit starts from."""


def request(project: Project, person: Person | None = None) -> Fit:
    """A fit of this project: the one under way, else a new one. Raises Conflict where the project is archived."""
    rolled, told = grounds.counts(project)
    with transaction.atomic():
        held = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
        if held.archived_at is not None:
            raise Conflict(f"{project} is archived")
        fit = Fit.objects.filter(project=project, state__in=LIVE_STATES).first()
        if fit is None:
            fit = Fit.objects.create(project=project, looked=rolled, told=told, created_by=person)
            record("fit.asked", project=project, actor=person, subject=fit.code)
            enqueue("fit_project", fit.pk)
    return fit


def due() -> list[Project]:
    """Projects whose evidence has grown enough since their last fit, none of whose runs still adds to it."""
    last = Fit.objects.filter(project=OuterRef("pk")).order_by("-pk").values("created_at")[:1]
    never = Value(timezone.now().replace(year=1970), output_field=DateTimeField())
    projects = Project.objects.filter(archived_at=None).annotate(last_fit=Coalesce(Subquery(last), never))
    mine, since = {"project": OuterRef("pk")}, OuterRef("last_fit")
    looked = Exists(Run.objects.filter(**mine, ended_at__gt=since).exclude(kind=RunKind.ROUTE))
    read = Exists(Annotation.objects.filter(solution__project=OuterRef("pk"), created_at__gt=since))
    loaded = Exists(Intake.objects.filter(**mine, ended_at__gt=since))
    running = Exists(Run.objects.filter(**mine, state__in=LIVE_STATES))
    fitting = Exists(Fit.objects.filter(**mine, state__in=LIVE_STATES))
    quiet = projects.filter(looked | read | loaded).exclude(running | fitting)
    return [project for project in quiet if _has_grown(project)]


def _has_grown(project: Project) -> bool:
    last = Fit.objects.filter(project=project).first()
    before = (last.looked, last.told) if last else (0, 0)
    pairs = list(zip(grounds.counts(project), before, strict=True))
    grown = any(now >= max(then * _GROWN, then + _GROWN_BY) for now, then in pairs)
    return grown and max(now for now, _ in pairs) >= FEWEST


def make(project: Project, person: Person | None, decide_again: Callable[[Project], object]) -> Fit:
    """What `request` gives, carried out before this returns. Raises Conflict where the project is archived."""
    fit = request(project, person)
    while (fit := carry_out(fit.pk, decide_again)).state in LIVE_STATES:
        sleep(0.5)  # a worker is at it
    return fit


def carry_out(fit_id: int, decide_again: Callable[[Project], object]) -> Fit:
    """Compute a fit and put it in force. Does nothing where it is done, or somebody is at it.

    `decide_again` is called, in the same transaction, where the parameters in force have changed.
    """
    fit = Fit.objects.select_related("project").get(pk=fit_id)
    if not fit.hold(HOLD_SECONDS):
        return fit
    try:
        fit.held_rows.update(state=WorkState.RUNNING, started_at=Coalesce("started_at", timezone.now()))
        with _kept(fit):
            parameters, report = fitted(grounds.gather(fit.project))
        _put_in_force(fit, parameters, report, decide_again)
    finally:
        fit.let_go()
    fit.refresh_from_db()
    return fit


@contextmanager
def _kept(fit: Fit) -> Iterator[None]:
    """Renew the hold beside the computation, which takes minutes and never pauses."""
    ended = threading.Event()

    def renew() -> None:
        try:
            while not ended.wait(_RENEW_EVERY) and fit.hold(HOLD_SECONDS):
                pass
        finally:
            connection.close()

    beside = threading.Thread(target=renew, name=f"hold of fit {fit.pk}", daemon=True)
    beside.start()
    try:
        yield
    finally:
        ended.set()
        beside.join()


def fitted(found: Grounds) -> tuple[Parameters, Report]:
    """Parameters of these grounds, or the defaults; and how that came."""
    from reasoning.first_error import DEFAULTS
    from reasoning.first_error.confusion import fit_weights
    from reasoning.first_error.fit import fit

    report = _report(found, DEFAULTS.to_json())
    if found.firm < FEWEST:
        reason = f"{found.firm} solutions with rollouts, a blind reading or a label; {FEWEST} are needed"
        return DEFAULTS, replace(report, reason=reason)
    result = fit(found.evidence, found.labels, problems=found.problems)
    report = replace(
        report,
        fell_back=result.fell_back,
        reason=result.reason,
        held_out=result.held_out,
        log_likelihood=_number(result.log_likelihood),
        log_likelihood_before=_number(result.log_likelihood_before),
        standard_error=_number(result.standard_error),
    )
    if result.fell_back or report.said < FEWEST_SAID:
        return result.parameters, report
    parameters = fit_weights(found.heard, found.said, result.parameters)
    before, after = (_log_scores(found, each) for each in (DEFAULTS, parameters))
    report = replace(report, log_score=fmean(after), log_score_before=fmean(before))
    gains = [new - old for new, old in zip(after, before, strict=True)]
    if fmean(gains) < -2.0 * stdev(gains) / math.sqrt(len(gains)):
        # It explains the evidence better and the first errors worse: these solutions were not drawn as it assumes.
        return DEFAULTS, replace(report, fell_back=True, reason="worse than the defaults at what people said")
    return parameters, report


def _report(found: Grounds, defaults: dict[str, Any]) -> Report:
    return Report(
        fell_back=True,
        reason="",
        solutions=len(found.evidence),
        firm=found.firm,
        told=found.told,
        labels=sum(label is not None for label in found.labels),
        left_out=found.left_out,
        held_out=0,
        log_likelihood=None,
        log_likelihood_before=None,
        standard_error=None,
        said=sum(first is not None for first in found.said),
        log_score=None,
        log_score_before=None,
        defaults=defaults,
    )


def _log_scores(found: Grounds, parameters: Parameters) -> list[float]:
    """Log P(the first error that people name) of every solution that they agree on, by what machines say of it."""
    from reasoning.first_error import posteriors

    known = [number for number, first in enumerate(found.said) if first is not None]
    evidence, problems = [found.heard[n] for n in known], [found.problems[n] for n in known]
    said = [first for first in found.said if first is not None]
    pairs = zip(posteriors(evidence, parameters, problems), said, strict=True)
    return [math.log(max(each.probabilities[first], 1e-6)) for each, first in pairs]  # −1, none, is the last


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


@transaction.atomic
def _put_in_force(fit: Fit, parameters: Parameters, report: Report, decide_again: Callable[[Project], object]) -> None:
    """Supersede what was in force, unless the fit was taken over meanwhile."""
    now = timezone.now()
    if not fit.held_rows.update(ended_at=now):
        log.info("fit_overtaken", fit=fit.code)
        return
    before = beliefs.parameters_of(fit.project)
    Fit.objects.filter(project=fit.project, state=WorkState.DONE, superseded_at=None).update(superseded_at=now)
    fit.held_rows.update(state=WorkState.DONE, parameters=parameters.to_json(), report=asdict(report))
    record("fit.done", project=fit.project, actor=fit.created_by, subject=fit.code, **_told(report))
    if parameters != before:
        decide_again(fit.project)


def _told(report: Report) -> dict[str, Any]:
    return {"solutions": report.solutions, "fell_back": report.fell_back, "reason": report.reason}
