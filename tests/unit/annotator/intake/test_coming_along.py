"""Labels, annotations and evidence that come along with rows."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from annotator.intake.prepared import LABELS_KEY
from annotator.models import (
    Grade,
    ImportedAnnotation,
    Judgement,
    Label,
    OwnGrade,
    Project,
    Rollout,
    Score,
    Settlement,
    Solution,
    SolutionStatus,
)
from tests import factories as make
from tests.unit.annotator.intake.rows import counts, native, refusals, take

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def files(tmp_path: Path, settings: Any) -> Path:
    settings.STEPWISE_FILES = tmp_path / "files"
    return settings.STEPWISE_FILES


@pytest.fixture
def project() -> Project:
    return make.make_project()


def labels_of(source_id: str) -> dict[int, int]:
    rows = Label.objects.filter(solution__source_id=source_id, superseded_at=None)
    return dict(rows.values_list("index", "value"))


def test_labels_that_come_along_are_settled_as_the_file_has_them(project: Project) -> None:
    steps = ["a", "b", "c", "d"]
    read = take(
        project,
        native("first error", steps=steps, first_error=2),
        native("none", steps=steps, first_error=-1),
        native("labels", steps=steps, step_labels=[1, 0, -1, 1]),
        native("gaps", steps=steps, step_labels=[1, None, 1, None], first_error=-1),
        native("unknown", steps=steps, first_error=None),
    )
    assert counts(read) == (5, 5, 0, 0)
    assert labels_of("first error") == {0: 1, 1: 1, 2: -1}
    assert labels_of("none") == {0: 1, 1: 1, 2: 1, 3: 1}
    assert labels_of("labels") == {0: 1, 1: 0, 2: -1, 3: 1}
    assert labels_of("gaps") == {0: 1, 2: 1}
    told = dict(Settlement.objects.values_list("solution__source_id", "first_error"))
    assert told == {"first error": 2, "none": -1, "labels": 2, "gaps": -1}
    assert set(Settlement.objects.values_list("source", "intake")) == {("imported", read.pk)}
    settled = Solution.objects.filter(status=SolutionStatus.SETTLED).count()
    assert (settled, Solution.objects.get(source_id="unknown").status) == (4, SolutionStatus.NEW)


def test_labels_that_leave_the_first_error_open_settle_nothing_and_are_kept(project: Project) -> None:
    take(project, native(step_labels=[None, 1]))
    assert not Settlement.objects.exists()
    said = ImportedAnnotation.objects.get()
    assert (said.key, said.first_error, said.step_labels) == (LABELS_KEY, None, [None, 1])


def test_told_that_labels_are_evidence_it_settles_none(project: Project) -> None:
    take(project, native(first_error=1, annotators={"t1": {"first_error": 0, "comment": "no"}}), **{"as": "evidence"})
    assert not Settlement.objects.exists()
    said = dict(ImportedAnnotation.objects.values_list("key", "first_error"))
    assert said == {"t1": 0, LABELS_KEY: 1}
    assert Solution.objects.get().status == SolutionStatus.NEW


def test_what_annotators_said_is_kept_as_it_was(project: Project) -> None:
    annotators = {"a1": {"step_labels": [1, -1], "comment": "x"}, "a2": {"first_error_raw_step": 2}}
    take(project, native(annotators=annotators))
    said = {row.key: row for row in ImportedAnnotation.objects.all()}
    assert {key: row.data for key, row in said.items()} == annotators
    assert (said["a1"].first_error, said["a2"].first_error) == (1, None)


EVIDENCE = {
    "judgements": [{"model": "j", "first_error": 1, "verdicts": [1, -1], "reason": "wrong sum"}],
    "rollouts": [
        {"model": "c", "prefix": 1, "right": 3, "wrong": 1, "unknown": 2},
        {"model": "c", "prefix": 2, "wrong": 4},
    ],
    "scores": [{"model": "prm", "values": [0.9, 0.1]}],
    "final_answer": "wrong",
}


def test_evidence_that_comes_along_is_stored(project: Project) -> None:
    take(project, native(evidence=EVIDENCE))
    judgement = Judgement.objects.get()
    assert (judgement.model, judgement.first_error, judgement.verdicts) == ("j", 1, [1, -1])
    verdicts = Counter(Grade.objects.values_list("rollout__prefix", "verdict"))
    assert verdicts == {(1, "right"): 3, (1, "wrong"): 1, (1, "unknown"): 2, (2, "wrong"): 4}
    assert Rollout.objects.count() == 10
    assert Score.objects.get().values == [0.9, 0.1]
    assert OwnGrade.objects.get().verdict == "wrong"


@pytest.mark.parametrize(
    ("part", "value", "field"),
    [
        ("judgements", [{"model": "j"}], "evidence.judgements[0].first_error"),
        ("judgements", [{"first_error": 0}], "evidence.judgements[0].model"),
        ("judgements", [{"model": "j", "first_error": 2}], "evidence.judgements[0].first_error"),
        ("judgements", [{"model": "j", "first_error": 0}] * 2, "evidence.judgements[1]"),
        ("rollouts", [{"model": "c", "prefix": 3, "right": 1}], "evidence.rollouts[0].prefix"),
        ("rollouts", [{"model": "c", "prefix": 1}], "evidence.rollouts[0]"),
        ("scores", [{"model": "p", "values": [0.5]}], "evidence.scores[0].values"),
        ("scores", [{"model": "p", "values": [0.5, 1.5]}], "evidence.scores[0].values[1]"),
        ("final_answer", "maybe", "evidence.final_answer"),
        ("opinions", [], "evidence.opinions"),
    ],
)
def test_malformed_evidence_refuses_the_row_by_its_place(project: Project, part: str, value: Any, field: str) -> None:
    read = take(project, native(evidence={part: value}))
    assert [refusal[1] for refusal in refusals(read)] == [field]
    assert not Solution.objects.exists()


def test_a_reference_answer_that_is_none_is_not_taken_for_one(project: Project) -> None:
    take(project, native(answer="Let's think step by step."), native("2", answer=5))
    one, two = Solution.objects.order_by("pk")
    assert one.problem.answer is None
    assert one.meta["stepwise"]["answer_as_given"] == "Let's think step by step."
    assert two.problem.answer == "5"
