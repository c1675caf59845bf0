"""Receive a file, and read it in: in batches, from where an earlier attempt stopped."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import orjson
import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from annotator.enqueue import enqueue
from annotator.errors import Conflict, Invalid
from annotator.intake import containers, scored
from annotator.intake.formats import Reader, reader_of
from annotator.intake.options import Options
from annotator.intake.rows import EXCERPT, Broken, Found, Item, Placed, PlacedScores, RowRefused, ScoresRow, Unreadable
from annotator.intake.store import Overtaken, store
from annotator.models import Intake, Person, Project, WorkState, record
from annotator.models.codes import new_code

BATCH: Final = 500
"""Rows a transaction."""
_BATCH_TEXT: Final = 8_000_000
"""Code points a transaction: rows of 300,000 characters must not fill the memory."""
_HOPELESS: Final = 10_000
"""After so many refusals and no row taken the format is wrong, not the rows."""

HOLD_SECONDS: Final = 120.0
"""An intake whose worker was killed is handed on after this long; the hold is renewed with every batch."""

log = structlog.get_logger(__name__)


def receive(
    project: Project,
    chunks: Iterable[bytes],
    *,
    format: str,
    options: Mapping[str, Any] | None = None,
    person: Person | None = None,
    name: str = "",
) -> Intake:
    """Keep the file as it comes and hand it to a worker.

    Raises Invalid for an unknown format or option, Conflict for an archived project; then nothing was kept.
    """
    intake = _keep(project, chunks, format, options or {}, person, name)
    enqueue("read_intake", intake.pk)
    return intake


def load(
    path: Path,
    project: Project,
    format: str,
    options: Mapping[str, Any] | None = None,
    person: Person | None = None,
) -> Intake:
    """Receive a file of this machine and read it at once. Raises what `receive` raises, and OSError."""
    with path.open("rb") as file:
        chunks = iter(lambda: file.read(1 << 20), b"")
        intake = _keep(project, chunks, format, options or {}, person, path.name)
    return read(intake.pk)


def _keep(
    project: Project,
    chunks: Iterable[bytes],
    format: str,
    options: Mapping[str, Any],
    person: Person | None,
    name: str,
) -> Intake:
    reader_of(format)
    parsed = Options.parse(options)
    if project.archived_at is not None:
        raise Conflict(f"{project} is archived: take it out of the archive to add to it")
    code = new_code()
    path = Path(settings.STEPWISE_FILES) / "intake" / code
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    digest, size = hashlib.sha256(), 0
    with contextlib.ExitStack() as undo:
        undo.callback(path.unlink, missing_ok=True)
        with path.open("wb") as file:
            for chunk in chunks:
                file.write(chunk)
                digest.update(chunk)
                size += len(chunk)
        if size == 0:
            raise Invalid("file", "is empty")
        with transaction.atomic():
            intake = Intake.objects.create(
                code=code,
                project=project,
                name=name[-300:],
                format=format,
                options=parsed.as_json(),
                path=str(path),
                bytes=size,
                sha256=digest.hexdigest(),
                created_by=person,
            )
            record("intake.received", project=project, actor=person, subject=code, name=name, bytes=size)
        undo.pop_all()
    return intake


def read(intake_id: int) -> Intake:
    """Read what is left of an intake. Safe to call at any time: at its end, in its middle, at once with another."""
    held = Intake.objects.get(pk=intake_id)
    if not held.hold(HOLD_SECONDS):
        return held
    held.held_rows.update(state=WorkState.RUNNING)
    try:
        return _read(held)
    finally:
        held.let_go()


def _read(held: Intake) -> Intake:
    intake = held
    try:
        rest = itertools.islice(rows(Path(intake.path), reader_of(intake.format)), intake.rows_read, None)
        for batch in _batches(rest):
            intake = store(intake.pk, batch, after=intake.rows_read)
            held.hold(HOLD_SECONDS)
            if intake.rows_refused >= _HOPELESS and intake.rows_refused == intake.rows_read:
                raise Unreadable(f"None of the first {intake.rows_read} rows could be read: is it {intake.format}?")
    except Overtaken:
        log.info("intake_overtaken", intake=intake.code)
        return Intake.objects.get(pk=held.pk)
    except (Unreadable, OSError) as error:
        return _end(intake, WorkState.FAILED, str(error))
    if intake.rows_read == 0:
        return _end(intake, WorkState.FAILED, "The file holds no row.")
    # A killed reader's follower decides again what it had decided; that changes nothing.
    scored.decide_again(intake, between=lambda: held.hold(HOLD_SECONDS))
    return _end(intake, WorkState.DONE, "")


def rows(path: Path, reader: Reader) -> Iterator[Item]:
    """Every row of a file in one format, in order, and where there is none, why."""
    return rows_of(containers.values(path), reader)


def rows_of(found: Iterable[Found | Broken], reader: Reader) -> Iterator[Item]:
    """The rows of the values of a file."""
    for item in found:
        if isinstance(item, Broken):
            yield item
            continue
        excerpt = _excerpt(item.value)
        try:
            for row in reader.read(item.value):
                if isinstance(row, ScoresRow):
                    yield PlacedScores(item.line, row, excerpt)
                else:
                    yield Placed(item.line, row, excerpt)
        except RowRefused as refusal:
            yield Broken(item.line, refusal.field, refusal.reason, excerpt)


def _excerpt(value: Any) -> str:
    """The start of a row, for a refusal that people can find it by."""
    shown = (
        {key: item for key, item in value.items() if isinstance(item, str | int)} if isinstance(value, dict) else value
    )
    try:
        return orjson.dumps(shown)[: 4 * EXCERPT].decode("utf-8", "replace")[:EXCERPT]
    except TypeError:
        return repr(shown)[:EXCERPT]


def _batches(items: Iterator[Item]) -> Iterator[list[Item]]:
    batch: list[Item] = []
    size = 0
    for item in items:
        batch.append(item)
        size += _size(item)
        if len(batch) >= BATCH or size >= _BATCH_TEXT:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _size(item: Item) -> int:
    if isinstance(item, Broken):
        return len(item.excerpt)
    row = item.row
    if isinstance(row, ScoresRow):
        return 8 * len(row.values)
    return len(row.problem) + len(row.solution or "") + sum(map(len, row.steps or ()))


def _end(intake: Intake, state: str, detail: str) -> Intake:
    """Compare and set: a reader that ended first, or a withdrawal, stays."""
    with transaction.atomic():
        ended = Intake.objects.filter(pk=intake.pk, state=WorkState.RUNNING).update(
            state=state, detail=detail, ended_at=timezone.now()
        )
        found = Intake.objects.select_related("project", "created_by").get(pk=intake.pk)
        if ended:
            counts = {name: getattr(found, name) for name in ("rows_read", "rows_new", "rows_known", "rows_refused")}
            record("intake.ended", project=found.project, actor=found.created_by, subject=found.code, **counts)
    return found
