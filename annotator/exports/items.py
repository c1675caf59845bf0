"""The solutions of a snapshot with what was settled of them: in order, in batches, as they stood at its cutoff."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any, Final

from django.db.models import F, Q, QuerySet

from annotator.exports.choices import MIN_SOURCES
from annotator.exports.looks import Looks, looks_of
from annotator.models import ImportedAnnotation, Label, OwnGrade, Project, Settlement, Solution, StandIn, Step
from annotator.models.problems import KEPT
from reasoning.characters import unescape

BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Majority:
    """What stood in for a reference answer. Text is unescaped."""

    answer: str
    votes: int
    total: int
    models: Sequence[str]


@dataclass(frozen=True, slots=True)
class Settled:
    """What stood of one solution at the cutoff."""

    source: str
    provisional: bool
    first_error: int | None
    finish_reason: str
    simulated: bool
    labels: Mapping[int, int]
    """Value by step."""
    majority: Majority | None = None
    """What the labels rest on in place of a reference answer."""

    @property
    def rank(self) -> int:
        """Strength of the source; see MIN_SOURCES."""
        return MIN_SOURCES.index("provisional" if self.provisional else self.source)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two ways to go on after the first `prefix` steps. Text is unescaped."""

    prefix: int
    chosen: str
    rejected: str
    rest: str = ""
    """A right continuation that begins with the chosen step, whole; empty where none is known."""


@dataclass(frozen=True, slots=True)
class Item:
    """One solution. Text is unescaped, and empty where only the labels were asked for."""

    pk: int
    code: str
    step_count: int
    settled: Settled | None
    problem: str = ""
    answer: str | None = None
    source: str = ""
    source_id: str | None = None
    generator: str = ""
    text: str = ""
    spans: Sequence[tuple[int, int]] = ()
    own_verdict: bool | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)
    kept: Mapping[str, Any] = field(default_factory=dict)
    annotators: Mapping[str, Any] = field(default_factory=dict)
    """What other tools' annotators said; with the looks, also this project's."""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    """With the looks: what machines said."""
    own_answer: str | None = None
    pair: Pair | None = None
    """In formats of pairs: the one that this row is of; its solution is then the one of the rejected step."""

    @property
    def steps(self) -> list[str]:
        return [self.text[start:end] for start, end in self.spans]


def at(cutoff: datetime) -> Q:
    """Rows that stood at the cutoff, of tables that supersede."""
    return Q(created_at__lte=cutoff) & (Q(superseded_at=None) | Q(superseded_at__gt=cutoff))


def solutions_of(project: Project, cutoff: datetime) -> QuerySet[Solution]:
    """Solutions that were there and live at the cutoff."""
    there = Solution.objects.filter(project=project, created_at__lte=cutoff)
    live = Q(withdrawn_at=None) | Q(withdrawn_at__gt=cutoff)
    return there.filter(live, Q(superseded_by=None) | Q(superseded_by__created_at__gt=cutoff)).order_by("pk")


def items(
    project: Project, cutoff: datetime, *, texts: bool, looks: bool = False, only: Collection[int] | None = None
) -> Iterator[Item]:
    """All of them, or `only` these, by the order in which they came; with their texts (and what was said of them), or
    with what is settled alone.
    """
    rows = solutions_of(project, cutoff)
    rows = rows if only is None else rows.filter(pk__in=only)
    rows = rows.select_related("problem") if texts else rows.only("pk", "code", "step_count")
    last = 0
    while batch := list(rows.filter(pk__gt=last)[:BATCH]):
        last = batch[-1].pk
        settled = _settled([solution.pk for solution in batch], cutoff)
        if texts:
            yield from _full(batch, settled, cutoff, looks_of(batch, cutoff) if looks else {})
        else:
            yield from (Item(row.pk, row.code, row.step_count, settled.get(row.pk)) for row in batch)


