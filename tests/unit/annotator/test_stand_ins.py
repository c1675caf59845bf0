"""What a majority answer counts for, and how long."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotator import beliefs, dossier, grading, preannotation, routing, runs, settlement, stand_ins
from annotator.errors import Conflict, Invalid
from annotator.models import (
    Event,
    Grade,
    OwnGrade,
    Posterior,
    Preference,
    Problem,
    Project,
    Role,
    Rollout,
    Settlement,
    Solution,
    StandIn,
)
from annotator.models.problems import problem_key
from annotator.views.sheet import evidence_by_step
from reasoning.evidence.majority import majority
from reasoning.types import Count, Verdict
from tests import factories as make
from tests.unit.annotator.exports.exported import made, manifest_of, rows_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    return make.make_project(stand_ins=True, threshold=0.6)


@pytest.fixture
def problem(project: Project) -> Problem:
    return make.make_problem(project, "How many legs have nine birds?", answer=None)


@pytest.fixture
def solution(problem: Problem) -> Solution:
    return make.make_solution(problem=problem, steps=4)


def rolled_out(solution: Solution, prefix: int, *answers: str) -> list[Rollout]:
    """Rollouts that nobody has graded yet."""
    return Rollout.objects.bulk_create(
        Rollout(
            solution=solution,
            prefix=prefix,
            step_count=solution.step_count,
            model="test/completer",
            parameters="t1",
            sample=sample,
            answer=answer,
        )
        for sample, answer in enumerate(answers)
    )


def evidence(solution: Solution) -> Any:
    return beliefs.evidence_of([solution])[solution.pk]


def elect(problem: Problem, *answers: str) -> StandIn | None:
    solution = make.make_solution(problem=problem)
    drawn = rolled_out(solution, 0, *answers)
    run = make.make_run(problem.project, "rollouts")
    return stand_ins.elect(problem.pk, drawn, majority(answers), run)


# --- elections ---------------------------------------------------------------------------------------------------


def test_a_decisive_majority_is_elected_with_its_votes(problem: Problem) -> None:
    elected = elect(problem, *["18"] * 13, "17", "17", "16")
    assert elected is not None
    assert (elected.answer, elected.votes, elected.runner_up, elected.total, elected.samples) == ("18", 13, 2, 16, 16)
    assert (str(elected), elected.drawn_by, elected.simulated) == (
        "13 of 16 sampled answers agree",
        ["test/completer"],
        False,
    )


def test_without_a_decisive_majority_nothing_stands_in_and_what_did_is_superseded(problem: Problem) -> None:
    before = make.make_stand_in(problem, samples=16)
    assert elect(problem, *["18"] * 10, *["17"] * 10) is None
    before.refresh_from_db()
    assert before.superseded_at is not None
    assert stand_ins.undecided(majority(["18", "17"])).startswith("the problem has no reference answer, and")


def test_of_two_workers_the_first_elects(problem: Problem) -> None:
    first = elect(problem, *["18"] * 16)
    assert elect(problem, *["18"] * 16) == first
    assert StandIn.objects.count() == 1


def test_nothing_is_elected_once_there_is_a_reference_answer(problem: Problem) -> None:
    Problem.objects.filter(pk=problem.pk).update(answer="18")
    assert elect(problem, *["18"] * 16) is None


# --- grades ------------------------------------------------------------------------------------------------------


def test_answers_are_graded_against_the_stand_in_and_say_so_but_not_those_who_voted(solution: Solution) -> None:
    stand_in = make.make_stand_in(solution.problem)
    rolled_out(solution, 0, "18", "18", "17")
    rolled_out(solution, 2, "18", "17")
    assert grading.grade_answers([solution]) == 3
    assert grading.grade_answers([solution]) == 0
    assert {each.stand_in for each in (*Grade.objects.all(), *OwnGrade.objects.all())} == {stand_in}
    found = evidence(solution)
    assert (found.own_answer, dict(found.counts)) == (Verdict.RIGHT, {2: Count(1, 2)})


def test_a_reference_answer_in_the_same_words_gives_grades_of_its_own(solution: Solution) -> None:
    make.make_stand_in(solution.problem)
    rolled_out(solution, 0, "18", "17")
    rolled_out(solution, 2, "18")
    grading.grade_answers([solution])
    stand_ins.give_answer(solution.problem, "18", None)
    solution.problem.refresh_from_db()
    assert grading.grade_answers([solution]) == 4
    assert evidence(solution).counts == {0: Count(1, 2), 2: Count(1, 1)}
    assert Grade.objects.filter(stand_in__isnull=False).count() == 1


def test_what_a_file_said_of_an_answer_weighs_more_than_a_majority(solution: Solution) -> None:
    make.make_own_grade(solution, "wrong", grader="imported", reference="")
    make.make_stand_in(solution.problem)
    grading.grade_answers([solution])
    assert OwnGrade.objects.count() == 2
    assert evidence(solution).own_answer is Verdict.WRONG
    make.make_judgement(solution, -1)
    assert beliefs.refresh([solution])[solution.pk].stand_in is None


@pytest.mark.parametrize("end", ["superseded", "answered", "not wanted"])
def test_grades_against_a_stand_in_that_is_out_of_force_are_rows_and_no_evidence(
    project: Project, solution: Solution, end: str
) -> None:
    stand_in = make.make_stand_in(solution.problem)
    rolled_out(solution, 2, "18", "17")
    grading.grade_answers([solution])
    assert beliefs.refresh([solution])[solution.pk].stand_in == stand_in
    if end == "superseded":
        StandIn.objects.update(superseded_at=stand_in.created_at)
    elif end == "answered":
        Problem.objects.filter(pk=solution.problem_id).update(answer="17")
    else:
        Project.objects.filter(pk=project.pk).update(stand_ins=False)
    assert not beliefs.has_evidence(evidence(solution))
    assert beliefs.refresh([solution]) == {}
    assert not Posterior.objects.filter(superseded_at=None).exists()
    assert Grade.objects.filter(stand_in=stand_in).count() == 2


# --- posteriors, labels, exports ---------------------------------------------------------------------------------


def certain(solution: Solution) -> None:
    """The machines find the third step wrong, by rollouts."""
    rolled_out(solution, 2, *["18"] * 12)
    rolled_out(solution, 3, *["17"] * 12)
    make.make_judgement(solution, 2)
    grading.grade_answers([solution])


def test_a_posterior_is_marked_where_a_sibling_rests_on_a_stand_in(problem: Problem, solution: Solution) -> None:
    sibling = make.make_solution(problem=problem, own_answer=None)
    stand_in = make.make_stand_in(problem, simulated=True)
    make.make_judgement(sibling, 1)
    rolled_out(solution, 2, "18")
    grading.grade_answers([solution, sibling])
    found = beliefs.refresh([sibling])[sibling.pk]
    assert (found.stand_in, found.simulated) == (stand_in, True)


def test_labels_are_provisional_whatever_certificate_is_in_force(project: Project, solution: Solution) -> None:
    answered = make.make_solution(project, steps=4)
    make.make_stand_in(solution.problem)
    make.make_certificate(project, 0.6)
    for each in (solution, answered):
        certain(each)
    routing.route([solution, answered])
    by_solution = {each.solution_id: each for each in Settlement.objects.filter(superseded_at=None)}
    marked, plain = by_solution[solution.pk], by_solution[answered.pk]
    assert (marked.provisional, marked.certificate, plain.provisional) == (True, None, False)
    assert (marked.stand_in is not None, plain.stand_in) == (True, None)
    routing.route([solution, answered])
    assert Settlement.objects.count() == 2


def test_steps_that_people_let_pass_carry_the_mark_of_what_the_machines_believed(solution: Solution) -> None:
    make.make_stand_in(solution.problem)
    certain(solution)
    routing.route([solution])
    make.make_annotation(solution, make.make_rater(), "", "", "-1")
    assert settlement.settle(solution) == "settled"
    settled = Settlement.objects.get(superseded_at=None)
    assert (settled.source, settled.provisional) == ("human", False)
    assert settled.stand_in is not None


def test_no_export_takes_a_majoritys_word_for_whether_an_answer_is_right(solution: Solution) -> None:
    make.make_stand_in(solution.problem)
    certain(solution)
    make.make_annotation(solution, make.make_rater(), "1", "1", "-1")
    assert settlement.settle(solution) == "settled"
    [row] = rows_of(made(solution.project, "processbench"))
    assert row.get("final_answer_correct") is None
    [native] = rows_of(made(solution.project, "native"))
    assert (native["answer"], "stand_in" in native["meta"]) == (None, False)


# --- a reference answer ------------------------------------------------------------------------------------------


def test_an_answer_that_is_given_decides_anew_and_takes_the_mark_away(solution: Solution) -> None:
    make.make_stand_in(solution.problem)
    certain(solution)
    routing.route([solution])
    assert Settlement.objects.get().stand_in is not None
    manager = make.make_person(project=solution.project, role=Role.MANAGER)
    stand_ins.give_answer(solution.problem, "The answer is 17.", manager)
    problem = Problem.objects.get(pk=solution.problem_id)
    assert (problem.answer, problem.key) == ("17", problem_key(problem.statement, "17"))
    assert Event.objects.get(kind="problem.answered").actor == manager
    assert stand_ins.outdated(10) == [solution.pk]
    preannotation.decide_problem(problem.pk)
    assert stand_ins.outdated(10) == []
    assert Posterior.objects.get(superseded_at=None).stand_in is None
    assert not Settlement.objects.filter(superseded_at=None, stand_in__isnull=False).exists()


def test_an_answer_can_be_corrected(project: Project) -> None:
    solution = make.make_solution(make.make_project(), steps=4)
    rolled_out(solution, 2, "18", "17")
    grading.grade_answers([solution])
    stand_ins.give_answer(solution.problem, "17", None)
    solution.problem.refresh_from_db()
    grading.grade_answers([solution])
    assert evidence(solution).own_answer is Verdict.WRONG
    assert Grade.objects.count() == 4


def test_a_files_verdicts_by_an_answer_that_was_wrong_are_no_evidence(project: Project) -> None:
    solution = make.make_solution(project, steps=2, own_answer=None)
    told = {"grader": "imported", "verdict": "right"}
    OwnGrade.objects.create(solution=solution, reference="18", **told)
    for sample, reference in enumerate(("18", "")):
        [rollout] = Rollout.objects.bulk_create(
            [Rollout(solution=solution, prefix=1, step_count=2, model="m", parameters="imported", sample=sample)]
        )
        Grade.objects.create(rollout=rollout, reference=reference, **told)
    assert evidence(solution).counts == {1: Count(2, 2)}
    stand_ins.give_answer(solution.problem, "17", None)
    preannotation.decide_problem(solution.problem_id)
    assert evidence(solution).own_answer is Verdict.UNKNOWN
    assert evidence(solution).counts == {1: Count(1, 1)}


def test_an_answer_that_is_taken_back_again_counts_as_before_everywhere(project: Project) -> None:
    solution = make.make_solution(project, steps=2, own_answer="18", source_id="a")
    rolled_out(solution, 1, "18")
    settlement.settle_imported(solution, -1, None, None)
    for given in ("18", "19", "18"):
        stand_ins.give_answer(solution.problem, given, None)
        preannotation.decide_problem(solution.problem_id)
    known = dossier.dossier(Solution.objects.get())
    assert known.own_grade is not None
    [graded] = dossier.graded_rollouts(solution)
    [row] = rows_of(made(project, "processbench"))
    [native] = rows_of(made(project, "native", evidence="keep"))
    evidence = beliefs.evidence_of([solution])[solution.pk]
    assert (evidence.own_answer, known.own_grade.verdict, native["evidence"]["final_answer"]) == ("right",) * 3
    assert row["final_answer_correct"] is True
    assert (evidence.counts[1], graded.words, native["evidence"]["rollouts"][0]["right"]) == (Count(1, 1), "1/1", 1)


def test_what_is_no_answer_is_refused_and_so_is_one_that_another_problem_has(problem: Problem) -> None:
    with pytest.raises(Invalid):
        stand_ins.give_answer(problem, "Let us think about it step by step, slowly.", None)
    other = make.make_problem(problem.project, problem.statement, answer="18")
    Problem.objects.filter(pk=other.pk).update(key=problem_key(problem.statement, "18"))
    with pytest.raises(Conflict, match=other.code):
        stand_ins.give_answer(problem, "18", None)


# --- pages -------------------------------------------------------------------------------------------------------


@pytest.fixture
def manager(project: Project) -> Client:
    client = Client()
    client.force_login(make.make_person(project=project, role=Role.MANAGER))
    return client


def page(manager: Client, solution: Solution) -> str:
    return manager.get(reverse("solution", args=[solution.project.slug, solution.code])).content.decode()


def test_a_solutions_page_shows_the_majority_and_never_calls_it_a_reference_answer(
    manager: Client, solution: Solution
) -> None:
    make.make_stand_in(solution.problem, answer="18 legs")
    certain(solution)
    routing.route([solution])
    text = page(manager, solution)
    assert "18 legs" in text
    assert "14 of 16 sampled answers agree" in text
    assert "graded by the majority answer" in text
    assert "by a majority answer" in text
    assert '<span class="muted">reference answer</span>' not in text


def test_a_solutions_page_says_when_the_majority_is_not_used(manager: Client, solution: Solution) -> None:
    make.make_stand_in(solution.problem)
    Project.objects.update(stand_ins=False)
    assert "the project does not opt for it" in page(manager, solution)


def test_a_manager_gives_the_answer_on_the_page(manager: Client, solution: Solution) -> None:
    address = reverse("give_answer", args=[solution.project.slug, solution.code])
    assert "is no answer" in manager.post(address, {"answer": "?"}, follow=True).content.decode()
    text = manager.post(address, {"answer": "18"}, follow=True).content.decode()
    assert "Saved." in text
    assert Problem.objects.get(pk=solution.problem_id).answer == "18"
    trainer = Client()
    trainer.force_login(make.make_person(project=solution.project, role=Role.TRAINER))
    assert trainer.post(address, {"answer": "17"}).status_code == 403
    assert "Correct the reference answer" not in page(trainer, solution)


def test_evidence_beside_a_step_says_that_a_majority_graded_it(solution: Solution) -> None:
    make.make_stand_in(solution.problem)
    certain(solution)
    assert [each.stand_in for each in evidence_by_step(solution)] == [False, True, True, True]


def test_whole_solutions_that_only_voted_are_no_rollouts_on_a_page(solution: Solution) -> None:
    make.make_stand_in(solution.problem)
    rolled_out(solution, 0, "18", "17")
    assert dossier.dossier(solution).start == []


def test_the_settings_page_says_what_a_stand_in_costs_and_keeps_the_choice(manager: Client, project: Project) -> None:
    address = reverse("project_settings", args=[project.slug])
    text = manager.get(address).content.decode()
    assert "Let the majority answer stand in" in text
    assert "right steps are called wrong" in text
    assert Project.objects.get().stand_ins


# --- pairs of steps ----------------------------------------------------------------------------------------------


def pair(solution: Solution, stand_in: StandIn | None) -> Preference:
    return make.make_preference(solution, make.make_run(solution.project, "search"), stand_in=stand_in)


@pytest.mark.parametrize("end", ["superseded", "answered", "not wanted"])
def test_a_pair_that_rests_on_a_stand_in_is_shown_while_that_counts(
    project: Project, solution: Solution, end: str
) -> None:
    stand_in = make.make_stand_in(solution.problem)
    row = pair(solution, stand_in)
    assert list(runs.preferences_of(project.pk)) == [row]
    assert runs.yielded(row.run).preferences == 1
    if end == "superseded":
        StandIn.objects.update(superseded_at=stand_in.created_at)
    elif end == "answered":
        Problem.objects.filter(pk=solution.problem_id).update(answer="17")
    else:
        Project.objects.filter(pk=project.pk).update(stand_ins=False)
    assert list(runs.preferences_of(project.pk)) == []
    assert runs.yielded(row.run).preferences == 0


def test_an_export_of_pairs_tells_which_rest_on_a_stand_in_until_it_is_superseded(solution: Solution) -> None:
    stand_in = make.make_stand_in(solution.problem)
    pair(solution, stand_in)
    export = made(solution.project, "preference", provisional=True)
    assert (export.rows, export.stand_in, manifest_of(export)["stand_in_rows"]) == (1, True, 1)
    assert rows_of(made(solution.project, "preference")) == []
    stand_ins.give_answer(solution.problem, "17", None)
    assert rows_of(made(solution.project, "preference", provisional=True)) == []
