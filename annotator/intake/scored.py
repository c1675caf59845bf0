"""Scores of a file to the solutions that they are of: found, checked against what is here, and decided with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from annotator import grading, routing
from annotator.intake.options import Options
from annotator.intake.rows import Broken, PlacedScores, RowRefused, ScoresRow
from annotator.models import Intake, Score, Solution
from annotator.models.problems import content_hash
from reasoning import answers
from reasoning.characters import escape

_BATCH: Final = 500
_Key = tuple[int, str, str]
"""Solution, model, parameters."""


@dataclass(frozen=True, slots=True)
class _Found:
    pk: int
    source: str
    step_count: int


@dataclass(slots=True)
class Outcome:
    """What becomes of a batch of scores. Known are those that are here already, to the last digit."""

    new: list[Score] = field(default_factory=list)
    known: int = 0
    refused: list[Broken] = field(default_factory=list)


def sort_out(intake: Intake, items: Sequence[PlacedScores]) -> Outcome:
    """Which scores are new, known, or refused. One row may be of several solutions: the same text under several ids."""
    options = Options.parse(intake.options)
    index = _Index(intake, [item.row for item in items])
    outcome = Outcome()
    placed: list[tuple[PlacedScores, list[Score]]] = []
    for item in items:
        try:
            found = index.solutions(item.row, options.source)
            placed.append((item, [_score(intake, item.row, options, each) for each in found]))
        except RowRefused as refusal:
            outcome.refused.append(Broken(item.line, refusal.field, refusal.reason, item.excerpt))
    there = _there(score.solution_id for _, scores in placed for score in scores)
    for item, scores in placed:
        try:
            _take(outcome, item.row, scores, there)
        except RowRefused as refusal:
            outcome.refused.append(Broken(item.line, refusal.field, refusal.reason, item.excerpt))
    return outcome


def decide_again(intake: Intake, between: Callable[[], object]) -> None:
    """Route every solution that this file scored, as a run of a scorer does, and call `between` now and then.

    Safe to repeat.
    """
    mine = Score.objects.filter(intake=intake).order_by("solution").values_list("solution", flat=True).distinct()
    last = 0
    while pks := list(mine.filter(solution__gt=last)[:_BATCH]):
        last = pks[-1]
        rows = list(Solution.objects.live().filter(pk__in=pks).select_related("problem", "project"))
        grading.grade_answers(rows)
        routing.route(rows)
        between()


def _score(intake: Intake, row: ScoresRow, options: Options, solution: _Found) -> Score:
    model = row.model or escape(options.model)
    if not model:
        raise RowRefused("model", "is missing: name it in each row, or once for the file with the option model")
    if len(row.values) != solution.step_count:
        raise RowRefused(row.field, f"has {len(row.values)} entries for {solution.step_count} steps")
    return Score(
        solution_id=solution.pk,
        intake=intake,
        model=model,
        parameters=row.parameters,
        step_count=solution.step_count,
        values=list(row.values),
    )


def _there(solutions: Iterable[int]) -> dict[_Key, list[float]]:
    rows = Score.objects.standing().filter(solution__in=set(solutions))
    return {(row.solution_id, row.model, row.parameters): row.values for row in rows}


def _take(outcome: Outcome, row: ScoresRow, scores: Sequence[Score], there: dict[_Key, list[float]]) -> None:
    """All of one row's or none."""
    new = []
    for score in scores:
        before = there.get((score.solution_id, score.model, score.parameters))
        if before is None:
            new.append(score)
        elif before != score.values:
            reason = f"{score.model} gave this solution other scores before: withdraw their file, or tell the two apart"
            raise RowRefused(row.field, f"{reason} by parameters")
    there.update({(score.solution_id, score.model, score.parameters): score.values for score in new})
    outcome.new += new
    outcome.known += not new


class _Index:
    """The solutions that a batch of rows may mean; three queries however many rows."""

    def __init__(self, intake: Intake, rows: Sequence[ScoresRow]) -> None:
        ids = {escape(row.source_id) for row in rows if row.source_id is not None}
        codes = ids | {escape(row.code) for row in rows if row.code is not None}
        hashes = {each for row in rows if row.steps for each in _hashes(row)}
        live = Solution.objects.live().filter(project=intake.project_id)
        self._by_id: dict[str, list[_Found]] = defaultdict(list)
        self._by_code: dict[str, list[_Found]] = defaultdict(list)
        self._by_content: dict[str, list[_Found]] = defaultdict(list)
        for index, column, wanted in (
            (self._by_id, "source_id", ids),
            (self._by_code, "code", codes),
            (self._by_content, "content_hash", hashes),
        ):
            columns = (column, "pk", "source", "step_count")
            for key, *found in live.filter(**{f"{column}__in": wanted}).order_by("pk").values_list(*columns):
                index[key].append(_Found(*found))

    def solutions(self, row: ScoresRow, default_source: str) -> list[_Found]:
        """Raises RowRefused where there is none, or nobody can tell which."""
        if row.source_id is not None:
            return self._of_id(row.source_id, escape(row.source or default_source))
        if row.code is not None:
            return self._by_code.get(escape(row.code)) or _nobody("solution", f"no solution has the code {row.code!r}")
        given, bare = _hashes(row)
        found = self._by_content.get(given) or self._by_content.get(bare)
        return found or _nobody("steps", "no solution of this project has this problem, answer and these steps")

    def _of_id(self, source_id: str, source: str) -> list[_Found]:
        found = self._by_id.get(escape(source_id), [])
        if source:
            found = [each for each in found if each.source == source]
        if len(found) > 1:
            sources = ", ".join(sorted(repr(each.source) for each in found))
            raise RowRefused("source", f"must be named: {source_id!r} is here from {sources}")
        if not found:
            found = self._by_code.get(escape(source_id), [])
        return found or _nobody(
            "id", f"no solution is called {source_id!r}" + (f" in source {source!r}" if source else "")
        )


def _nobody(field: str, reason: str) -> list[_Found]:
    raise RowRefused(field, reason)


def _hashes(row: ScoresRow) -> tuple[str, str]:
    """Of the row's content, with its answer as a row that is read in has it, and without."""
    answer = answers.reference(row.answer, None)
    return content_hash(row.problem, answer, row.steps), content_hash(row.problem, None, row.steps)
