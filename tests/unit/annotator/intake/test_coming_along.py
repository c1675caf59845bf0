"""Labels, annotations and evidence that come along with rows."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from annotator import beliefs
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
from reasoning.characters import unescape
from reasoning.first_error import DEFAULTS, posteriors
from tests import factories as make
from tests.unit.annotator.intake.rows import counts, native, refusals, take

pytestmark = pytest.mark.django_db


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


def beliefs_with(project: Project, row_id: str, **fields: Any) -> tuple[float, ...]:
    take(project, native(row_id, **fields))
    solution = Solution.objects.get(project=project, source_id=row_id)
    [posterior] = posteriors([beliefs.evidence_of([solution])[solution.pk]], DEFAULTS, [solution.problem_id])
    return posterior.probabilities


@pytest.mark.parametrize(
    "fields",
    [
        {"evidence": {"judgements": EVIDENCE["judgements"]}},
        {"evidence": {"rollouts": EVIDENCE["rollouts"]}},
        {"evidence": {"scores": EVIDENCE["scores"]}},
        {"evidence": {"final_answer": "wrong"}},
        {"annotators": {"t1": {"first_error": 1}}},
    ],
)
def test_each_kind_of_evidence_that_comes_along_moves_the_belief(fields: dict[str, Any]) -> None:
    without, with_it = (beliefs_with(make.make_project(), "r", **given) for given in ({}, fields))
    assert with_it[1] > without[1]


def test_a_row_that_is_known_adds_no_evidence_either(project: Project) -> None:
    take(project, native(evidence=EVIDENCE))
    more = EVIDENCE | {"judgements": [{"model": "another", "first_error": 0}], "final_answer": "right"}
    read = take(project, native(evidence=more, annotators={"t1": {"first_error": 0}}))
    assert counts(read) == (1, 0, 1, 0)
    assert (Judgement.objects.count(), Rollout.objects.count(), Score.objects.count()) == (1, 10, 1)
    assert not ImportedAnnotation.objects.exists()


def test_one_model_asked_in_two_ways_speaks_twice(project: Project) -> None:
    judged = {"model": "m", "first_error": 1}
    ways = [{"parameters": "a"}, {"parameters": "b"}, {"parameters": "b", "prompt": "p"}, {}]
    take(
        project,
        native(
            evidence={
                "judgements": [judged | way for way in ways],
                "rollouts": [{"model": "m", "prefix": 1, "right": 1, "parameters": way} for way in "ab"],
                "scores": [{"model": "m", "values": [0.5, 0.5], "parameters": way} for way in "ab"],
            }
        ),
    )
    told = set(Judgement.objects.values_list("prompt", "parameters"))
    assert told == {("imported", "a"), ("imported", "b"), ("p", "b"), ("imported", "imported")}
    assert (Rollout.objects.count(), Score.objects.count()) == (2, 2)


def test_what_a_database_cannot_hold_in_evidence_is_escaped(project: Project) -> None:
    judged = {"model": "j\x00", "prompt": "p\x00", "first_error": 1, "reason": "\ud800"}
    assert counts(take(project, native(evidence={"judgements": [judged]}))) == (1, 1, 0, 0)
    assert unescape(Judgement.objects.get().reason) == "\ud800"


def test_who_found_nothing_in_a_part_speaks_of_that_part_alone(project: Project) -> None:
    steps = ["a", "b", "c"]
    take(
        project,
        native("part", steps=steps, annotators={"t": {"first_error": -1, "through": 2}}),
        native("whole", steps=steps, annotators={"t": {"first_error": -1, "through": "all"}}),
        native("other", steps=steps, annotators={"t": {"first_error": -1, "through": 9}}),
    )
    found = {each.source_id: beliefs.evidence_of([each])[each.pk].people[0].through for each in Solution.objects.all()}
    assert found == {"part": 2, "whole": 3, "other": 3}


def test_an_annotator_who_is_called_as_the_rows_own_labels_are_keeps_the_name(project: Project) -> None:
    row = native(first_error=1, annotators={LABELS_KEY: {"first_error": 0}})
    assert counts(take(project, row, **{"as": "evidence"})) == (1, 1, 0, 0)
    assert dict(ImportedAnnotation.objects.values_list("key", "first_error")) == {LABELS_KEY: 0, f"{LABELS_KEY} 2": 1}
