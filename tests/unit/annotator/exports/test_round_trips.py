"""There and back, and how an export is asked for."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from annotator import exports, intake
from annotator.errors import Invalid
from annotator.exports import snapshot
from annotator.models import (
    Event,
    Export,
    ExportFile,
    Project,
    Settlement,
    WorkState,
)
from reasoning.characters import unescape
from tests import factories as make
from tests.unit.annotator.exports.exported import made, rows_of
from tests.unit.annotator.intake.rows import counts, lines, native, shared, take

pytestmark = pytest.mark.django_db


def same(given: dict[str, Any], back: dict[str, Any]) -> None:
    for field in ("id", "problem", "answer", "steps", "first_error", "source", "generator", "meta"):
        assert back.get(field) == given.get(field), field
    assert back.get("annotators", {}) == (given.get("annotators") or {})
    if given.get("step_labels") is not None:
        assert back["step_labels"] == given["step_labels"]


def test_the_stress_rows_come_back_as_they_went_in(project: Project) -> None:
    path = shared("stress_cases.public.jsonl")
    intake.load(path, project, "native")
    back = {(row["source"], row["id"]): row for row in rows_of(made(project, "native", unlabelled="keep"))}
    assert len(back) == 60
    for row in lines(path):
        given, found = row, back[row["source"], row["id"]]
        if "answer_as_given" in found["meta"]:
            given = {**given, "answer": found["answer"], "meta": {**given["meta"], "answer_as_given": given["answer"]}}
        same(given, found)


def test_an_export_read_in_again_is_known(project: Project) -> None:
    rows = [
        native("1", first_error=1, generator="m", colour="red", meta={"a": 1}),
        native("2", solution_id=7, steps=["One.", "Two."], solution="One.\nTwo.", answer=5, step_labels=[1, None]),
        native("3", problem="What is  2 + 3?", steps=["nul \x00", "lone \ud800", ""], first_error=-1),
        native("4", answer="Let's think step by step.", annotators={"a": {"first_error": 0, "why": "x"}}),
    ]
    take(project, *rows)
    back = rows_of(made(project, "native", unlabelled="keep"))
    assert [row["id"] for row in back] == ["1", "2", "3", "4"]
    assert (back[0]["colour"], back[1]["solution"], back[1]["answer"], back[2]["problem"]) == (
        "red",
        "One.\nTwo.",
        5,
        "What is  2 + 3?",
    )
    assert (back[3]["answer"], back[3]["meta"]) == (None, {"answer_as_given": "Let's think step by step."})
    assert counts(take(project, *back)) == (4, 0, 4, 0)
    other = make.make_project()
    assert counts(take(other, *back)) == (4, 4, 0, 0)
    assert rows_of(made(other, "native", unlabelled="keep")) == back


STEPS = ["a", "b", "c"]


def test_parquet_holds_the_same_rows(project: Project) -> None:
    take(project, native("1", steps=STEPS, first_error=1, meta={"a": 1}), native("2", steps=STEPS, first_error=-1))
    for format in ("native", "trl", "processbench"):
        export = made(project, format, container="parquet")
        path = Path(ExportFile.objects.get(export=export, name="train.parquet").path)
        other = make.make_project()
        read = intake.load(path, other, format)
        assert (read.state, counts(read)) == (WorkState.DONE, (2, 2, 0, 0))
        rows, again = rows_of(made(project, format)), rows_of(made(other, format))
        for row in (*rows, *again):
            row.pop("id", None)
        assert again == rows


def test_the_trl_file_loads_with_datasets(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    datasets = pytest.importorskip("datasets")
    intake.load(shared("stress_cases.public.jsonl"), project, "native")
    export = made(project, "trl", split={"train": 0.5, "test": 0.5})
    paths = {part: ExportFile.objects.get(export=export, name=f"{part}.jsonl").path for part in ("train", "test")}
    loaded = datasets.load_dataset("json", data_files=paths, cache_dir=str(tmp_path / "cache"))
    for part in paths:
        assert loaded[part].to_list() == rows_of(export, part)
    told = Settlement.objects.filter(superseded_at=None).select_related("solution__problem").order_by("pk")
    expected = []
    for settled in told:
        text = unescape(settled.solution.text)
        steps = [text[step.start : step.end] for step in settled.solution.step_rows.all()]
        wrong = settled.first_error
        assert wrong is not None
        count = len(steps) if wrong == -1 else wrong + 1
        labels = [index != wrong for index in range(count)]
        expected.append((unescape(settled.solution.problem.statement), steps[:count], labels))
    out = [(row["prompt"], row["completions"], row["labels"]) for part in paths for row in loaded[part]]
    assert sorted(out) == sorted(expected)
    assert len(out) == 52


# --- asking


def test_a_preview_counts_what_an_export_holds(project: Project) -> None:
    take(project, native("a", first_error=1), native("b", first_error=-1), native("c"))
    seen = exports.preview(project, "trl", {})
    assert (seen.rows, seen.solutions) == (2, 3)
    assert seen.by_label == {"positive": 3, "negative": 1}
    assert (seen.by_source, seen.left_out) == ({"imported": 2}, {"not labelled": 1})
    assert not Export.objects.exists()


def test_an_unknown_format_is_refused_with_those_that_are_known(project: Project) -> None:
    with pytest.raises(Invalid, match="known are native, preference, processbench, step_dpo, trl"):
        exports.request(project, "trll", {}, None)


def test_a_request_is_queued_once_and_logged(project: Project) -> None:
    person = make.make_person(project=project)
    first = exports.request(project, "trl", {}, person)
    assert (first.state, exports.request(project, "trl", {}, None)) == (WorkState.QUEUED, first)
    assert exports.request(project, "trl", {"neutral": "negative"}, None) != first
    assert Event.objects.filter(kind="export.requested", subject=first.code, actor=person).count() == 1


def test_an_export_that_failed_is_made_when_it_is_asked_for_again(project: Project) -> None:
    export = exports.request(project, "trl", {}, None)
    Export.objects.filter(pk=export.pk).update(state=WorkState.FAILED, detail="disk full")
    exports.request(project, "trl", {}, None)
    assert exports.build(export.pk).state == WorkState.DONE


def test_a_cancelled_export_leaves_no_files(project: Project, files: Path) -> None:
    take(project, native(first_error=1))
    export = exports.request(project, "trl", {}, None)
    Export.objects.filter(pk=export.pk).update(state=WorkState.CANCELLED)
    assert exports.build(export.pk).state == WorkState.CANCELLED
    assert not list(files.glob("exports/*"))


def test_a_builder_that_was_killed_is_followed_by_another(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    take(project, native(first_error=1))
    export = exports.request(project, "trl", {}, None)

    def killed(*arguments: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(snapshot, "write", killed)
    with pytest.raises(KeyboardInterrupt):
        exports.build(export.pk)
    monkeypatch.undo()
    assert exports.build(export.pk).rows == 1


def test_the_last_change_is_the_newest_of_all_that_an_export_shows(project: Project) -> None:
    assert snapshot.last_change(project) == project.created_at
    take(project, native(first_error=1))
    settled = Settlement.objects.get()
    assert snapshot.last_change(project) == settled.created_at
    later = timezone.now() + timedelta(hours=1)
    make.make_certificate(project, 0.9, issued_at=later)
    assert snapshot.last_change(project) == later