def _settled(pks: Sequence[int], cutoff: datetime) -> dict[int, Settled]:
    columns = ("solution_id", "pk", "source", "provisional", "first_error", "finish_reason", "simulated")
    stood = Settlement.objects.filter(at(cutoff), solution__in=pks)
    settlements = list(stood.values_list(*columns))
    majorities = _majorities(stood)
    labels: dict[int, dict[int, int]] = defaultdict(dict)
    # Labels stand and fall with their settlement, but are written a moment after it.
    rows = Label.objects.filter(settlement__in=[row[1] for row in settlements])
    for settlement, index, value in rows.order_by("settlement_id", "index").values_list("settlement", "index", "value"):
        labels[settlement][index] = value
    return {
        solution: Settled(source, provisional, first_error, finish_reason, simulated, labels[pk], majorities.get(pk))
        for solution, pk, source, provisional, first_error, finish_reason, simulated in settlements
    }


def _majorities(settlements: QuerySet[Settlement]) -> dict[int, Majority]:
    """By settlement, of those that rest on one."""
    marked = dict(settlements.filter(stand_in__isnull=False).values_list("pk", "stand_in"))
    found = StandIn.objects.in_bulk(set(marked.values()))
    return {pk: majority for pk, stand_in in marked.items() if (majority := majority_of(found[stand_in]))}


def majority_of(elected: StandIn | None) -> Majority | None:
    """What stood in, as it is shown."""
    if elected is None:
        return None
    return Majority(unescape(elected.answer), elected.votes, elected.total, elected.drawn_by)


def _full(
    batch: Sequence[Solution], settled: Mapping[int, Settled], cutoff: datetime, looks: Mapping[int, Looks]
) -> Iterator[Item]:
    pks = [solution.pk for solution in batch]
    spans: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for pk, start, end in (
        Step.objects.filter(solution__in=pks)
        .order_by("solution_id", "index")
        .values_list("solution_id", "start", "end")
    ):
        spans[pk].append((start, end))
    verdicts = _own_verdicts(pks, cutoff)
    annotators: dict[int, dict[str, Any]] = defaultdict(dict)
    for given in ImportedAnnotation.objects.filter(solution__in=pks).order_by("pk"):
        annotators[given.solution_id][unescape(given.key)] = unescape_json(given.data)
    for solution in batch:
        meta = unescape_json(solution.meta)
        kept = meta.pop(KEPT, {})
        problem = solution.problem
        said = looks.get(solution.pk, Looks())
        yield Item(
            pk=solution.pk,
            code=solution.code,
            step_count=solution.step_count,
            settled=settled.get(solution.pk),
            problem=kept.get("problem", unescape(problem.statement)),
            answer=None if problem.answer is None else unescape(problem.answer),
            source=unescape(solution.source),
            source_id=None if solution.source_id is None else unescape(solution.source_id),
            generator=unescape(solution.generator),
            text=unescape(solution.text),
            spans=spans[solution.pk],
            own_verdict=verdicts.get(solution.pk),
            meta=meta,
            kept=kept,
            annotators=_beside(annotators[solution.pk], said.annotators),
            evidence=said.evidence,
            own_answer=None if solution.own_answer is None else unescape(solution.own_answer),
        )


def _beside(annotators: Mapping[str, Any], people: Mapping[str, Any]) -> dict[str, Any]:
    """Both. A person's code may stand in a file already, where it came from here."""
    found = dict(annotators)
    for code, said in people.items():
        key = next(key for number in count(1) if (key := code if number == 1 else f"{code} {number}") not in found)
        found[key] = said
    return found


def _own_verdicts(pks: Sequence[int], cutoff: datetime) -> dict[int, bool]:
    """Is the final answer right: by the file that it came in, else by the latest grade against the present reference
    answer, else by the latest that could tell.

    No majority answer can: whoever reads the file would take it for the reference.
    """
    grades = OwnGrade.objects.filter(solution__in=pks, created_at__lte=cutoff, verdict__in=("right", "wrong"))
    grades = grades.filter(stand_in=None).alias(current=Q(reference=F("solution__problem__answer")))
    found: dict[int, bool] = {}
    told: set[int] = set()
    best_last = grades.order_by(F("current").asc(nulls_first=True), "pk")
    for pk, grader, verdict in best_last.values_list("solution_id", "grader", "verdict"):
        if pk not in told:
            found[pk] = verdict == "right"
        if grader == "imported":
            told.add(pk)
    return found


def unescape_json(value: Any) -> Any:
    """A stored JSON value with every text in it as it came."""
    if isinstance(value, str):
        return unescape(value)
    if isinstance(value, dict):
        return {unescape(key): unescape_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [unescape_json(item) for item in value]
    return value
