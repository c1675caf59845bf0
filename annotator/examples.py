"""Solutions that people settled, shown to a judge before it is asked.

What a judge is shown belongs to its prompt, and judges are known by model and prompt: other examples make another
judge. So they are drawn once, when a run starts, and kept in its config: a run that is resumed asks the same, whatever
has become of labels and reference answers meanwhile. The next run of the same endpoint, number and seed takes them over
for as long as they all stand, so that one judge speaks in all of them.

Drawn are solutions settled by people without sight of evidence: never an audit, for certificates are judged by those,
nothing withdrawn, nothing longer than `LONGEST`. They are of different problems, with and without an error in turn; the
errors are taken from early, middle and late steps in turn, first those that somebody gave a reason for. Where the kind
whose turn it is has run out they end: a judge that is shown errors alone looks for errors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypedDict

from django.db.models import Exists, F, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import MD5, Coalesce, Concat, Length

from annotator.beliefs import solution_value
from annotator.models import (
    Annotation,
    Endpoint,
    Label,
    Project,
    Purpose,
    Rating,
    Run,
    RunKind,
    Settlement,
    Solution,
    Source,
)
from annotator.opinions import BAD
from reasoning.characters import unescape
from reasoning.statements import normalised
from reasoning.types import NO_ERROR
from reasoning.types import Solution as SolutionValue

if TYPE_CHECKING:
    from reasoning.evidence.judge_prompt import Example

LONGEST: Final = 3_500
"""Characters of one example: problem, reference answer and solution. About 1,000 tokens."""
_LONGEST_REASON: Final = 500
_POOL: Final = 200
"""Candidates of a kind that are looked at: enough to find some of different problems."""
_THIRDS: Final = 3


class Shown(TypedDict):
    """One example as a run's config keeps it, texts escaped as everywhere. Statement and steps never change."""

    solution: str
    answer: str | None
    """The reference answer as it was then: it may be corrected, and would be another prompt."""
    first_error: int
    neutral: list[int]
    reason: str


def wanted(project: Project, config: Mapping[str, Any]) -> int:
    """How many examples a judge run with this config is to show."""
    return int(config.get("examples", project.judge_examples))


def frozen(project: Project, endpoint: Endpoint, config: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """What a judge run that starts now keeps in its config: `examples`, the number wanted, and `shown`, those found."""
    count = wanted(project, config)
    return {"examples": count, "shown": _chosen(project, endpoint, count, seed)} if count else {}


def values(config: Mapping[str, Any]) -> tuple[Example, ...]:
    """The examples that a run's config keeps, for its judge."""
    # The web process asks nobody: it learns what a prompt is when it first has to count.
    from reasoning.evidence.judge_prompt import Example

    shown: Sequence[Shown] = config.get("shown", ())
    rows = Solution.objects.filter(code__in=[each["solution"] for each in shown])
    found = {row.code: row for row in rows.select_related("problem").prefetch_related("step_rows")}
    return tuple(
        Example(
            _as_it_was(found[each["solution"]], each["answer"]),
            each["first_error"],
            unescape(each["reason"]),
            tuple(each["neutral"]),
        )
        for each in shown
    )


def _as_it_was(row: Solution, answer: str | None) -> SolutionValue:
    value = solution_value(row)
    return replace(value, problem=replace(value.problem, answer=None if answer is None else unescape(answer)))


def characters(config: Mapping[str, Any]) -> int:
    """How much longer they make what a judge is told of each solution."""
    from reasoning.evidence import judge_prompt

    told = values(config)
    return sum(len(judge_prompt.case(each.solution, reference=True)) + len(judge_prompt.answer(each)) for each in told)


def _chosen(project: Project, endpoint: Endpoint, count: int, seed: int) -> list[Shown]:
    runs = Run.objects.filter(project=project, kind=RunKind.JUDGE, endpoint=endpoint, seed=seed, config__examples=count)
    earlier: list[Shown] = runs.order_by("-pk").values_list("config__shown", flat=True).first() or []
    if len(earlier) == count:
        standing = _standing(project).filter(solution__code__in=[each["solution"] for each in earlier])
        rows = standing.values_list("solution__code", "first_error", "solution__problem__answer")
        told = {code: (first_error, answer) for code, first_error, answer in rows}
        if all(told.get(each["solution"]) == (each["first_error"], each["answer"]) for each in earlier):
            return earlier
    return _shown(_draw(project, count, seed))


def _standing(project: Project) -> QuerySet[Settlement]:
    """Settlements by people who saw no evidence, of solutions that are no audits."""
    seen = Annotation.objects.filter(
        solution=OuterRef("solution"), purpose=Purpose.LABEL, blind=False, superseded_at=None
    )
    return Settlement.objects.filter(
        ~Exists(seen),
        solution__project=project,
        solution__withdrawn_at=None,
        solution__superseded_by=None,
        solution__audit__isnull=True,
        source__in=(Source.HUMAN, Source.ADJUDICATED),
        first_error__isnull=False,
        superseded_at=None,
    )


def _draw(project: Project, count: int, seed: int) -> list[Settlement]:
    none, *thirds = _pools(project, seed)
    found: list[Settlement] = []
    problems: set[str] = set()
    for turn in range(count):
        first = (turn // 2 + seed) % _THIRDS
        kinds = [none] if turn % 2 else [*thirds[first:], *thirds[:first]]
        row = next((row for kind in kinds for row in kind if _problem(row) not in problems), None)
        if row is None:
            break
        problems.add(_problem(row))
        found.append(row)
    return found


def _pools(project: Project, seed: int) -> list[Iterator[Settlement]]:
    """Candidates without an error, then those with one in the first, second and last third; shuffled by the seed."""
    said = Rating.objects.filter(annotation__settlements=OuterRef("pk"), index=OuterRef("first_error"), rating=BAD)
    said = said.exclude(reason="")
    texts = Length("solution__text") + Length("solution__problem__statement")
    rows = (
        _standing(project)
        .annotate(
            size=texts + Coalesce(Length("solution__problem__answer"), 0),
            third=F("first_error") * _THIRDS / F("step_count"),
            reason=Subquery(said.order_by("pk").values("reason")[:1]),
            explained=Exists(said),
            lot=MD5(Concat(Value(f"{seed} "), F("solution__code"))),
        )
        .filter(size__lte=LONGEST)
        .select_related("solution__problem")
        .order_by("-explained", "lot")
    )
    kinds = [rows.filter(first_error=NO_ERROR)]
    kinds += [rows.filter(first_error__gte=0, third=third) for third in range(_THIRDS)]
    return [iter(kind[:_POOL]) for kind in kinds]


def _problem(row: Settlement) -> str:
    return normalised(unescape(row.solution.problem.statement))


def _shown(rows: Sequence[Settlement]) -> list[Shown]:
    neutral: dict[int, list[int]] = {row.pk: [] for row in rows}
    for settlement, index in Label.objects.filter(settlement__in=rows, value=0).values_list("settlement", "index"):
        neutral[settlement].append(index)
    return [_one(row, sorted(neutral[row.pk])) for row in rows]


def _one(row: Settlement, neutral: list[int]) -> Shown:
    assert row.first_error is not None
    reason: str = getattr(row, "reason", None) or ""
    return Shown(
        solution=row.solution.code,
        answer=row.solution.problem.answer,
        first_error=row.first_error,
        neutral=neutral,
        reason=reason[:_LONGEST_REASON],
    )
