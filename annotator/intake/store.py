"""One batch of rows into the tables, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.db import connection, transaction
from django.utils import timezone

from annotator import changes, stand_ins
from annotator.enqueue import enqueue
from annotator.errors import Conflict
from annotator.imported import Imported, settle_imports
from annotator.intake import looks, scored
from annotator.intake.formats import reader_of
from annotator.intake.options import Options
from annotator.intake.prepared import Prepared, prepare
from annotator.intake.rows import Broken, Item, Placed, PlacedScores, RowRefused
from annotator.models import Intake, Problem, Refusal, Score, Solution, SolutionStatus, WorkState
from annotator.models.problems import KEPT
from reasoning.characters import escape

_LOCK: Final = 0x57E9
"""First half of the advisory lock that the intakes of one project take in turn; the second is the project."""


class Overtaken(Exception):
    """Another reader stored this batch, or the intake was cancelled or withdrawn."""


@dataclass(frozen=True, slots=True)
class _There:
    """What a row's identity stands for already."""

    content_hash: str
    answer: str | None
    whereabouts: str


@dataclass(slots=True)
class _Batch:
    intake: Intake
    now: datetime
    new: list[Prepared] = field(default_factory=list)
    known: int = 0
    scored: int = 0
    """Rows of new scores."""
    answering: list[Prepared] = field(default_factory=list)
    """Known but for their reference answer, which their problems lack."""
    refused: list[Broken] = field(default_factory=list)

    def refuse(self, placed: Placed, field: str, reason: str) -> None:
        self.refused.append(Broken(placed.line, field, reason, placed.excerpt))


def store(intake_id: int, items: Sequence[Item], *, after: int) -> Intake:
    """Store the rows that follow the first `after` of the file. Raises Overtaken when that is not where it stands."""
    with transaction.atomic():
        intake = Intake.objects.select_related("project").select_for_update(of=("self",)).get(pk=intake_id)
        if intake.rows_read != after or intake.state != WorkState.RUNNING:
            raise Overtaken
        # Two files of one project that hold the same row must meet one after the other.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, intake.project_id])
        changes.announce_in(intake.project_id)
        batch = _Batch(intake, timezone.now())
        _score(batch, [item for item in items if isinstance(item, PlacedScores)])
        _sort_out(batch, [item for item in items if not isinstance(item, PlacedScores)])
        stored = _insert(batch)
        _settle(stored, intake)
        looks.keep(stored)
        _count(batch, len(items))
    return intake


def _score(batch: _Batch, items: Sequence[PlacedScores]) -> None:
    """Rows that are scores of what is here already."""
    outcome = scored.sort_out(batch.intake, items)
    Score.objects.bulk_create(outcome.new)
    batch.scored = len(items) - outcome.known - len(outcome.refused)
    batch.known += outcome.known
    batch.refused += outcome.refused


def _sort_out(batch: _Batch, items: Iterable[Placed | Broken]) -> None:
    """Which rows are new, known, or refused."""
    prepared = list(_prepared(batch, items))
    there = _there(batch.intake, prepared)
    for row in prepared:
        before = there.get(row.identity) or there.get(row.open_identity)
        if before is None:
            line = f"line {row.placed.line} of this file"
            there[row.identity] = _There(row.content_hash, row.answer, line)
            batch.new.append(row)
        elif before.content_hash == row.content_hash:
            batch.known += 1
        elif before.content_hash == row.open_hash and before.answer in (None, row.answer):
            batch.known += 1
            batch.answering.append(row)
        else:
            reason = f"{row.source_id!r} of source {row.source!r} is already here with other content"
            batch.refuse(row.placed, "id", f"{reason}: {before.whereabouts}")


def _prepared(batch: _Batch, items: Iterable[Placed | Broken]) -> Iterator[Prepared]:
    options = Options.parse(batch.intake.options)
    source = reader_of(batch.intake.format).source
    for item in items:
        if isinstance(item, Broken):
            batch.refused.append(item)
            continue
        try:
            yield prepare(item, options, source)
        except RowRefused as refusal:
            batch.refuse(item, refusal.field, refusal.reason)


