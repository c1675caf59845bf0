from __future__ import annotations

import hashlib
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command

from annotator import intake
from annotator.models import Event, Intake, Person, Project, Rater, Solution
from tests import factories as make
from tests.unit.annotator.intake.rows import jsonl, native, take

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(jsonl(native("a", first_error=1), native("b", steps=[]), native("a", first_error=1)))
    return path


def run(*arguments: Any) -> str:
    out = StringIO()
    call_command(*map(str, arguments), stdout=out)
    return out.getvalue()


def test_load_prints_counts_and_refusals_with_line_and_reason(file: Path) -> None:
    out = run("load", file, "--project", "fresh", "--format", "native", "--create")
    code = Intake.objects.get().code
    assert out.splitlines() == [
        "refused line 2, steps: is an empty list",
        f"intake  {code}",
        "read    3",
        "new     1",
        "known   1",
        "refused 1",
    ]
    assert Project.objects.get().slug == "fresh"


def test_load_that_could_read_nothing_fails(file: Path, tmp_path: Path) -> None:
    make.make_project(slug="p")
    with pytest.raises(CommandError, match="No row of the file could be read"):
        run("load", file, "--project", "p", "--format", "trl")
    with pytest.raises(CommandError, match=r"known are .*native"):
        run("load", file, "--project", "other", "--format", "nativ", "--create")
    with pytest.raises(CommandError, match="There is no project other; --create makes it"):
        run("load", file, "--project", "other", "--format", "native")
    with pytest.raises(CommandError, match="No such file"):
        run("load", tmp_path / "nothing", "--project", "p", "--format", "native")
    assert not Project.objects.filter(slug="other").exists()


def test_export_writes_what_the_api_gives(file: Path, tmp_path: Path) -> None:
    run("load", file, "--project", "p", "--format", "native", "--create")
    out = run("export", "--project", "p", "--format", "trl", "--out", tmp_path / "out", "--split", "train=1")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_bytes())
    for listed in manifest["files"]:
        held = (tmp_path / "out" / listed["name"]).read_bytes()
        assert hashlib.sha256(held).hexdigest() == listed["sha256"]
        assert listed["sha256"] in out
    assert "rows    1" in out
    with pytest.raises(CommandError, match="neutral: must be one of"):
        run("export", "--project", "p", "--format", "trl", "--out", tmp_path, "--neutral", "grey")


def test_withdraw_takes_an_intake_back(file: Path) -> None:
    run("load", file, "--project", "p", "--format", "native", "--create")
    code = Intake.objects.get().code
    assert run("withdraw", code) == f"withdrawn  {code}  1 solutions\n"
    assert not Solution.objects.live().exists()
    with pytest.raises(CommandError, match="was withdrawn"):
        run("withdraw", code)


def fill(project: Project, person: Person) -> None:
    """A row in as many tables as there are."""
    solution = make.make_solution(project, steps=2)
    make.make_own_grade(solution)
    make.make_judgement(solution, 0)
    make.make_rollouts(solution, 1, right=1)
    make.make_score(solution, [0.5, 0.5])
    make.make_posterior(solution, [0.5, 0.5, 0.0])
    make.make_certificate(project)
    make.make_run(project)
    make.make_annotation(solution, person.work_as(), "1", "-1")
    rollouts = [{"model": "m", "prefix": 1, "right": 1}]
    take(project, native(first_error=1, annotators={"a": {"first_error": 0}}, evidence={"rollouts": rollouts}))
    take(project, native("broken", steps=[]))


def rows_by_table() -> dict[str, int]:
    tables = apps.get_app_config("annotator").get_models(include_auto_created=True)
    return {table._meta.label: table._base_manager.count() for table in tables}


def test_purge_leaves_nothing_of_a_project_and_everything_of_the_others(files: Path, tmp_path: Path) -> None:
    person = make.make_person()
    kept = make.make_project()
    fill(kept, person)
    call_command("export", "--project", kept.slug, "--format", "trl", "--out", tmp_path / "kept", stdout=StringIO())
    before = rows_by_table()
    raters = Rater.objects.count()
    gone = make.make_project(slug="gone")
    make.join(person, gone, "manager")
    fill(gone, person)
    call_command("export", "--project", "gone", "--format", "trl", "--out", tmp_path / "gone", stdout=StringIO())
    with pytest.raises(CommandError, match="nothing was removed"):
        run("purge", "gone", "--yes-i-mean", "other")
    assert run("purge", "gone", "--yes-i-mean", "gone").endswith("purged  gone\n")
    after = rows_by_table()
    event = Event.objects.get(kind="project.purged")
    assert (event.project, event.subject) == (None, "gone")
    # The event stays, and what belongs to the installation.
    after["annotator.Event"] -= 1
    before["annotator.Endpoint"] = after["annotator.Endpoint"]
    assert after == before
    assert raters == Rater.objects.count()


def test_files_go_with_the_project(files: Path, django_capture_on_commit_callbacks: Any) -> None:
    project = make.make_project()
    read = take(project, native())
    assert Path(read.path).exists()
    with django_capture_on_commit_callbacks(execute=True):
        intake.purge(project)
    assert not Path(read.path).exists()
