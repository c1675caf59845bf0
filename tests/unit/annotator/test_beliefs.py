"""Rows become evidence, evidence becomes one stored posterior."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotator import beliefs
from annotator.models import Fit, Grade, ImportedAnnotation, Posterior, Project, Rollout, Selection, Solution
from reasoning.first_error.model import DEFAULTS
from reasoning.types import Count, PersonRating, Verdict
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def solution(project: Project) -> Solution:
    return make.make_solution(project, steps=4)


def test_nothing_known_is_no_evidence_and_no_posterior(solution: Solution) -> None:
    evidence = beliefs.evidence_of([solution])[solution.pk]
    assert evidence.own_answer is Verdict.UNKNOWN
    assert not beliefs.has_evidence(evidence)
    assert beliefs.refresh([solution]) == {}
    assert not Posterior.objects.exists()


def test_rows_become_evidence(solution: Solution) -> None:
    make.make_own_grade(solution, "wrong")
    make.make_rollouts(solution, 0, right=3, wrong=1, unknown=2)
    make.make_rollouts(solution, 2, wrong=2)
    make.make_rollouts(solution, 3, unknown=2)
    make.make_judgement(solution, 1)
    make.make_judgement(solution, -1)
    make.make_score(solution, [0.9, 0.2, 0.3, 0.4])
    rater = make.make_rater()
    make.make_annotation(solution, rater, "1", "-1")
    ImportedAnnotation.objects.create(solution=solution, key="a", step_count=4, first_error=-1)
    evidence = beliefs.evidence_of([solution])[solution.pk]
    assert evidence.steps == 4
    assert evidence.own_answer is Verdict.WRONG
    assert evidence.counts == {0: Count(3, 4), 2: Count(0, 2)}
    assert [(each.first_error, each.model, each.sample) for each in evidence.judgements] == [
        (1, "test/judge", 0),
        (-1, "test/judge", 1),
    ]
    assert evidence.scores == (0.9, 0.2, 0.3, 0.4)
    assert evidence.people == (PersonRating(rater.code, 1, 2), PersonRating("imported", -1, 4))


def test_ratings_made_after_evidence_was_shown_and_audits_are_no_evidence(solution: Solution) -> None:
    make.make_annotation(solution, make.make_rater(), "1", "-1", blind=False)
    make.make_annotation(solution, make.make_rater(), "1", "-1", purpose="audit")
    assert beliefs.evidence_of([solution])[solution.pk].people == ()


def test_a_corrected_reference_answer_takes_effect_with_its_grades(solution: Solution) -> None:
    [rollout] = make.make_rollouts(solution, 1, right=1)
    make.make_own_grade(solution, "right")
    solution.problem.answer = "19"
    solution.problem.save()
    assert beliefs.evidence_of([solution])[solution.pk].counts == {1: Count(1, 1)}
    Grade.objects.create(rollout=rollout, grader="test-1", reference="19", verdict="wrong")
    make.make_own_grade(solution, "wrong", reference="19")
    evidence = beliefs.evidence_of([solution])[solution.pk]
    assert (evidence.counts, evidence.own_answer) == ({1: Count(0, 1)}, Verdict.WRONG)
    solution.problem.answer = "18"
    solution.problem.save()
    evidence = beliefs.evidence_of([solution])[solution.pk]
    assert (evidence.counts, evidence.own_answer) == ({1: Count(1, 1)}, Verdict.RIGHT)


def test_many_solutions_cost_no_more_queries_than_one(project: Project) -> None:
    counts = []
    for number in (1, 30):
        solutions = [make.make_solution(project) for _ in range(number)]
        for solution in solutions:
            make.make_judgement(solution, 1)
            make.make_rollouts(solution, 1, right=2)
            make.make_annotation(solution, make.make_rater(), "1", "-1")
        with CaptureQueriesContext(connection) as captured:
            beliefs.evidence_of(solutions)
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 8


def test_a_posterior_is_stored_once_for_the_same_evidence(solution: Solution) -> None:
    make.make_judgement(solution, 1)
    first = beliefs.refresh([solution])[solution.pk]
    assert len(first.probabilities) == 5
    assert sum(first.probabilities) == pytest.approx(1.0)
    assert first.first_error == 1
    assert beliefs.refresh([solution])[solution.pk] == first
    assert Posterior.objects.count() == 1


def test_new_evidence_supersedes_the_posterior(solution: Solution) -> None:
    make.make_judgement(solution, 1)
    first = beliefs.refresh([solution])[solution.pk]
    make.make_rollouts(solution, 2, wrong=8)
    second = beliefs.refresh([solution])[solution.pk]
    first.refresh_from_db()
    assert first.superseded_at is not None
    assert second.probabilities[:2] != first.probabilities[:2]
    assert Posterior.objects.get(superseded_at=None) == second


def test_a_new_fit_supersedes_the_posterior(project: Project, solution: Solution) -> None:
    make.make_judgement(solution, 1)
    assert beliefs.parameters_of(project) == DEFAULTS
    first = beliefs.refresh([solution])[solution.pk]
    fit = Fit.objects.create(project=project, state="done", parameters={"noise": 1.5})
    assert beliefs.parameters_of(project).noise == 1.5
    second = beliefs.refresh([solution])[solution.pk]
    assert (first.fit, second.fit) == (None, fit)


def test_solutions_of_one_problem_share_what_they_tell_of_its_solve_rate(project: Project) -> None:
    problem = make.make_problem(project)
    one, other = (make.make_solution(problem=problem, steps=4) for _ in range(2))
    make.make_rollouts(one, 2, right=1, wrong=2)
    alone = beliefs.refresh([one])[one.pk].probabilities
    make.make_rollouts(other, 0, right=16)
    together = beliefs.refresh([one])[one.pk].probabilities
    assert together != alone


def test_which_solutions_are_asked_for_together_changes_nothing(project: Project) -> None:
    problem = make.make_problem(project)
    solutions = [make.make_solution(problem=problem, steps=4) for _ in range(3)]
    for number, solution in enumerate(solutions):
        make.make_rollouts(solution, 1, right=number, wrong=2)
    alone = {solution.pk: beliefs.refresh([solution])[solution.pk] for solution in solutions}
    assert beliefs.refresh(solutions) == alone
    assert Posterior.objects.count() == 3


@pytest.mark.parametrize("model", ["simulated/judge", "real/judge"])
def test_what_rests_on_the_simulator_says_so(solution: Solution, model: str) -> None:
    make.make_judgement(solution, 1, model=model)
    assert beliefs.refresh([solution])[solution.pk].simulated == model.startswith("simulated/")


def test_a_solution_becomes_a_value_with_its_steps() -> None:
    steps = ["first\0 ", "", "𝔽 third"]
    solution = make.make_solution(steps=steps)
    value = beliefs.solution_value(solution)
    assert [step.text for step in value.steps] == steps
    assert value.prefix(1) == "first\0 "
    assert value.problem.answer == "18"
    assert beliefs.steps_of(solution) == value.steps


# --- forks -------------------------------------------------------------------------------------------------------


def make_fork(parent: Solution, at: int, steps: int = 5) -> Solution:
    return make.make_solution(problem=parent.problem, steps=steps, forked_from=parent, forked_at=at)


def test_a_fork_has_what_its_ancestors_know_of_the_steps_they_share(solution: Solution) -> None:
    make.make_rollouts(solution, 0, right=4)
    make.make_rollouts(solution, 1, right=2, wrong=1)
    make.make_rollouts(solution, 2, wrong=1)
    make.make_rollouts(solution, 3, wrong=5)
    child = make_fork(solution, 2)
    make.make_rollouts(child, 2, right=1)
    make.make_rollouts(child, 4, wrong=2)
    grandchild = make_fork(child, 4)
    cousin = make_fork(child, 1)
    evidence = beliefs.evidence_of([child, grandchild, cousin])
    assert evidence[child.pk].counts == {0: Count(4, 4), 1: Count(2, 3), 2: Count(1, 2), 4: Count(0, 2)}
    assert evidence[grandchild.pk].counts == evidence[child.pk].counts
    assert evidence[cousin.pk].counts == {0: Count(4, 4), 1: Count(2, 3)}
    assert beliefs.evidence_of([solution])[solution.pk].counts[2] == Count(0, 1)


def test_the_rollout_that_a_fork_is_made_of_is_its_own_answer_and_counts_for_others(solution: Solution) -> None:
    make.make_rollouts(solution, 2, right=1, wrong=2)
    child, sister = make_fork(solution, 2), make_fork(solution, 2)
    run = make.make_run(solution.project, kind="search")
    made_of = Rollout.objects.filter(solution=solution, grades__verdict="wrong").first()
    Selection.objects.create(run=run, rollout=made_of, solution=child)
    evidence = beliefs.evidence_of([solution, child, sister])
    assert evidence[child.pk].counts == {2: Count(1, 2)}
    assert evidence[sister.pk].counts == evidence[solution.pk].counts == {2: Count(1, 3)}


def test_however_long_the_line_of_forks_the_queries_are_as_many(solution: Solution) -> None:
    make.make_rollouts(solution, 1, wrong=1)
    line = [solution]
    for _ in range(6):
        line.append(make_fork(line[-1], 1))
    counts = []
    for members in ([line[1]], line):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            evidence = beliefs.evidence_of(members)
        counts.append(len(queries))
        assert all(each.counts == {1: Count(0, 1)} for each in evidence.values())
    assert counts[0] == counts[1] <= 9


def test_forks_say_nothing_of_their_problems_solve_rate(solution: Solution) -> None:
    make.make_rollouts(solution, 1, right=1, wrong=1)
    alone = beliefs.refresh([solution])[solution.pk]
    for _ in range(3):
        fork = make_fork(solution, 1)
        make.make_rollouts(fork, 2, wrong=8)
    assert beliefs.refresh([solution])[solution.pk].pk == alone.pk


def test_a_fork_is_looked_at_anew_when_its_ancestor_is_rolled_out_before_the_branching(solution: Solution) -> None:
    make.make_rollouts(solution, 2, right=1)
    fork = make_fork(solution, 2)
    first = beliefs.refresh([fork])[fork.pk]
    make.make_rollouts(solution, 3, wrong=4)
    assert beliefs.refresh([fork])[fork.pk].pk == first.pk
    make.make_rollouts(solution, 2, wrong=4)
    second = beliefs.refresh([fork])[fork.pk]
    assert second.pk != first.pk
    assert sum(second.probabilities[:2]) > sum(first.probabilities[:2])


def test_what_an_ancestor_has_of_the_simulator_marks_the_fork_too(solution: Solution) -> None:
    make.make_rollouts(solution, 2, right=2, model="simulated/completer")
    before, beyond = make_fork(solution, 2), make_fork(solution, 1)
    make.make_own_grade(beyond, "wrong")
    marks = beliefs.refresh([before, beyond])
    assert (marks[before.pk].simulated, marks[beyond.pk].simulated) == (True, False)
