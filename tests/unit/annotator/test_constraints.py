"""What the database itself must refuse: every constraint is broken on purpose, and must be the one that refuses."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone

from annotator import stand_ins
from annotator.models import (
    Annotation,
    Assignment,
    Audit,
    Call,
    Certificate,
    Disagreement,
    Endpoint,
    Event,
    Export,
    ExportFile,
    Fit,
    Grade,
    ImportedAnnotation,
    Intake,
    Judgement,
    Label,
    Membership,
    OwnGrade,
    Person,
    Posterior,
    Preference,
    Problem,
    Project,
    Rater,
    Rating,
    Review,
    Rollout,
    Routing,
    Run,
    RunItem,
    Score,
    Selection,
    Settlement,
    Sighting,
    Slot,
    Snapshot,
    Solution,
    Step,
    Token,
    record,
)
from annotator.models.codes import new_code
from tests import factories as make

pytestmark = pytest.mark.django_db


@dataclass
class World:
    """Two projects with a solution of three steps each, and everything that hangs on the first one."""

    project: Project
    solution: Solution
    other: Solution
    """Of another project, with five steps."""
    sibling: Solution
    """Of the same project."""
    person: Person
    rater: Rater
    second: Rater
    slot: Slot
    assignment: Assignment
    annotation: Annotation
    posterior: Posterior
    settlement: Settlement
    rollout: Rollout
    export: Export
    run: Run
    endpoint: Endpoint


@pytest.fixture
def world() -> World:
    project = make.make_project()
    solution, sibling = make.make_solution(project, steps=3), make.make_solution(project, steps=3)
    other = make.make_solution(make.make_project(), steps=5)
    person = make.make_person(project=project)
    rater, second = person.work_as(), make.make_rater()
    annotation = make.make_annotation(solution, second, "1", "-1")
    slot = make.make_slot(solution)
    assignment = make.make_assignment(slot, rater)
    posterior = make.make_posterior(solution, [0.1, 0.7, 0.1, 0.1])
    settlement = Settlement.objects.create(
        solution=solution, source="machine", step_count=3, first_error=1, posterior=posterior
    )
    label(solution, settlement)
    [rollout] = make.make_rollouts(solution, 1, right=1)
    make.make_judgement(solution, 1)
    make.make_own_grade(solution)
    make.make_score(solution, [0.9, 0.1, 0.2])
    ImportedAnnotation.objects.create(solution=solution, key="a", step_count=3, first_error=1)
    Routing.objects.create(solution=solution, destination="people", reason="", threshold=0.9)
    Disagreement.objects.create(project=project, solution=solution, reason="people differ")
    Audit.objects.create(project=project, solution=solution, share=0.1)
    Fit.objects.create(project=project, state="done", parameters={})
    make.make_certificate(project)
    snapshot = Snapshot.objects.create(project=project, cutoff=timezone.now())
    export = Export.objects.create(project=project, snapshot=snapshot, format="trl", choices_hash="c")
    ExportFile.objects.create(export=export, name="train.jsonl", bytes=1, sha256="0" * 64, path="x")
    run = make.make_run(project)
    RunItem.objects.create(run=run, solution=solution)
    endpoint = make.make_endpoint()
    Call.objects.create(endpoint=endpoint, ok=True)
    Review.objects.create(annotation=annotation, reviewer=rater, accepted=True)
    Selection.objects.create(run=run, rollout=rollout, solution=solution)
    prefer(solution, run)
    record("test.happened", project=project)
    return World(
        project, solution, other, sibling, person, rater, second, slot, assignment, annotation, posterior, settlement,
        rollout, export, run, endpoint,
    )  # fmt: skip


def label(solution: Solution, settlement: Settlement, **fields: Any) -> Label:
    values = {"index": 0, "value": 1, "source": settlement.source, "provisional": settlement.provisional, **fields}
    return Label.objects.create(solution=solution, settlement=settlement, **values)


def settle(solution: Solution, **fields: Any) -> Settlement:
    values = {"source": "human", "step_count": solution.step_count, "first_error": -1, **fields}
    return Settlement.objects.create(solution=solution, **values)


def prefer(solution: Solution, run: Run, **fields: Any) -> Preference:
    values = {"prefix": 1, "chosen": "good", "rejected": "bad", "chosen_value": 0.8, "rejected_value": 0.2, **fields}
    values = {"problem": solution.problem, "step_count": solution.step_count, **values}
    return Preference.objects.create(solution=solution, run=run, **values)


def fork(world: World, **fields: Any) -> Solution:
    values = {"problem": world.solution.problem, "forked_from": world.solution, "forked_at": 1, **fields}
    return make.make_solution(world.project, steps=2, **values)


def again(row: models.Model, **changes: Any) -> models.Model:
    """The same row once more."""
    row = type(row).objects.get(pk=row.pk)
    row.pk = None
    row._state.adding = True
    if hasattr(row, "code"):
        row.code = new_code()
    for name, value in changes.items():
        setattr(row, name, value)
    row.save()
    return row


def change(row: models.Model, **values: Any) -> None:
    type(row).objects.filter(pk=row.pk).update(**values)


def only(model: type[models.Model], **filters: Any) -> Any:
    return model.objects.filter(**filters).get()


def annotate(world: World, **fields: Any) -> Annotation:
    values = {
        "assignment": world.assignment,
        "solution": world.solution,
        "rater": world.rater,
        "finish_reason": "solution",
        "blind": True,
        **fields,
    }
    return Annotation.objects.create(**values)


def rate(world: World, **fields: Any) -> Rating:
    values = {"annotation": world.annotation, "solution": world.solution, "index": 2, "rating": "1", **fields}
    return Rating.objects.create(**values)


def with_key(world: World) -> None:
    change_now = timezone.now()
    annotate(world, idempotency_key="k", superseded_at=change_now)
    annotate(world, idempotency_key="k")


def unanswered(world: World) -> Problem:
    return make.make_problem(world.project, answer=None)


def by_stand_in(world: World, prefix: int = 1, **fields: Any) -> Grade:
    """A grade of a rollout against the stand-in of its problem."""
    solution = make.make_solution(problem=unanswered(world), steps=3)
    stand_in = make.make_stand_in(solution.problem)
    rollout = again(world.rollout, solution=solution, prefix=prefix)
    values = {"grader": "2", "reference": stand_in.answer, "verdict": "right", "stand_in": stand_in, **fields}
    return Grade.objects.create(rollout=rollout, **values)


def own_by_stand_in(world: World, **fields: Any) -> OwnGrade:
    solution = make.make_solution(problem=unanswered(world))
    stand_in = make.make_stand_in(solution.problem)
    return make.make_own_grade(solution, **{"reference": stand_in.answer, "stand_in": stand_in, **fields})


def settle_by_stand_in(world: World, **fields: Any) -> Settlement:
    solution = make.make_solution(problem=unanswered(world), steps=3)
    stand_in = make.make_stand_in(solution.problem)
    posterior = make.make_posterior(solution, [0.1, 0.7, 0.1, 0.1], stand_in=stand_in)
    values = {"source": "machine", "provisional": True, "posterior": posterior, "stand_in": stand_in, **fields}
    return settle(solution, **values)


CASES: dict[str, Callable[[World], Any]] = {
    # two current annotations of one solution by one rater; more work than slots
    "annotation_one_current": lambda w: (annotate(w), annotate(w)),
    "annotation_once_by_key": with_key,
    "annotation_has_an_assignment": lambda w: annotate(w, assignment=None),
    "annotation_composite_5": lambda w: annotate(w, rater=make.make_rater()),
    "annotation_finish_reason_known": lambda w: annotate(w, finish_reason="bored"),
    "annotation_purpose_known": lambda w: annotate(w, purpose="fun"),
    "slot_once": lambda w: again(w.slot),
    "slot_purpose_known": lambda w: change(w.slot, purpose="fun"),
    "slot_state_known": lambda w: change(w.slot, state="lost"),
    "slot_composite_1": lambda w: change(w.slot, project=w.other.project),
    "assignment_one_a_slot": lambda w: make.make_assignment(w.slot, make.make_rater()),
    # two live leases of one rater on one solution; a lease without an end
    "assignment_one_a_rater": lambda w: make.make_assignment(make.make_slot(w.solution), w.rater),
    "assignment_lease_ends_later": lambda w: change(w.assignment, lease_until=w.assignment.created_at),
    "assignment_state_known": lambda w: change(w.assignment, state="lost"),
    "assignment_composite_4": lambda w: change(w.assignment, solution=w.sibling),
    # ratings
    "rating_known": lambda w: rate(w, rating="2"),
    "rating_once": lambda w: rate(w, index=1),
    "rating_composite_6": lambda w: rate(w, solution=w.sibling),
    "rating_composite_7": lambda w: rate(w, index=3),
    "sighting_once": lambda w: [Sighting.objects.create(rater=w.rater, solution=w.solution) for _ in range(2)],
    "review_once": lambda w: Review.objects.create(annotation=w.annotation, reviewer=w.rater, accepted=False),
    # labels and what they hang on
    "label_one_current": lambda w: label(w.solution, w.settlement),
    "label_has_a_source": lambda w: label(w.solution, w.settlement, index=1, source="hearsay"),
    "label_value_known": lambda w: label(w.solution, w.settlement, index=1, value=2),
    "label_machine_is_never_neutral": lambda w: label(w.solution, w.settlement, index=1, value=0),
    "label_p_correct_probability": lambda w: label(w.solution, w.settlement, index=1, p_correct=1.01),
    "label_composite_8": lambda w: label(w.solution, w.settlement, index=3),
    "label_composite_9": lambda w: label(w.solution, w.settlement, index=1, source="human"),
    "settlement_one_current": lambda w: settle(w.solution),
    "settlement_source_known": lambda w: settle(w.sibling, source="hearsay"),
    "settlement_only_machines_are_provisional": lambda w: settle(w.sibling, provisional=True),
    "settlement_by_machine_has_posterior": lambda w: settle(w.sibling, source="machine"),
    "settlement_first_error_is_a_step": lambda w: settle(w.sibling, first_error=3),
    "settlement_composite_15": lambda w: settle(w.sibling, step_count=5),
    "settlement_posterior_is_its_own": lambda w: settle(w.sibling, posterior=w.posterior),
    "routing_posterior_is_its_own": lambda w: Routing.objects.create(
        solution=w.sibling, destination="machine", reason="", threshold=0.9, posterior=w.posterior
    ),
    "routing_one_current": lambda w: Routing.objects.create(
        solution=w.solution, destination="people", reason="", threshold=0.9
    ),
    "routing_destination_known": lambda w: Routing.objects.create(
        solution=w.sibling, destination="bin", reason="", threshold=0.9
    ),
    "disagreement_one_open": lambda w: again(only(Disagreement)),
    "disagreement_composite_3": lambda w: Disagreement.objects.create(
        project=w.other.project, solution=w.sibling, reason=""
    ),
    # one reply of a model counted twice
    "judgement_once": lambda w: again(only(Judgement)),
    "judgement_first_error_is_a_step": lambda w: make.make_judgement(w.solution, 3),
    "judgement_composite_10": lambda w: again(only(Judgement), sample=1, step_count=5),
    "rollout_once": lambda w: again(w.rollout),
    "rollout_prefix_is_within": lambda w: again(w.rollout, prefix=4),
    "rollout_composite_11": lambda w: again(w.rollout, sample=1, step_count=5),
    "grade_once": lambda w: again(only(Grade)),
    "grade_verdict_known": lambda w: again(only(Grade), grader="test-2", verdict="perhaps"),
    "own_grade_once": lambda w: again(only(OwnGrade)),
    "own_grade_verdict_known": lambda w: make.make_own_grade(w.sibling, "perhaps"),
    "score_once": lambda w: again(only(Score)),
    "score_once_a_file": lambda w: again(again(only(Score), intake=make.make_intake(w.project))),
    "score_composite_12": lambda w: Score.objects.create(
        solution=w.sibling, model="m", step_count=5, values=[0.1] * 5
    ),
    "score_has_no_gap": lambda w: Score.objects.create(
        solution=w.sibling, model="m", step_count=3, values=[0.1, None, 0.1]
    ),
    "imported_annotation_once": lambda w: again(only(ImportedAnnotation)),
    "imported_first_error_is_a_step": lambda w: again(only(ImportedAnnotation), key="b", first_error=3),
    "importedannotation_composite_13": lambda w: again(only(ImportedAnnotation), key="b", step_count=5),
    # posteriors and certificates
    "posterior_one_current": lambda w: make.make_posterior(w.solution, [0.2, 0.6, 0.1, 0.1]),
    "posterior_has_no_gap": lambda w: again(
        w.posterior, solution=w.sibling, probabilities=[0.2, None, 0.7, 0.1]
    ),
    "posterior_certainty_probability": lambda w: again(w.posterior, solution=w.sibling, certainty=1.01),
    "posterior_first_error_is_a_step": lambda w: again(w.posterior, solution=w.sibling, first_error=3),
    "posterior_composite_14": lambda w: again(w.posterior, solution=w.sibling, step_count=4, probabilities=[0.2] * 5),
    "audit_share_probability": lambda w: Audit.objects.create(project=w.project, solution=w.sibling, share=0.0),
    "audit_composite_2": lambda w: Audit.objects.create(project=w.other.project, solution=w.sibling, share=0.1),
    "fit_one_current": lambda w: Fit.objects.create(project=w.project, state="done", parameters={}),
    "fit_one_under_way": lambda w: [Fit.objects.create(project=w.project) for _ in range(2)],
    "fit_state_known": lambda w: change(only(Fit), state="lost", parameters=None),
    "fit_done_has_parameters": lambda w: change(only(Fit), parameters=None),
    "certificate_one_in_force": lambda w: make.make_certificate(w.project),
    "certificate_probabilities": lambda w: make.make_certificate(w.other.project, 1.01),
    "certificate_counts_nest": lambda w: make.make_certificate(w.other.project, accepted=101),
    # two exports of one snapshot, format and choices with different bytes
    "snapshot_once": lambda w: again(w.export.snapshot),
    "export_once": lambda w: again(w.export),
    "export_file_once": lambda w: again(only(ExportFile), sha256="1" * 64),
    "export_state_known": lambda w: change(w.export, state="lost"),
    # problems, solutions, steps
    "problem_once": lambda w: again(w.solution.problem),
    "solution_once_by_id": lambda w: again(w.solution),
    "solution_once_by_content": lambda w: (again(w.solution, source_id=None), again(w.solution, source_id=None)),
    "solution_has_a_step": lambda w: again(w.solution, source_id="x", step_count=0),
    "solution_status_known": lambda w: change(w.solution, status="lost"),
    "solution_composite_0": lambda w: again(w.solution, project=w.other.project, source_id="x"),
    "solution_fork_is_whole": lambda w: fork(w, forked_at=None),
    "solution_fork_adds_a_step": lambda w: fork(w, forked_at=2),
    "solution_fork_is_younger": lambda w: change(w.sibling, forked_from=w.sibling, forked_at=1),
    "solution_forks_within_its_problem": lambda w: fork(w, problem=w.sibling.problem),
    # what tree search left behind
    "annotator_selection_rollout_id_key": lambda w: Selection.objects.create(
        run=w.run, rollout=w.rollout, solution=w.solution
    ),
    "selection_once_without_rollout": lambda w: [
        Selection.objects.create(run=w.run, solution=w.solution) for _ in range(2)
    ],
    "preference_once": lambda w: prefer(w.solution, w.run, chosen_value=0.9),
    "preference_prefix_is_within": lambda w: prefer(w.solution, w.run, prefix=4),
    "preference_chosen_is_better": lambda w: prefer(w.solution, w.run, prefix=0, chosen_value=0.2),
    "preference_is_of_its_problem": lambda w: prefer(w.solution, w.run, problem=w.sibling.problem, prefix=0),
    "preference_counts_its_steps": lambda w: prefer(w.solution, w.run, prefix=0, step_count=5),
    # majority answers
    "stand_in_one_current": lambda w: again(make.make_stand_in(unanswered(w))),
    "stand_in_counts_nest": lambda w: make.make_stand_in(unanswered(w), votes=9, runner_up=5, total=13),
    "stand_in_says_something": lambda w: make.make_stand_in(unanswered(w), answer=" "),
    "stand_in_names_who_drew": lambda w: make.make_stand_in(unanswered(w), drawn_by=[]),
    "grade_once_by_stand_in": lambda w: again(by_stand_in(w)),
    "own_grade_once_by_stand_in": lambda w: again(own_by_stand_in(w)),
    "settlement_by_stand_in_is_provisional": lambda w: settle_by_stand_in(w, provisional=False),
    "step_once": lambda w: again(w.solution.step_rows.first()),
    "step_ends_after_start": lambda w: Step.objects.create(solution=w.solution, index=3, start=5, end=4),
    "intake_state_known": lambda w: make.make_intake(w.project, state="lost"),
    # projects, people, machines
    "project_threshold_probability": lambda w: change(w.project, threshold=1.01),
    "project_audit_share_probability": lambda w: change(w.project, audit_share=-0.01),
    "project_overlap_positive": lambda w: change(w.project, overlap=0),
    "project_stand_in_samples_enough": lambda w: change(w.project, stand_in_samples=7),
    "project_lease_positive": lambda w: change(w.project, lease_minutes=0),
    "project_evidence_mode_known": lambda w: change(w.project, evidence_mode="sometimes"),
    "membership_one_role": lambda w: again(only(Membership, person=w.person)),
    "membership_role_known": lambda w: change(only(Membership, person=w.person), role="king"),
    "token_has_scopes": lambda w: Token.issue(w.person, []),
    "endpoint_kind_known": lambda w: change(w.endpoint, kind="oracle"),
    "endpoint_slots_positive": lambda w: change(w.endpoint, slots=0),
    "endpoint_prices_not_negative": lambda w: change(w.endpoint, prompt_price=-1.0),
    "run_kind_known": lambda w: change(w.run, kind="walk"),
    "run_state_known": lambda w: change(w.run, state="lost"),
    "run_item_once": lambda w: again(only(RunItem)),
    "run_item_state_known": lambda w: change(only(RunItem), state="lost"),
}  # fmt: skip


def refused(attempt: Callable[[], Any]) -> str:
    """Name of the constraint that refuses, or of the column that may not be empty."""
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        attempt()
    diagnosis = caught.value.__cause__.diag  # type: ignore[union-attr]
    return diagnosis.constraint_name or diagnosis.column_name or diagnosis.message_primary


@pytest.mark.parametrize("constraint", CASES)
def test_the_constraint_refuses(world: World, constraint: str) -> None:
    assert refused(lambda: CASES[constraint](world)) == constraint


@pytest.mark.parametrize(
    "probabilities",
    [
        pytest.param([0.5, 0.5, 0.0], id="too short"),
        pytest.param([0.2] * 5, id="too long"),
        pytest.param([1.1, -0.1, 0.0, 0.0], id="outside 0..1"),
        pytest.param([float("nan"), 0.5, 0.5, 0.0], id="not a number"),
    ],
)
def test_a_posterior_is_probabilities_one_more_than_steps(world: World, probabilities: list[float]) -> None:
    attempt = refused(lambda: again(world.posterior, solution=world.sibling, probabilities=probabilities))
    assert attempt == "posterior_is_a_distribution"


@pytest.mark.parametrize("values", [[0.5, 0.5], [0.5] * 4, [0.5, 1.5, 0.5], [0.5, float("nan"), 0.5]])
def test_scores_are_a_probability_a_step(world: World, values: list[float]) -> None:
    attempt = refused(lambda: Score.objects.create(solution=world.sibling, model="m", step_count=3, values=values))
    assert attempt == "score_is_a_probability_a_step"


def test_every_constraint_of_ours_has_a_case_that_breaks_it() -> None:
    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT constraints.conname FROM pg_constraint AS constraints
            JOIN pg_class AS tables ON tables.oid = constraints.conrelid
            WHERE tables.relname LIKE 'annotator\\_%%' AND contype IN ('c', 'u', 'f')
            UNION SELECT indexname FROM pg_indexes
            WHERE tablename LIKE 'annotator\\_%%' AND indexdef ~ '^CREATE UNIQUE.*( WHERE |md5)'
        """)
        names = {name for (name,) in cursor.fetchall()}
    of_django = {name for name in names if name.startswith("annotator_")}  # its own keys and "not negative" checks
    targets = {"settlement_key_for_labels"}  # never broken: it holds the primary key
    covered = {*CASES, "posterior_is_a_distribution", "score_is_a_probability_a_step"}
    assert names - of_django - targets == covered - of_django


