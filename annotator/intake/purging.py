"""Remove a project with everything in it, raw ratings and evidence too: the one way past the append-only tables."""

from __future__ import annotations

import shutil
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Final

from django.apps import apps
from django.conf import settings
from django.db import connection, models, transaction

from annotator.models import Export, Intake, Person, Project, record

_LEFT_STANDING: Final = (models.SET_NULL, models.DO_NOTHING)


def purge(project: Project, person: Person | None = None) -> dict[str, int]:
    """Delete the project, its rows in every table, and its files; one logged event. Rows by table are returned.

    People, their accounts and endpoints belong to the installation and stay.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        Project.objects.select_for_update().get(pk=project.pk)
        files = _files(project)
        cursor.execute("SET LOCAL stepwise.purge = 'on'")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        deleted: Counter[str] = Counter()
        for model, path in _deepest_first():
            rows = model._base_manager.filter(**{path: project.pk})
            deleted[model._meta.model_name or ""] += rows._raw_delete(rows.db)
        # Composite keys are checked here, not at the commit of whatever stands around this.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL stepwise.purge = 'off'")
        counts = {name: count for name, count in sorted(deleted.items()) if count}
        record("project.purged", actor=person, subject=project.slug, name=project.name, rows=counts)
        for file in files:
            transaction.on_commit(partial(_remove, file))
    return counts


def _deepest_first() -> list[tuple[type[models.Model], str]]:
    """Every table whose rows belong to a project, with the way from it to the project, parents last."""
    ways: dict[type[models.Model], str] = {Project: "pk"}
    tables = apps.get_app_config("annotator").get_models(include_auto_created=True)
    pending = [model for model in tables if model is not Project]
    while found := [(model, way) for model in pending if (way := _way(model, ways))]:
        ways |= dict(found)
        pending = [model for model in pending if model not in ways]
    return list(reversed(ways.items()))


def _way(model: type[models.Model], ways: dict[type[models.Model], str]) -> str | None:
    """Through which foreign key a row belongs to something that belongs to a project; one that is never empty first."""
    keys = [field for field in model._meta.concrete_fields if isinstance(field, models.ForeignKey)]
    for key in sorted(keys, key=lambda key: key.null):
        if key.related_model in ways and key.remote_field.on_delete not in _LEFT_STANDING:
            return f"{key.name}__{ways[key.related_model]}"
    return None


def _files(project: Project) -> list[Path]:
    home = Path(settings.STEPWISE_FILES)
    intakes = Intake.objects.filter(project=project).exclude(path="").values_list("path", flat=True)
    exports = Export.objects.filter(project=project).values_list("code", flat=True)
    return [*map(Path, intakes), *(home / "exports" / code for code in exports)]


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
