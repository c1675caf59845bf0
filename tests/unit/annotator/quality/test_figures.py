"""Figures against rows whose answers can be counted by hand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.utils import timezone

from annotator.models import (
    Audit,
    ImportedAnnotation,
    Person,
    Posterior,
    Project,
    Settlement,
    Solution,
    SolutionStatus,
    Source,
)
from annotator.quality import FIGURES, everything
from annotator.quality.calibration import bins, calibration_error, wilson
from annotator.quality.comparisons import Compared, compared
from annotator.quality.confusion import summary
from annotator.quality.progress import throughput
from annotator.quality.readings import readings
from annotator.settlement import review
from tests.factories import (
    make_annotation,
    make_judgement,
    make_person,
    make_posterior,
    make_run,
    make_solution,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana() -> Person:
    return make_person("ana")


def settle(solution: Solution, first_error: int | None, source: str = Source.HUMAN, **fields: Any) -> Settlement:
    Solution.objects.filter(pk=solution.pk).update(status=SolutionStatus.SETTLED)
    return Settlement.objects.create(
        solution=solution, source=source, step_count=solution.step_count, first_error=first_error, **fields
    )


def believed(solution: Solution, first_error: int, certainty: float = 0.9, **fields: Any) -> Posterior:
    rest = (1 - certainty) / solution.step_count
    at = first_error if first_error >= 0 else solution.step_count
    values = [certainty if i == at else rest for i in range(solution.step_count + 1)]
    return make_posterior(solution, values, **fields)


def test_every_figure_of_an_empty_project_answers_in_a_sentence(project: Project) -> None:
    figures = everything(project)
    assert list(figures) == list(FIGURES)
    for name, figure in figures.items():
        assert figure["answer"].endswith("."), name
        assert orjson.loads(orjson.dumps(figure)), name


def test_progress_counts_live_solutions_by_whose_hand_labelled_them(project: Project) -> None:
    settle(make_solution(project), -1)
    settle(make_solution(project), 2, Source.IMPORTED)
    machine = make_solution(project)
    settle(machine, 1, Source.MACHINE, provisional=True, posterior=believed(machine, 1))
    make_solution(project)
    settle(make_solution(project, withdrawn_at=timezone.now()), 0)
    values = everything(project)["progress"]["values"]
    assert values["by_hand"] == {"people": 1, "machines": 1, "imported": 1}
    assert (values["solutions"], values["provisional"]) == (4, 1)


def test_throughput_has_a_number_for_each_day_quiet_ones_too(project: Project, ana: Person) -> None:
    make_annotation(make_solution(project), ana.rater, "1", created_at=timezone.now() - timedelta(days=3))
    make_annotation(make_solution(project), ana.rater, "1")
    make_annotation(make_solution(project), ana.rater, "1", created_at=timezone.now() - timedelta(days=40))
    assert [number for _, number in throughput(project)] == [0] * 10 + [1, 0, 0, 1]


def test_a_belief_that_has_heard_the_people_is_not_compared_with_them(project: Project, ana: Person) -> None:
    solution = make_solution(project)
    make_judgement(solution, 2)
    before = timezone.now() - timedelta(hours=1)
    believed(solution, 2, created_at=before, superseded_at=timezone.now())
    make_annotation(solution, ana.rater, "1", "-1")
    believed(solution, 1, certainty=0.99)
    settle(solution, 1)
    (pair,) = compared(project)
    assert (pair.people, pair.machine, pair.certainty) == (1, 2, 0.9)


def test_a_prior_that_rests_on_no_look_is_no_machines_opinion(project: Project) -> None:
    solution = make_solution(project)
    believed(solution, 2)
    settle(solution, 2)
    assert compared(project) == []


def test_the_confusion_tells_earlier_later_missed_and_false_alarms_apart() -> None:
    said = [(2, 2), (2, 1), (2, 3), (2, -1), (-1, -1), (-1, 0), (-1, -1)]
    one = summary([Compared(i, 5, people, machine, 0.9, False) for i, (people, machine) in enumerate(said)])
    assert one["people_error"] == {"total": 4, "same step": 1, "earlier": 1, "later": 1, "no error": 1}
    assert one["people_no_error"] == {"total": 3, "no error": 2, "an error": 1}
    assert one["f1"] == pytest.approx(2 * (1 / 4) * (2 / 3) / (1 / 4 + 2 / 3))


def test_audits_are_told_apart_from_what_the_queue_chose(project: Project) -> None:
    for audit in (True, False):
        solution = make_solution(project)
        make_judgement(solution, 1)
        believed(solution, 1)
        settle(solution, 1 if audit else 2)
        if audit:
            Audit.objects.create(project=project, solution=solution, share=0.1)
    values = everything(project)["confusion"]["values"]
    assert (values["belief"]["agreement"], values["audits"]["agreement"]) == (0.5, 1.0)


def test_a_calibrated_machine_has_no_calibration_error() -> None:
    pairs = [Compared(i, 4, 1, 1 if i % 10 < 8 else 2, 0.8, False) for i in range(100)]
    found = bins(pairs)
    assert sum(one.solutions for one in found) == 100
    assert calibration_error(found) == pytest.approx(0.0, abs=1e-9)


def test_the_score_interval_holds_its_share_and_narrows() -> None:
    for right, total in ((0, 10), (5, 10), (10, 10), (50, 100)):
        low, high = wilson(right, total)
        assert 0 <= low <= right / total <= high <= 1
    assert wilson(50, 100)[1] < wilson(5, 10)[1]
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)  # Wilson's own formula, worked by hand


def test_agreement_counts_only_solutions_that_two_people_read(project: Project, ana: Person) -> None:
    bob = make_person("bob")
    for theirs in (("1", "-1"), ("1", "1", "1", "1")):
        solution = make_solution(project)
        make_annotation(solution, ana.rater, "1", "-1")
        make_annotation(solution, bob.rater, *theirs)
    make_annotation(make_solution(project), ana.rater, "-1")
    here = everything(project)["agreement"]["values"]["here"]
    assert (here["solutions"], here["pairs"], here["same"]) == (2, 2, 0.5)


def test_nobody_is_measured_against_a_label_that_is_theirs_alone(project: Project, ana: Person) -> None:
    alone, settled = make_solution(project), make_solution(project)
    settle(alone, 1).annotations.add(make_annotation(alone, ana.rater, "1", "-1", seconds=10))
    make_annotation(settled, ana.rater, "1", "-1", "unsure", seconds=50)
    settle(settled, 0, Source.ADJUDICATED)
    (one,) = everything(project)["people"]["values"]["people"]
    assert (one["name"], one["annotations"], one["median_seconds"]) == ("ana", 2, 30)
    assert (one["compared"], one["agreement"], one["share_unsure"]) == (1, 0.0, 0.2)


def test_a_cut_account_keeps_its_figures_under_the_raters_code(project: Project, ana: Person) -> None:
    rater = ana.work_as()
    make_annotation(make_solution(project), rater, "1")
    Person.objects.filter(pk=ana.pk).update(rater=None)
    (one,) = everything(project)["people"]["values"]["people"]
    assert one["name"] == f"rater {rater.code}"


def test_cost_sums_runs_and_sets_them_beside_the_budgets(project: Project) -> None:
    project.token_budget = 1000
    project.save()
    make_run(project, calls=3, prompt_tokens=100, completion_tokens=50, cost=0.5)
    make_run(project, calls=1, prompt_tokens=10, completion_tokens=5, cost=0.25)
    values = everything(project)["cost"]["values"]
    assert (values["calls"], values["tokens"], values["cost"], values["token_budget"]) == (4, 165, 0.75, 1000)


def test_first_errors_are_counted_by_hand_and_shown_from_one(project: Project) -> None:
    for first_error in (-1, 0, 0, 2):
        settle(make_solution(project), first_error)
    figure = everything(project)["positions"]
    assert figure["values"]["people"] == {"-1": 1, "0": 2, "2": 1}
    assert [row[0] for row in figure["table"]["rows"]] == ["no error", 1, 3]


def test_a_belief_that_began_with_imported_annotators_is_not_compared_with_their_labels(project: Project) -> None:
    solution = make_solution(project)
    make_judgement(solution, 2)
    ImportedAnnotation.objects.create(solution=solution, key="x", step_count=solution.step_count, first_error=1)
    believed(solution, 1, certainty=0.99)
    settle(solution, 1)
    assert compared(project) == []


def test_a_doubt_before_the_first_error_names_none(project: Project, ana: Person) -> None:
    solution = make_solution(project, steps=3)
    make_annotation(solution, ana.rater, "1", "unsure", "-1")
    make_annotation(solution, make_person("bob").rater, "1", "unsure", "1")
    make_annotation(solution, make_person("cy").rater, "1", "-1", "unsure")
    assert [one.first_error for one in readings(project)] == [None, None, 1]


def test_work_that_was_returned_counts_in_no_figure(project: Project, ana: Person) -> None:
    annotation = make_annotation(make_solution(project), ana.rater, "1", "-1")
    assert len(readings(project)) == 1
    review(annotation, make_person("rae").work_as(), accepted=False)
    assert readings(project) == []


def test_what_a_search_used_is_divided_by_what_it_found_and_what_it_made(project: Project) -> None:
    given = make_solution(project)
    beside = make_solution(problem=given.problem)
    for number in range(3):
        make_solution(problem=given.problem, forked_from=beside, forked_at=number % 2)
    other = make_solution(project)
    search = make_run(project, "search", calls=10, prompt_tokens=400, completion_tokens=200)
    search.items.create(solution=given, state="done")
    search.items.create(solution=other, state="waiting")
    judge = make_run(project, calls=1, prompt_tokens=60)
    judge.items.create(solution=given, state="done")
    figure = everything(project)["cost"]
    values = figure["values"]
    assert (values["solutions"], values["made_by_searches"], values["tokens_per_solution"]) == (5, 3, 132)
    assert figure["answer"].endswith(": 132 tokens for each of 5 solutions looked at, 3 of them made by searches.")
