"""What a search is given of the tables, and what of it becomes rows."""

from __future__ import annotations

import pytest
from django.utils import timezone

from annotator import grading, intake
from annotator.models import Project, Run, Selection, Solution
from annotator.models.problems import content_hash
from annotator.preannotation.desk import Item, waiting_items
from annotator.preannotation.forest import Forest, plant
from reasoning.search import Branch, Pair, Search, SearchConfig, Selected, fork
from reasoning.types import Evidence, Verdict
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    return make.make_project()


@pytest.fixture
def solution(project: Project) -> Solution:
    return make.make_solution(project, steps=["One.", "Two.", "It is 18."])


@pytest.fixture
def run(project: Project, solution: Solution) -> Run:
    run = make.make_run(project, "search")
    run.items.create(solution=solution)
    return run


def load(run: Run) -> Forest:
    items: list[Item] = waiting_items(run)
    found = grading.references([item.row for item in items])
    return Forest.load(run, items, {item.pk: found[item.row.problem_id] for item in items})


def test_a_tree_is_all_live_solutions_of_the_problem_oldest_first(run: Run, solution: Solution) -> None:
    second = make.make_solution(problem=solution.problem)
    child = make.make_solution(problem=solution.problem, forked_from=solution, forked_at=1)
    make.make_solution(problem=solution.problem, withdrawn_at=timezone.now())
    [known] = load(run).known
    assert known.problem == solution.pk
    assert [(each.id, each.forked_from, each.forked_at) for each in known.branches] == [
        (solution.pk, None, None),
        (second.pk, None, None),
        (child.pk, solution.pk, 1),
    ]


def test_forks_of_what_is_gone_hang_in_the_air_and_are_left_out(run: Run, solution: Solution) -> None:
    gone = make.make_solution(problem=solution.problem, withdrawn_at=timezone.now())
    child = make.make_solution(problem=solution.problem, forked_from=gone, forked_at=1)
    make.make_solution(problem=solution.problem, forked_from=child, forked_at=2)
    [known] = load(run).known
    assert [each.id for each in known.branches] == [solution.pk]


def test_rollouts_that_two_models_counted_alike_keep_numbers_of_their_own(run: Run, solution: Solution) -> None:
    first = make.make_rollouts(solution, 1, wrong=2)
    second = make.make_rollouts(solution, 1, right=1, wrong=1, model="another")
    forest = load(run)
    [known] = forest.known
    assert [each.sample for each in known.branches[0].rollouts] == [0, 1, 2, 3]
    assert [forest.rollouts[Pair(solution.pk, 1, n)] for n in range(4)] == [row.pk for row in (*first, *second)]


def test_what_another_run_took_up_counts_and_is_not_taken_up_again(run: Run, solution: Solution) -> None:
    taken, free = make.make_rollouts(solution, 1, wrong=2)
    make.make_rollouts(solution, 1, right=2)
    earlier = make.make_run(solution.project, "search")
    Selection.objects.create(run=earlier, rollout=taken, solution=solution)
    [known] = load(run).known
    texts = {each.sample: each.text for each in known.branches[0].rollouts if each.verdict is Verdict.WRONG}
    assert texts == {taken.sample: "", free.sample: "so it is 17"}
    assert not known.selections
    Search([known], SearchConfig())  # it fits together


def test_a_run_goes_on_from_its_own_selections(run: Run, solution: Solution) -> None:
    [rollout] = make.make_rollouts(solution, 1, wrong=1)
    child = make.make_solution(problem=solution.problem, forked_from=solution, forked_at=1)
    Selection.objects.create(run=run, solution=solution)
    Selection.objects.create(run=run, rollout=rollout, solution=child)
    [known] = load(run).known
    assert [tuple(each) for each in known.selections] == [
        (Pair(solution.pk, 0, None), solution.pk),
        (Pair(solution.pk, 1, rollout.sample), child.pk),
    ]


def selected(forest: Forest, solution: Solution) -> Selected:
    """The wrong rollout after the first step, as a search takes it up."""
    [known] = forest.known
    [rollout] = [each for each in known.branches[0].rollouts if each.verdict is Verdict.WRONG]
    made = fork(known.branches[0].solution, 1, rollout.text)
    assert made is not None
    pair = Pair(solution.pk, 1, rollout.sample)
    branch = Branch(pair, made, Evidence(len(made.steps), Verdict.WRONG), (), solution.pk, 1)
    return Selected(solution.pk, pair, branch, rollout)


def test_planting_twice_is_planting_once(run: Run, solution: Solution) -> None:
    make.make_rollouts(solution, 1, wrong=1)
    forest = load(run)
    places = [plant(run, selected(forest, solution), forest) for _ in range(2)]
    [child] = Solution.objects.filter(forked_from=solution)
    assert [place.pk for place in places] == [child.pk] * 2
    assert Selection.objects.get().solution == child
    assert (child.step_count, child.own_answer, child.step_rows.count()) == (2, "17", 2)


def test_the_same_words_from_a_file_are_the_same_solution(run: Run, solution: Solution) -> None:
    make.make_rollouts(solution, 1, wrong=1)
    forest = load(run)
    there = make.make_solution(problem=solution.problem, steps=["One.", "so it is 17"], source_id=None)
    digest = content_hash(solution.problem.statement, solution.problem.answer, ["One.", "so it is 17"])
    Solution.objects.filter(pk=there.pk).update(content_hash=digest)
    assert plant(run, selected(forest, solution), forest).pk == there.pk
    assert not Solution.objects.filter(forked_from=solution).exists()
    assert Selection.objects.get().solution == there


def test_what_is_made_of_a_file_that_was_withdrawn_meanwhile_is_withdrawn_too(run: Run, solution: Solution) -> None:
    solution.intake = make.make_intake(solution.project)
    solution.save()
    make.make_rollouts(solution, 1, wrong=1)
    forest = load(run)
    intake.withdraw(solution.intake, None)
    plant(run, selected(forest, solution), forest)
    assert not Solution.objects.live().exists()
