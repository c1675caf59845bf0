"""What a fit may rest on: whose word counts, as what, and whose never does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from annotator import grounds, intake
from annotator.models import Audit, ImportedAnnotation, Intake, Project, Purpose, Settlement, Solution, Source
from reasoning.types import Evidence, PersonRating
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def solution(project: Project) -> Solution:
    return make.make_solution(project, steps=4)


def settle(solution: Solution, first_error: int | None, source: str = Source.IMPORTED, *, of: str = "native") -> None:
    loaded: Intake | None = make.make_intake(solution.project, format=of) if source == Source.IMPORTED else None
    posterior = make.make_posterior(solution, [0.1, 0.6, 0.1, 0.1, 0.1]) if source == Source.MACHINE else None
    Settlement.objects.create(
        solution=solution,
        source=source,
        step_count=solution.step_count,
        first_error=first_error,
        intake=loaded,
        posterior=posterior,
    )


def only(project: Project) -> tuple[Evidence, int | None]:
    found = grounds.gather(project)
    [evidence], [label] = found.evidence, found.labels
    return evidence, label


def test_labels_that_came_along_count_where_their_format_says_that_people_made_them(project: Project) -> None:
    for number, of in enumerate(("native", "processbench", "math_shepherd", "rlhflow", "trl")):
        settle(make.make_solution(project, source_id=of), number % 4, of=of)
    found = grounds.gather(project)
    assert sorted(label for label in found.labels if label is not None) == [0, 1]
    assert grounds.counts(project) == (0, 2)


def test_what_machines_had_labelled_in_another_stepwise_never_counts(project: Project, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    rows = [
        {"problem": f"{source}?", "steps": ["a", "b"], "first_error": 1, "label_source": source}
        for source in ("human", "machine", "provisional")
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    intake.load(file, project, "native", {}, None)
    [labelled] = grounds.labels_of(project)
    assert Solution.objects.get(pk=labelled).problem.statement == "human?"
    settled = {row.problem.statement: row.status for row in Solution.objects.select_related("problem")}
    assert settled == {"human?": "settled", "machine?": "settled", "provisional?": "new"}


def test_gold_counts_and_what_leaves_the_first_error_open_does_not(project: Project) -> None:
    settle(make.make_solution(project), 2, Source.GOLD)
    settle(make.make_solution(project), None)
    assert list(grounds.labels_of(project).values()) == [2]


def test_labels_of_machines_never_count(project: Project, solution: Solution) -> None:
    make.make_judgement(solution, 1)
    settle(solution, 1, Source.MACHINE)
    evidence, label = only(project)
    assert label is None
    assert evidence.people == ()
    assert grounds.counts(project) == (0, 0)


def test_a_blind_reading_stays_evidence_and_is_no_label_beside_it(project: Project, solution: Solution) -> None:
    rater = make.make_rater()
    make.make_annotation(solution, rater, "1", "-1")
    settle(solution, 1, Source.HUMAN)
    evidence, label = only(project)
    assert label is None
    assert evidence.people == (PersonRating(rater.code, 1, 2),)
    found = grounds.gather(project)
    assert (found.told, found.firm, found.said) == (1, 1, [1])
    assert found.heard[0].people == ()
    assert grounds.counts(project) == (0, 1)


def test_readings_after_evidence_was_shown_never_count(project: Project, solution: Solution) -> None:
    make.make_judgement(solution, 1)
    make.make_annotation(solution, make.make_rater(), "1", "-1", blind=False)
    settle(solution, 1, Source.HUMAN)
    evidence, label = only(project)
    assert (evidence.people, label) == ((), None)
    assert grounds.counts(project) == (0, 0)


def test_audits_never_count_neither_read_nor_labelled(project: Project, solution: Solution) -> None:
    make.make_judgement(solution, 1)
    Audit.objects.create(project=project, solution=solution, share=0.05)
    make.make_annotation(solution, make.make_rater(), "1", "-1", purpose=Purpose.AUDIT)
    settle(solution, 1, Source.IMPORTED)
    evidence, label = only(project)
    assert (evidence.people, label) == ((), None)
    assert grounds.counts(project) == (0, 0)


def test_an_adjudication_is_no_label_and_those_who_differed_stay_evidence(project: Project, solution: Solution) -> None:
    one, other = make.make_rater(), make.make_rater()
    make.make_annotation(solution, one, "1", "-1")
    make.make_annotation(solution, other, "1", "1", "1", "1")
    settle(solution, 1, Source.ADJUDICATED)
    evidence, label = only(project)
    assert label is None
    assert evidence.people == (PersonRating(one.code, 1, 2), PersonRating(other.code, -1, 4))
    assert grounds.gather(project).said == [None]


def test_a_label_leaves_out_the_annotations_that_its_file_brought_along(project: Project, solution: Solution) -> None:
    ImportedAnnotation.objects.create(solution=solution, key="a", step_count=4, first_error=2)
    assert only(project)[0].people == (PersonRating("imported", 2, 3),)
    settle(solution, 2)
    evidence, label = only(project)
    assert (evidence.people, label) == ((), 2)


def test_scores_are_weighed_and_not_fitted(project: Project, solution: Solution) -> None:
    for said in (1, -1, 1):
        make.make_judgement(solution, said)
    make.make_score(solution, [0.9, 0.8, 0.7, 0.6])
    found = grounds.gather(project)
    [fitted], [heard] = found.evidence, found.heard
    assert fitted.judgements == heard.judgements
    assert (len(heard.judgements), heard.scores) == (3, (0.9, 0.8, 0.7, 0.6))
    assert fitted.scores is None
    assert found.firm == 0


def test_withdrawn_solutions_forks_and_those_without_evidence_are_left_out(project: Project) -> None:
    problem = make.make_problem(project)
    kept, gone = make.make_solution(problem=problem), make.make_solution(problem=problem, steps=3)
    fork = make.make_solution(problem=problem, steps=5, forked_from=kept, forked_at=1)
    make.make_solution(problem=problem, steps=2)
    for each in (kept, gone, fork):
        make.make_rollouts(each, 1, right=1)
    Solution.objects.filter(pk=gone.pk).update(withdrawn_at=gone.created_at)
    found = grounds.gather(project)
    assert [each.steps for each in found.evidence] == [kept.step_count]
    assert grounds.counts(project) == (1, 0)


def test_whole_problems_are_drawn_those_that_people_told_of_first(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grounds, "MOST", 4)
    problems = [make.make_problem(project) for _ in range(4)]
    for problem in problems:
        for steps in (3, 4):
            make.make_judgement(make.make_solution(problem=problem, steps=steps), 1)
    told, rolled = (problem.solutions.order_by("pk")[0] for problem in problems[2:])
    make.make_annotation(told, make.make_rater(), "-1")
    make.make_rollouts(rolled, 1, wrong=2)
    found = grounds.gather(project)
    assert found.problems == [problems[2].pk] * 2 + [problems[3].pk] * 2
    assert found.left_out == 4
    assert grounds.gather(project).problems == found.problems


def test_what_a_majority_answer_graded_teaches_nothing_while_it_counts(project: Project) -> None:
    stood_in = make.make_solution(problem=make.make_problem(project, answer=None))
    make.make_stand_in(stood_in.problem)
    make.make_judgement(stood_in, 1)
    make.make_judgement(make.make_solution(project), 2)
    Project.objects.filter(pk=project.pk).update(stand_ins=True)
    project.refresh_from_db()
    assert [each.judgements[0].first_error for each in grounds.gather(project).evidence] == [2]
    Project.objects.filter(pk=project.pk).update(stand_ins=False)
    project.refresh_from_db()
    assert len(grounds.gather(project).evidence) == 2