def _there(intake: Intake, rows: Sequence[Prepared]) -> dict[tuple[str, str], _There]:
    """What the project already has, by identity."""
    live = Solution.objects.live().filter(project=intake.project_id)
    by_id = live.filter(source_id__in={row.source_id for row in rows if row.source_id is not None})
    by_content = live.filter(
        source_id=None,
        content_hash__in={each for row in rows if row.source_id is None for each in (row.content_hash, row.open_hash)},
    )
    columns = ("source", "source_id", "content_hash", "problem__answer", "code", "intake__name")
    there = {}
    for found in (by_id, by_content):
        for source, source_id, content_hash, answer, code, name in found.values_list(*columns):
            identity = ("", content_hash) if source_id is None else (source, source_id)
            whereabouts = f"solution {code}" + (f" from {name}" if name else "")
            there[identity] = _There(content_hash, answer, whereabouts)
    return there


def _insert(batch: _Batch) -> list[tuple[Solution, Prepared]]:
    problems = _problems(batch)
    solutions = Solution.objects.bulk_create(
        [_solution(batch, row, problems[row.problem_key]) for row in batch.new], batch_size=500
    )
    stored = list(zip(solutions, batch.new, strict=True))
    columns = 'solution_id, index, start, "end"'
    with connection.cursor() as cursor, cursor.copy(f"COPY annotator_step ({columns}) FROM STDIN") as copy:
        for solution, row in stored:
            for index, (start, end) in enumerate(row.spans):
                copy.write_row((solution.pk, index, start, end))
    return stored


def _problems(batch: _Batch) -> dict[str, Problem]:
    """The problems of the new rows by key: one each, found or made."""
    _answer_problems(batch)
    first = {row.problem_key: row for row in reversed(batch.new)}
    Problem.objects.bulk_create(
        [
            Problem(project=batch.intake.project, key=key, statement=row.statement, answer=row.answer)
            for key, row in first.items()
        ],
        ignore_conflicts=True,
    )
    return {found.key: found for found in Problem.objects.filter(project=batch.intake.project_id, key__in=first)}


def _answer_problems(batch: _Batch) -> None:
    """A problem that is here without a reference answer takes the first that comes; rows with another stay apart."""
    answers = {row.open_key: row for row in reversed([*batch.answering, *batch.new]) if row.answer is not None}
    mine = Problem.objects.filter(project=batch.intake.project_id)
    if not mine.filter(key__in=answers, answer=None).exists():
        return
    changes.announce_in(batch.intake.project_id)  # before any row is held
    # Held, so that an answer which a manager gives at this moment is not overwritten.
    unanswered = mine.filter(key__in=answers, answer=None).order_by("pk").select_for_update(no_key=True)
    for problem in unanswered:
        row = answers[problem.key]
        if row.answer is not None:
            with suppress(Conflict):  # another problem has this answer: its rows go there
                stand_ins.answer(problem, row.answer, row.problem_key)
    enqueue("decide_outdated")


def _solution(batch: _Batch, row: Prepared, problem: Problem) -> Solution:
    meta = row.meta
    if row.statement != problem.statement:
        # The same problem in other spacing: people read the first, exports give back this row's own.
        meta = meta | {KEPT: meta.get(KEPT, {}) | {"problem": row.statement}}
    return Solution(
        project=batch.intake.project,
        problem=problem,
        intake=batch.intake,
        source=row.source,
        source_id=row.source_id,
        content_hash=row.content_hash,
        text=row.text,
        step_count=len(row.spans),
        generator=row.generator,
        own_answer=row.own_answer,
        meta=meta,
        status=SolutionStatus.NEW if row.first_error is None else SolutionStatus.SETTLED,
        created_at=batch.now,
    )


def _settle(stored: Sequence[tuple[Solution, Prepared]], intake: Intake) -> None:
    told = [(solution, row) for solution, row in stored if row.first_error is not None]
    settle_imports(
        [Imported(solution, row.first_error, row.step_labels, row.finish_reason) for solution, row in told], intake
    )


def _count(batch: _Batch, read: int) -> None:
    intake = batch.intake
    Refusal.objects.bulk_create(
        Refusal(
            intake=intake,
            line=broken.line,
            field=escape(broken.field)[:80],
            reason=escape(broken.reason),
            excerpt=escape(broken.excerpt),
        )
        for broken in batch.refused
    )
    intake.rows_read += read
    intake.rows_new += len(batch.new) + batch.scored
    intake.rows_known += batch.known
    intake.rows_refused += len(batch.refused)
    intake.save(update_fields=["rows_read", "rows_new", "rows_known", "rows_refused"])
