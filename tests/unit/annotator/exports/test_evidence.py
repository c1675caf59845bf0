"""What was said of solutions goes out where it is asked for, and comes in again as the same evidence."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotator import beliefs, exports, intake
from annotator.errors import Invalid
from annotator.models import ExportFile, Judgement, Project, Solution
from reasoning.first_error import DEFAULTS, posteriors
from tests import factories as make
from tests.unit.annotator.exports.exported import made, manifest_of, rows_of
from tests.unit.annotator.intake.rows import counts, native, take

pytestmark = pytest.mark.django_db

STEPS = ["a", "b", "c", "d"]


def everything(project: Project, **choices: Any) -> list[dict[str, Any]]:
    return rows_of(made(project, "native", evidence="keep", unlabelled="keep", **choices))


def again(rows: list[dict[str, Any]]) -> Project:
    project = make.make_project()
    assert counts(take(project, *rows)) == (len(rows), len(rows), 0, 0)
    return project


def beliefs_in(project: Project) -> list[tuple[float, ...]]:
    """The posterior of every solution, in order, whatever is stored."""
    solutions = list(Solution.objects.filter(project=project).select_related("project").order_by("pk"))
    evidence = beliefs.evidence_of(solutions)
    found = posteriors([evidence[each.pk] for each in solutions], DEFAULTS, [each.problem_id for each in solutions])
    return [each.probabilities for each in found]


def same_beliefs(project: Project, other: Project) -> None:
    for one, two in zip(beliefs_in(project), beliefs_in(other), strict=True):
        assert two == pytest.approx(one, abs=1e-12)


def solution_of(project: Project, source_id: str, **fields: Any) -> Solution:
    take(project, native(source_id, steps=STEPS, **fields))
    return Solution.objects.get(project=project, source_id=source_id)


def test_nothing_that_was_said_goes_out_unless_it_is_asked_for(project: Project) -> None:
    solution = solution_of(project, "r1", annotators={"t1": {"first_error": 0}})
    make.make_judgement(solution, 1)
    make.make_annotation(solution, make.make_rater(), "1", "-1")
    export = made(project, "native", unlabelled="keep")
    [row] = rows_of(export)
    assert "evidence" not in row
    assert row["annotators"] == {"t1": {"first_error": 0}}
    assert manifest_of(export)["choices"]["evidence"] == "drop"
    assert manifest_of(made(project, "native", evidence="keep"))["choices"]["evidence"] == "keep"


@pytest.mark.parametrize("format", ["trl", "processbench"])
def test_formats_without_room_for_it_refuse_it(project: Project, format: str) -> None:
    with pytest.raises(Invalid, match="evidence: must be one of drop in this format"):
        exports.preview(project, format, {"evidence": "keep"})


def test_all_that_was_said_comes_back_as_it_was(project: Project) -> None:
    solution = solution_of(project, "r1", answer="5")
    for sample, parameters in ((0, "t0"), (1, "t0"), (0, "t1")):
        make.make_judgement(solution, 1, sample=sample, parameters=parameters, reason="nul ␛0000")
    make.make_judgement(solution, -1, model="other", prompt="imported", parameters="imported", verdicts=[], reason="")
    make.make_rollouts(solution, 0, right=2)
    make.make_rollouts(solution, 2, right=1, wrong=3, unknown=2)
    make.make_score(solution, [0.9, 0.1, 0.5, 1 / 3])
    make.make_own_grade(solution, "wrong")
    rater = make.make_rater()
    make.make_annotation(solution, rater, "1", "1", "-1")
    [row] = everything(project)
    assert row["evidence"]["judgements"][0] == {"model": "other", "sample": 0, "first_error": -1}
    assert row["evidence"]["judgements"][-1] == {
        "model": "test/judge",
        "prompt": "prompt-1",
        "parameters": "t1",
        "sample": 0,
        "first_error": 1,
        "verdicts": [1, -1, None, None],
        "reason": "nul \x00",
    }
    assert len(row["evidence"]["judgements"]) == 4
    assert row["evidence"]["rollouts"] == [
        {"model": "test/completer", "parameters": "t1", "prefix": 0, "right": 2},
        {"model": "test/completer", "parameters": "t1", "prefix": 2, "right": 1, "wrong": 3, "unknown": 2},
    ]
    assert row["evidence"]["scores"] == [{"model": "test/prm", "values": [0.9, 0.1, 0.5, 1 / 3]}]
    assert row["evidence"]["final_answer"] == "wrong"
    assert row["annotators"] == {rater.code: {"first_error": 2, "step_labels": [1, 1, -1, None]}}
    other = again([row])
    same_beliefs(project, other)
    assert everything(other) == [row]
    assert Judgement.objects.filter(solution__project=other, reason="nul ␛0000").count() == 3


def test_what_is_no_evidence_stays_here(project: Project) -> None:
    solution = solution_of(project, "r1")
    make.make_annotation(solution, make.make_rater(), "1", "-1", blind=False)
    make.make_annotation(solution, make.make_rater(), "-1", purpose="audit")
    make.make_annotation(solution, make.make_rater(), "unsure")
    make.make_annotation(solution, make.make_rater(), "1", finish_reason="give_up")
    make.make_annotation(solution, make.make_rater(), finish_reason="bad_problem")
    make.make_annotation(solution, make.make_rater(), "-1", superseded_at=timezone.now())
    [row] = everything(project)
    assert {"annotators", "evidence"} & set(row) == set()


def test_who_read_a_part_comes_back_as_having_read_that_part(project: Project) -> None:
    solution = solution_of(project, "r1")
    make.make_annotation(solution, make.make_rater(), "1", "0", "unsure", "-1")
    make.make_annotation(solution, make.make_rater(), "1", "", "1")
    rows = everything(project)
    assert sorted(said["through"] for said in rows[0]["annotators"].values()) == [2, 3]
    same_beliefs(project, again(rows))


def test_the_same_person_here_and_in_a_file_from_here_are_both_kept(project: Project) -> None:
    rater = make.make_rater()
    solution = solution_of(project, "r1", annotators={rater.code: {"first_error": 1}})
    make.make_annotation(solution, rater, "1", "-1")
    rows = everything(project)
    assert set(rows[0]["annotators"]) == {rater.code, f"{rater.code} 2"}
    same_beliefs(project, again(rows))


def test_verdicts_by_another_reference_or_by_nobody_do_not_go_out(project: Project) -> None:
    solution = solution_of(project, "r1", answer="18")
    [regraded, _] = make.make_rollouts(solution, 1, right=2)
    regraded.grades.create(grader="test-2", reference="18", verdict="wrong", rule="exact")
    make.make_own_grade(solution, "right")
    make.make_own_grade(solution, "wrong", reference="17")
    rows = everything(project)
    assert rows[0]["evidence"]["rollouts"][0] == {
        "model": "test/completer",
        "parameters": "t1",
        "prefix": 1,
        "right": 1,
        "wrong": 1,
    }
    assert rows[0]["evidence"]["final_answer"] == "right"
    same_beliefs(project, again(rows))


def test_scores_of_a_withdrawn_file_do_not_go_out(project: Project) -> None:
    solution_of(project, "r1")
    wrong = take(project, {"id": "r1", "model": "prm", "scores": [0.1] * 4}, format="scores")
    take(project, {"id": "r1", "model": "prm-2", "scores": [0.9] * 4}, format="scores")
    assert [each["model"] for each in everything(project)[0]["evidence"]["scores"]] == ["prm", "prm-2"]
    intake.withdraw(wrong, None)
    assert [each["model"] for each in everything(project)[0]["evidence"]["scores"]] == ["prm-2"]


def test_an_answer_that_its_file_told_apart_from_the_text_comes_along(project: Project) -> None:
    solution = solution_of(project, "r1")
    Solution.objects.filter(pk=solution.pk).update(own_answer="7")
    make.make_own_grade(solution, "wrong")
    other = again(everything(project))
    assert Solution.objects.get(project=other).own_answer == "7"


def test_what_is_said_later_makes_another_export_and_nothing_said_the_same(project: Project) -> None:
    solution = solution_of(project, "r1", first_error=1)
    make.make_judgement(solution, 1)
    first = made(project, "native", evidence="keep")
    labels_alone = made(project, "native")
    assert made(project, "native", evidence="keep") == first
    make.make_judgement(solution, 2, created_at=timezone.now() + timedelta(minutes=1))
    assert made(project, "native") == labels_alone
    second = made(project, "native", evidence="keep")
    assert second != first
    assert [len(rows_of(each)[0]["evidence"]["judgements"]) for each in (first, second)] == [1, 2]


def test_parquet_holds_the_same_evidence(project: Project) -> None:
    make.make_judgement(solution_of(project, "r1"), 1)
    make.make_judgement(solution_of(project, "r2"), 2, reason="lone ␛D800")
    export = made(project, "native", evidence="keep", unlabelled="keep", container="parquet")
    assert manifest_of(export)["left_out"] == {"its text holds lone surrogates, which readers of this format refuse": 1}
    other = make.make_project()
    read = intake.load(Path(ExportFile.objects.get(export=export, name="train.parquet").path), other, "native")
    assert counts(read) == (1, 1, 0, 0)
    [back] = everything(other)
    assert json.dumps(back) == json.dumps(everything(project)[0])


said = st.fixed_dictionaries(
    {
        "judgements": st.lists(st.tuples(st.sampled_from("jk"), st.sampled_from("pq"), st.integers(-1, 3)), max_size=4),
        "rollouts": st.dictionaries(st.integers(0, 4), st.tuples(*[st.integers(0, 3)] * 3), max_size=3),
        "scores": st.lists(st.lists(st.floats(0, 1), min_size=4, max_size=4), max_size=2),
        "own": st.lists(st.sampled_from(["right", "wrong", "unknown"]), max_size=2),
        "people": st.lists(st.lists(st.sampled_from(["1", "0", "unsure", "-1", ""]), max_size=4), max_size=3),
        "problem": st.sampled_from(["One?", "Two?"]),
    }
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(said, min_size=1, max_size=3))
def test_whatever_was_said_the_posterior_is_the_same_after_the_way_out_and_in(all_said: list[dict[str, Any]]) -> None:
    project = make.make_project()
    for number, each in enumerate(all_said):
        solution = solution_of(project, f"r{number}", problem=each["problem"])
        for sample, (model, prompt, first_error) in enumerate(each["judgements"]):
            make.make_judgement(solution, first_error, model=model, prompt=prompt, sample=sample)
        for prefix, (right, wrong, unknown) in each["rollouts"].items():
            make.make_rollouts(solution, prefix, right=right, wrong=wrong, unknown=unknown)
        for version, values in enumerate(each["scores"]):
            make.make_score(solution, values, model=f"prm-{version}")
        for version, verdict in enumerate(each["own"]):
            make.make_own_grade(solution, verdict, grader=f"test-{version}")
        for ratings in each["people"]:
            make.make_annotation(solution, make.make_rater(), *ratings)
    rows = everything(project)
    other = again(rows)
    same_beliefs(project, other)
    assert everything(other) == rows
