"""Ask for an export, and build it: a frozen, hashed dataset of the labels as they stood at one moment."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from time import sleep
from typing import Any, Final

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from annotator import changes
from annotator.enqueue import enqueue
from annotator.exports import counting
from annotator.exports.building import HOLD_SECONDS, Cancelled, write
from annotator.exports.choices import Choices
from annotator.exports.files import Written
from annotator.exports.formats import writer_of
from annotator.models import LIVE_STATES, Export, ExportFile, Person, Project, Snapshot, WorkState, record

log = structlog.get_logger(__name__)

# What can change the content of an export, by when it changed.
_LAST_CHANGE: Final = """
    SELECT greatest(
        (SELECT greatest(max(created_at), max(withdrawn_at)) FROM annotator_solution WHERE project_id = %(p)s),
        (SELECT max(answered_at) FROM annotator_problem WHERE project_id = %(p)s),
        (SELECT greatest(max(s.created_at), max(s.superseded_at)) FROM annotator_settlement s
            JOIN annotator_solution t ON t.id = s.solution_id WHERE t.project_id = %(p)s),
        (SELECT max(g.created_at) FROM annotator_owngrade g
            JOIN annotator_solution t ON t.id = g.solution_id WHERE t.project_id = %(p)s),
        (SELECT max(c.created_at) FROM annotator_preference c
            JOIN annotator_solution t ON t.id = c.solution_id WHERE t.project_id = %(p)s),
        (SELECT max(i.superseded_at) FROM annotator_standin i
            JOIN annotator_problem p ON p.id = i.problem_id WHERE p.project_id = %(p)s),
        (SELECT greatest(max(issued_at), max(withdrawn_at)) FROM annotator_certificate WHERE project_id = %(p)s)
    )
"""


# And that of one that shows what was said too.
_LAST_LOOK: Final = """
    SELECT greatest(
        (SELECT max(j.created_at) FROM annotator_judgement j
            JOIN annotator_solution t ON t.id = j.solution_id WHERE t.project_id = %(p)s),
        (SELECT max(g.created_at) FROM annotator_grade g JOIN annotator_rollout r ON r.id = g.rollout_id
            JOIN annotator_solution t ON t.id = r.solution_id WHERE t.project_id = %(p)s),
        (SELECT max(c.created_at) FROM annotator_score c
            JOIN annotator_solution t ON t.id = c.solution_id WHERE t.project_id = %(p)s),
        (SELECT greatest(max(a.created_at), max(a.superseded_at)) FROM annotator_annotation a
            JOIN annotator_solution t ON t.id = a.solution_id WHERE t.project_id = %(p)s),
        (SELECT max(withdrawn_at) FROM annotator_intake WHERE project_id = %(p)s)
    )
"""


def last_change(project: Project, *, looks: bool = False) -> datetime:
    """When anything that an export shows last changed; the project's own beginning where nothing did."""
    moments = [project.created_at]
    with connection.cursor() as cursor:
        for query in (_LAST_CHANGE, _LAST_LOOK) if looks else (_LAST_CHANGE,):
            cursor.execute(query, {"p": project.pk})
            moments += [moment for moment in cursor.fetchone() or () if moment is not None]
    return max(moments)


def request(project: Project, format: str, choices: Mapping[str, Any], person: Person | None) -> Export:
    """The export of the labels as they stand: found where it was asked for before, else queued.

    Raises Invalid, and Conflict where a change of labels that is under way takes too long to wait for.
    """
    export, created = _find_or_create(project, format, choices, person)
    if created or export.state == WorkState.FAILED:
        Export.objects.filter(pk=export.pk, state=WorkState.FAILED).update(state=WorkState.QUEUED, detail="")
        enqueue("build_export", export.pk)
    return export


def make(project: Project, format: str, choices: Mapping[str, Any], person: Person | None) -> Export:
    """What `request` gives, built before this returns. Raises what `request` raises."""
    export, _ = _find_or_create(project, format, choices, person)
    Export.objects.filter(pk=export.pk, state=WorkState.FAILED).update(state=WorkState.QUEUED, detail="")
    while (export := build(export.pk)).state in LIVE_STATES:
        sleep(0.5)  # a worker is at it
    return export


def preview(project: Project, format: str, choices: Mapping[str, Any]) -> counting.Preview:
    """What an export would hold if it were asked for now. Raises Invalid."""
    return counting.preview(project, format, dict(choices), last_change(project))


def _find_or_create(
    project: Project, format: str, given: Mapping[str, Any], person: Person | None
) -> tuple[Export, bool]:
    writer = writer_of(format)
    choices = Choices.parse(given, writer.defaults, writer.allowed)
    with transaction.atomic():
        changes.wait_for_none(project)
        snapshot, _ = Snapshot.objects.get_or_create(
            project=project, cutoff=last_change(project, looks=choices.evidence == "keep")
        )
        export, created = Export.objects.get_or_create(
            snapshot=snapshot,
            format=format,
            choices_hash=choices.digest(writer.version),
            defaults={"project": project, "choices": choices.as_json(), "created_by": person},
        )
        if created:
            record("export.requested", project=project, actor=person, subject=export.code, format=format)
    return export, created


def build(export_id: int) -> Export:
    """Write the files of an export. Safe to call again at any time; what is done, or somebody is at, is left alone."""
    export = Export.objects.select_related("project", "snapshot").get(pk=export_id)
    if not export.hold(HOLD_SECONDS):
        return export
    root = Path(settings.STEPWISE_FILES) / "exports"
    try:
        export.held_rows.update(state=WorkState.RUNNING)
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(dir=root, prefix=f".{export.code}-") as folder:
            files, counts = write(export, Path(folder))
            _publish(export, Path(folder), root / export.code, files, counts)
    except Cancelled:
        log.info("export_cancelled", export=export.code)
    except OSError as error:
        failed = {"state": WorkState.FAILED, "detail": str(error), "ended_at": timezone.now()}
        export.held_rows.update(**failed)
    finally:
        export.let_go()
    export.refresh_from_db()
    return export


def _publish(export: Export, folder: Path, home: Path, files: list[Written], counts: counting.Counts) -> None:
    """Files and rows appear together; of two builders the first wins."""
    with transaction.atomic():
        held = Export.objects.select_for_update().get(pk=export.pk)
        if held.state != WorkState.RUNNING:
            return
        # Left by a builder that was killed between here and its commit: nobody was told of them.
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(mode=0o700)
        for file in files:
            (folder / file.name).rename(home / file.name)
        ExportFile.objects.bulk_create(
            ExportFile(export=held, name=f.name, bytes=f.bytes, sha256=f.sha256, path=str(home / f.name)) for f in files
        )
        held.state, held.ended_at = WorkState.DONE, timezone.now()
        held.rows, held.rows_total = counts.rows, counts.solutions
        held.simulated, held.stand_in = counts.simulated > 0, counts.stand_ins > 0
        held.save(update_fields=["state", "ended_at", "rows", "rows_total", "simulated", "stand_in"])
        record("export.built", project=held.project, actor=held.created_by, subject=held.code, rows=counts.rows)
