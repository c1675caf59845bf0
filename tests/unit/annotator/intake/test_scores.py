"""Files of scores that a PRM gave to solutions that are here already."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from annotator import beliefs, intake
from annotator.models import Label, Posterior, Project, Routing, Score, Solution, SolutionStatus, WorkState
from tests import factories as make
from tests.unit.annotator.intake.rows import counts, jsonl, native, refusals, take

pytestmark = pytest.mark.django_db

STEPS = ["a", "b", "c"]
GIVEN = [0.9, 0.8, 0.1]


@pytest.fixture(autouse=True)
def files(tmp_path: Path, settings: Any) -> Path:
    settings.STEPWISE_FILES = tmp_path / "files"
    return settings.STEPWISE_FILES


@pytest.fixture
def project() -> Project:
    """With one solution of three steps, called r1 in the source "test"."""
    project = make.make_project()
    take(project, native("r1", steps=STEPS))
    return project


def scores(project: Project, *rows: Any, **options: Any) -> intake.reading.Intake:
    return take(project, *rows, format="scores", **options)


def scored(row_id: str = "r1", **fields: Any) -> dict[str, Any]:
    row = {"id": row_id, "model": "prm", "scores": GIVEN}
    return {name: value for name, value in (row | fields).items() if value is not ...}


def solution(source_id: str = "r1") -> Solution:
    return Solution.objects.get(source_id=source_id)


KEYS: list[dict[str, Any]] = [
    {},
    {"source": "test"},
    {"id": ..., "problem": "What is 2 + 3?", "answer": "5", "steps": STEPS},
    {"id": ..., "prompt": "What is 2 + 3?", "answer": 5, "completions": STEPS},
]


@pytest.mark.parametrize("key", KEYS)
def test_scores_find_their_solution(project: Project, key: dict[str, Any]) -> None:
    read = scores(project, scored(**key))
    assert (read.state, counts(read)) == (WorkState.DONE, (1, 1, 0, 0))
    score = Score.objects.get()
    assert (score.solution.source_id, score.model, score.parameters) == ("r1", "prm", "imported")
    assert (score.values, score.intake) == (GIVEN, read)
    assert beliefs.evidence_of([score.solution])[score.solution_id].scores == tuple(GIVEN)


@pytest.mark.parametrize("field", ["id", "solution"])
def test_a_solution_is_known_by_its_code_too(project: Project, field: str) -> None:
    assert counts(scores(project, scored(**{"id": ..., field: solution().code}))) == (1, 1, 0, 0)


def test_rows_of_one_id_are_told_apart_by_solution_id(project: Project) -> None:
    take(project, native("p", solution_id="a", steps=["x"]), native("p", solution_id="b", steps=["y"]))
    scores(project, scored("p", solution_id="b", scores=[0.5]))
    assert Score.objects.get().solution.source_id == "p#b"


def test_a_text_that_is_here_twice_is_scored_twice(project: Project) -> None:
    take(project, native("r2", steps=STEPS))
    scores(project, scored(id=..., problem="What is 2 + 3?", answer="5", steps=STEPS))
    assert set(Score.objects.values_list("solution__source_id", flat=True)) == {"r1", "r2"}


def test_a_native_export_with_scores_beside_it_is_read(project: Project) -> None:
    row = native("r1", steps=STEPS, solution="a\n\nb\n\nc", scores=GIVEN)
    assert counts(scores(project, row, model="prm")) == (1, 1, 0, 0)


SHAPES = [
    {"scores": GIVEN},
    {"values": GIVEN},
    {"step_scores": GIVEN},
    {"rewards": GIVEN},
    {"step_rewards": [GIVEN]},
    {"scores": [GIVEN]},
    {
        "scores": {"step_level_validity_scores": GIVEN, "step_level_redundancy_scores": [0, 0, 0]},
        "id": ...,
        "idx": "r1",
    },
]


@pytest.mark.parametrize("shape", SHAPES)
def test_other_tools_shapes_are_read_and_recognised(project: Project, shape: dict[str, Any]) -> None:
    row = scored(**({"scores": ...} | shape))
    assert intake.guess(jsonl(row)) == "scores"
    assert counts(scores(project, row)) == (1, 1, 0, 0)
    assert Score.objects.get().values == GIVEN


@pytest.mark.parametrize(
    ("fields", "field", "reason"),
    [
        ({"id": "r9"}, "id", "no solution is called 'r9'"),
        ({"source": "elsewhere"}, "id", "no solution is called 'r1' in source 'elsewhere'"),
        ({"id": ..., "solution": "abcdefghijkl"}, "solution", "no solution has the code"),
        ({"id": ..., "problem": "Another?", "steps": STEPS}, "steps", "no solution of this project"),
        ({"id": ...}, "id", "is missing"),
        ({"id": True}, "id", "must be text or a whole number"),
        ({"scores": [0.5, 0.5]}, "scores", "has 2 entries for 3 steps"),
        ({"scores": [[0.5, 0.5]]}, "scores[0]", "has 2 entries for 3 steps"),
        ({"scores": [0.5, 1.5, 0.5]}, "scores[1]", "must be a probability from 0 to 1, is 1.5"),
        ({"scores": [0.5, -0.1, 0.5]}, "scores[1]", "must be a probability from 0 to 1, is -0.1"),
        ({"scores": [0.5, 0.5, True]}, "scores[2]", "must be a probability from 0 to 1, is true or false"),
        ({"scores": [0.5, None, 0.5]}, "scores[1]", "must be a probability from 0 to 1, is null"),
        ({"scores": ["0.5", 0.5, 0.5]}, "scores[0]", "must be a probability from 0 to 1, is text"),
        ({"scores": []}, "scores", "must be a list of probabilities"),
        ({"scores": "0.5"}, "scores", "must be a list of probabilities"),
        ({"scores": {"min": 0.5}}, "scores.step_level_validity_scores", "must be a list of probabilities"),
        ({"scores": ...}, "scores", "is missing"),
        ({"model": ...}, "model", "is missing"),
        ({"model": 5}, "model", "must be text"),
        ({"parameters": "x" * 65}, "parameters", "must be a hash"),
    ],
)
def test_what_cannot_be_taken_is_refused_by_line_and_field(
    project: Project, fields: dict[str, Any], field: str, reason: str
) -> None:
    read = scores(project, scored(), scored(**fields))
    assert counts(read) == (2, 1, 0, 1)
    [(line, where, why)] = refusals(read)
    assert (line, where) == (2, field)
    assert why.startswith(reason)


def test_nan_is_refused_in_json_and_in_parquet(project: Project, tmp_path: Path) -> None:
    read = scores(project, b'{"id": "r1", "model": "prm", "scores": [0.5, NaN, 0.5]}')
    assert [(line, "NaN" in why) for line, _, why in refusals(read)] == [(1, True)]
    table = pyarrow.Table.from_pylist(
        [scored(scores=[0.5, float("nan"), 0.5]), scored(), scored("r9", scores=[float("inf")] * 3)]
    )
    pyarrow.parquet.write_table(table, tmp_path / "scores.parquet")
    read = intake.load(tmp_path / "scores.parquet", project, "scores")
    assert counts(read) == (3, 1, 0, 2)
    assert [(line, where) for line, where, _ in refusals(read)] == [(1, "scores[1]"), (3, "scores[0]")]
    assert Score.objects.get().values == GIVEN


def test_an_id_that_is_here_from_two_sources_must_name_one(project: Project) -> None:
    take(project, native("r1", source="other", steps=STEPS))
    read = scores(project, scored(), scored(source="other"))
    assert refusals(read) == [(1, "source", "must be named: 'r1' is here from 'other', 'test'")]
    assert counts(scores(project, scored(), source="test")) == (1, 1, 0, 0)
    assert Score.objects.count() == 2


def test_the_same_scores_again_are_known_and_others_of_the_same_model_are_refused(project: Project) -> None:
    assert counts(scores(project, scored(), scored())) == (2, 1, 1, 0)
    assert counts(scores(project, scored())) == (1, 0, 1, 0)
    [(_, field, reason)] = refusals(scores(project, scored(scores=[0.1, 0.1, 0.1])))
    assert (field, reason.startswith("prm gave this solution other scores before")) == ("scores", True)
    assert counts(scores(project, scored(scores=[0.1] * 3, parameters="v2"), scored(model="other"))) == (2, 2, 0, 0)
    assert Score.objects.count() == 3


def test_the_model_may_be_named_once_for_the_file(project: Project) -> None:
    scores(project, scored(model=...), model="prm-7b")
    assert Score.objects.get().model == "prm-7b"


def test_another_projects_solutions_and_withdrawn_ones_are_not_known(project: Project) -> None:
    assert counts(scores(make.make_project(), scored(), scored(id=..., solution=solution().code))) == (2, 0, 0, 2)
    withdrawn = solution().intake
    assert withdrawn is not None
    intake.withdraw(withdrawn, None)
    assert counts(scores(project, scored())) == (1, 0, 0, 1)


def test_what_was_scored_is_routed_with_what_is_then_known(project: Project) -> None:
    project.threshold = 0.6
    project.save()
    make.make_judgement(solution(), 2)
    scores(project, scored(scores=[0.99, 0.99, 0.01]))
    assert solution().status == SolutionStatus.MACHINE
    assert not Label.objects.get(index=2, superseded_at=None).settlement.simulated


def test_scores_of_the_simulator_are_marked(project: Project) -> None:
    scores(project, scored(model="simulated/prm"))
    assert Posterior.objects.get(superseded_at=None).simulated


def test_a_reader_that_was_killed_before_it_decided_is_followed_by_one_that_does(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    received = intake.receive(project, [jsonl(scored())], format="scores")
    with monkeypatch.context() as patch:
        patch.setattr("annotator.intake.scored.decide_again", lambda intake, between: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            intake.read(received.pk)
    assert not Routing.objects.exists()
    read = intake.read(received.pk)
    assert (read.state, counts(read)) == (WorkState.DONE, (1, 1, 0, 0))
    assert Routing.objects.filter(superseded_at=None).count() == 1


def test_a_withdrawn_file_counts_no_more_and_the_next_may_say_otherwise(project: Project) -> None:
    project.threshold = 0.6
    project.save()
    make.make_judgement(solution(), 2)
    wrong = scores(project, scored(scores=[0.99, 0.99, 0.01]))
    intake.withdraw(wrong, None)
    assert solution().status == SolutionStatus.NEW
    assert not Label.objects.filter(superseded_at=None).exists()
    assert not Posterior.objects.filter(superseded_at=None).exists()
    assert beliefs.evidence_of([solution()])[solution().pk].scores is None
    assert counts(scores(project, scored(scores=[0.2, 0.9, 0.9]))) == (1, 1, 0, 0)
    assert beliefs.evidence_of([solution()])[solution().pk].scores == (0.2, 0.9, 0.9)


def test_what_people_settled_stays_when_scores_are_withdrawn(project: Project) -> None:
    take(project, native("r2", first_error=1))
    wrong = scores(project, scored("r2", scores=[0.5, 0.5]))
    intake.withdraw(wrong, None)
    assert solution("r2").status == SolutionStatus.SETTLED
    assert Label.objects.filter(superseded_at=None).count() == 2


def test_a_look_at_a_file_of_scores_shows_them(project: Project) -> None:
    seen = intake.preview(jsonl(scored(model=...), scored(scores=[2])), "scores", {"model": "prm"})
    [row] = seen.rows
    assert (row.problem, row.steps, row.source_id) == ("scores by prm", ("0.9", "0.8", "0.1"), "r1")
    assert [refused.field for refused in seen.refused] == ["scores[0]"]


def test_a_project_with_scores_from_a_file_can_be_purged(project: Project) -> None:
    scores(project, scored())
    assert intake.purge(project)["score"] == 1
    assert not Score.objects.exists()