def test_every_constraint_outside_the_models_says_what_it_prevents() -> None:
    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT conname, obj_description(oid, 'pg_constraint') FROM pg_constraint
            WHERE conname ~ '_composite_|_no_gap$|_its_own$|_is_a_distribution$|_probability_a_step$|_has_|_its_'
              AND conname !~ '^annotator_' AND conname NOT IN ('label_has_a_source', 'solution_has_a_step',
                  'settlement_by_machine_has_posterior', 'fit_done_has_parameters')
        """)
        comments = dict(cursor.fetchall())
    assert len(comments) >= 20
    assert all(comment and comment.startswith("prevents ") for comment in comments.values()), comments


def test_a_fork_cannot_begin_behind_the_end_of_what_it_forks_from(world: World) -> None:
    attempt = refused(
        lambda: make.make_solution(problem=world.solution.problem, steps=5, forked_from=world.solution, forked_at=4)
    )
    assert attempt == "solution_fork_starts_within"


def test_a_solution_is_not_made_of_another_problems_rollout(world: World) -> None:
    [rollout] = make.make_rollouts(world.sibling, 1, wrong=1)
    made = lambda: Selection.objects.create(run=world.run, rollout=rollout, solution=world.solution)  # noqa: E731
    assert refused(made) == "selection_is_of_one_problem"


def test_a_pair_of_steps_may_be_of_any_length(world: World) -> None:
    """A B-tree entry ends at some 2,700 bytes; what would not compress is the case."""
    long = "".join(hashlib.sha256(str(n).encode()).hexdigest() for n in range(2000))
    prefer(world.solution, world.run, chosen=long, rejected=long[::-1])


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("assignment", "lease_until"),
        ("label", "source"),
        ("label", "settlement_id"),
        ("settlement", "source"),
        ("rating", "rating"),
        ("annotation", "rater_id"),
        ("annotation", "blind"),
    ],
)
def test_what_may_not_be_empty(world: World, table: str, column: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT is_nullable FROM information_schema.columns WHERE table_name = %s AND column_name = %s",
            [f"annotator_{table}", column],
        )
        assert cursor.fetchall() == [("NO",)]


def test_a_lease_must_have_an_end(world: World) -> None:
    assert refused(lambda: change(world.assignment, lease_until=None)) == "lease_until"


def test_a_slot_is_free_again_once_its_lease_expired(world: World) -> None:
    change(world.assignment, state="expired")
    make.make_assignment(world.slot, make.make_rater())


def test_a_superseded_annotation_makes_room_for_the_next(world: World) -> None:
    first = annotate(world)
    change(first, superseded_at=timezone.now())
    annotate(world)


# --- append-only -------------------------------------------------------------------------------------------------

FROZEN: dict[type[models.Model], dict[str, Any]] = {
    Rating: {"rating": "0"},
    Judgement: {"first_error": -1},
    Grade: {"verdict": "wrong"},
    OwnGrade: {"verdict": "wrong"},
    Score: {"values": [0.1, 0.1, 0.1]},
    ImportedAnnotation: {"first_error": -1},
    Call: {"cost": 0.0},
    Event: {"kind": "nothing.happened"},
    ExportFile: {"sha256": "1" * 64},
    Rollout: {"text": "something else"},
    Annotation: {"comment": "changed"},
    Label: {"value": -1},
    Settlement: {"first_error": -1},
    Posterior: {"certainty": 1.0},
    Routing: {"reason": "changed"},
    Selection: {"rollout": None},
    Preference: {"chosen": "changed"},
}
SUPERSEDED = [Annotation, Label, Settlement, Posterior, Routing]


@pytest.mark.parametrize("model", FROZEN, ids=lambda model: model.__name__)
def test_a_row_cannot_be_changed(world: World, model: type[models.Model]) -> None:
    row = model.objects.first()
    assert row is not None
    assert "append-only" in refused(lambda: change(row, **FROZEN[model]))


@pytest.mark.parametrize("model", FROZEN, ids=lambda model: model.__name__)
def test_a_row_cannot_be_deleted(world: World, model: type[models.Model]) -> None:
    table = model._meta.db_table
    with connection.cursor() as cursor:
        assert "append-only" in refused(lambda: cursor.execute(f"DELETE FROM {table}"))  # noqa: S608


@pytest.mark.parametrize("model", SUPERSEDED, ids=lambda model: model.__name__)
def test_a_row_can_be_superseded(world: World, model: type[models.Model]) -> None:
    assert model.objects.filter(superseded_at=None).update(superseded_at=timezone.now()) >= 1


def test_a_purge_gets_past_the_triggers_for_one_transaction(world: World) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL stepwise.purge = 'on'")
        assert Rating.objects.filter(annotation=world.annotation).delete()[0] == 2


def test_the_lease_of_a_returned_assignment_can_be_extended(world: World) -> None:
    change(world.assignment, lease_until=timezone.now() + timedelta(days=1))


def test_a_withdrawn_certificate_makes_room_for_the_next(world: World) -> None:
    Certificate.objects.update(withdrawn_at=timezone.now())
    make.make_certificate(world.project)


def test_a_withdrawn_solution_makes_room_for_the_same_row(world: World) -> None:
    change(world.solution, withdrawn_at=timezone.now())
    again(world.solution, withdrawn_at=None)


def test_one_problem_belongs_to_one_project_only(world: World) -> None:
    problem = world.solution.problem
    twin = Problem.objects.create(project=world.other.project, statement=problem.statement, key=problem.key)
    assert twin.pk != problem.pk


def test_an_intake_may_be_deleted_and_its_solutions_stay(world: World) -> None:
    intake = make.make_intake(world.project)
    change(world.solution, intake=intake)
    Intake.objects.filter(pk=intake.pk).delete()
    assert Solution.objects.get(pk=world.solution.pk).intake_id is None


def test_a_majority_answer_never_stands_beside_a_reference_answer(world: World) -> None:
    attempt = refused(lambda: make.make_stand_in(world.solution.problem))
    assert attempt == "stand_in_is_for_want_of_an_answer"


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"reference": "17"}, id="in other words"),
        pytest.param({"rollout": "another problem's"}, id="of another problem"),
        pytest.param({"prefix": 0}, id="of one that voted for it"),
    ],
)
def test_a_grade_fits_the_stand_in_that_it_names(world: World, fields: dict[str, Any]) -> None:
    if "rollout" in fields:
        [fields["rollout"]] = make.make_rollouts(world.sibling, 1, right=1)
        stand_in = make.make_stand_in(unanswered(world))
        values = {"grader": "2", "reference": stand_in.answer, "verdict": "right", "stand_in": stand_in}
        assert refused(lambda: Grade.objects.create(**values, **fields)) == "grade_fits_its_stand_in"
    else:
        assert refused(lambda: by_stand_in(world, **fields)) == "grade_fits_its_stand_in"


def test_a_grade_of_an_own_answer_fits_the_stand_in_that_it_names(world: World) -> None:
    assert refused(lambda: own_by_stand_in(world, reference="17")) == "own_grade_fits_its_stand_in"
    stand_in = make.make_stand_in(unanswered(world))
    elsewhere = refused(lambda: make.make_own_grade(world.sibling, reference=stand_in.answer, stand_in=stand_in))
    assert elsewhere == "own_grade_fits_its_stand_in"


def test_machine_labels_cannot_hide_the_stand_in_that_they_rest_on(world: World) -> None:
    assert refused(lambda: settle_by_stand_in(world, stand_in=None)) == "settlement_keeps_the_stand_in"
    assert settle_by_stand_in(world).stand_in is not None


def test_a_pair_names_the_stand_in_that_it_rests_on(world: World) -> None:
    solution = make.make_solution(problem=unanswered(world))
    assert refused(lambda: make.make_preference(solution, world.run)) == "preference_fits_its_stand_in"
    another = make.make_stand_in(unanswered(world))
    elsewhere = refused(lambda: make.make_preference(solution, world.run, stand_in=another))
    assert elsewhere == "preference_fits_its_stand_in"
    assert make.make_preference(solution, world.run, stand_in=make.make_stand_in(solution.problem)).pk


def test_a_pair_stands_once_on_each_ground(world: World) -> None:
    solution = make.make_solution(problem=unanswered(world))
    stand_in = make.make_stand_in(solution.problem)
    make.make_preference(solution, world.run, stand_in=stand_in)
    assert refused(lambda: make.make_preference(solution, world.run, stand_in=stand_in)) == "preference_once"
    stand_ins.answer(solution.problem, "18", "another key")
    found = make.make_preference(solution, world.run)
    assert refused(lambda: make.make_preference(solution, world.run)) == "preference_once"
    assert list(Preference.objects.filter(solution=solution).in_force()) == [found]


def test_a_stand_in_is_superseded_and_never_edited(world: World) -> None:
    stand_in = make.make_stand_in(unanswered(world))
    with pytest.raises(IntegrityError), transaction.atomic():
        change(stand_in, answer="17")
    change(stand_in, superseded_at=timezone.now())
    assert make.make_stand_in(stand_in.problem).superseded_at is None
