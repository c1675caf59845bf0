"""Which settled solutions a judge is shown, and that a run keeps them."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from annotator import examples, labels
from annotator.labels import Conclusion
from annotator.models import Audit, Endpoint, Project, Settlement, Solution, Source
from reasoning.types import NO_ERROR
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    return make.make_project(judge=make.make_endpoint("judge"))


def settled(project: Project, first_error: int, *, steps: int = 6, source: str = Source.HUMAN, **how: Any) -> Solution:
    """A solution that a person read and that was settled so."""
    problem = make.make_problem(project, how.pop("statement", ""))
    solution = make.make_solution(project, steps=how.pop("texts", steps), problem=problem)
    values = how.pop("values", None) or labels.values_before(first_error, solution.step_count)
    ratings = [str(values[index]) for index in sorted(values)]
    annotation = make.make_annotation(solution, make.make_rater(), *ratings, blind=how.pop("blind", True))
    if reason := how.pop("reason", ""):
        annotation.rating_rows.create(solution=solution, index=steps - 1, rating="-1", reason=reason)
    conclusion = Conclusion(solution, source, first_error, values, annotations=[annotation], **how)
    labels.conclude([conclusion])
    return solution


def shown(project: Project, count: int, seed: int = 0) -> list[examples.Shown]:
    assert project.judge is not None
    kept = examples.frozen(project, project.judge, {"examples": count}, seed)
    assert kept["examples"] == count
    found: list[examples.Shown] = kept["shown"]
    return found


def codes(project: Project, count: int, seed: int = 0) -> set[str]:
    return {each["solution"] for each in shown(project, count, seed)}


def test_both_kinds_are_shown_in_turn_and_errors_from_early_to_late(project: Project) -> None:
    for first_error in (0, 1, 2, 3, 4, 5, 0, 1, *[NO_ERROR] * 6):
        settled(project, first_error)
    found = [each["first_error"] for each in shown(project, 6)]
    assert [at == NO_ERROR for at in found] == [False, True] * 3
    assert [at // 2 for at in found[::2]] == [0, 1, 2]


def test_of_few_labels_as_many_are_shown_as_keep_the_kinds_even(project: Project) -> None:
    assert shown(project, 4) == []
    settled(project, NO_ERROR)
    assert shown(project, 4) == []
    for first_error in (1, 2, 3):
        settled(project, first_error)
    assert [each["first_error"] == NO_ERROR for each in shown(project, 6)] == [False, True, False]


@pytest.mark.parametrize("source", [Source.HUMAN, Source.ADJUDICATED])
def test_labels_of_people_are_shown(project: Project, source: str) -> None:
    solution = settled(project, 1, source=source)
    assert codes(project, 1) == {solution.code}


def test_never_an_audit(project: Project) -> None:
    Audit.objects.create(project=project, solution=settled(project, 1), share=0.1)
    assert not shown(project, 1)


def test_never_what_was_withdrawn_or_superseded_or_settled_anew(project: Project) -> None:
    gone, old, changed = (settled(project, 1) for _ in range(3))
    Solution.objects.filter(pk=gone.pk).update(withdrawn_at=timezone.now())
    Solution.objects.filter(pk=old.pk).update(superseded_by=changed)
    labels.conclude([Conclusion(changed, Source.ADJUDICATED, None, {}, finish_reason="bad_problem")])
    assert not shown(project, 4)


def test_never_what_was_rated_in_sight_of_evidence(project: Project) -> None:
    settled(project, 1, blind=False)
    later = settled(project, 2, source=Source.ADJUDICATED)
    make.make_annotation(later, make.make_rater(), "1", "1", "-1", blind=False)
    assert not shown(project, 4)


@pytest.mark.parametrize("source", [Source.IMPORTED, Source.GOLD])
def test_never_labels_that_nobody_here_gave(project: Project, source: str) -> None:
    settled(project, 1, source=source)
    assert not shown(project, 4)


def test_never_labels_of_another_project(project: Project) -> None:
    settled(make.make_project(), 1)
    assert not shown(project, 4)


def test_never_what_is_long(project: Project) -> None:
    settled(project, 1, texts=["x" * examples.LONGEST, "y"])
    assert not shown(project, 4)


def test_no_two_of_one_problem_however_it_is_written(project: Project) -> None:
    for number in range(8):
        settled(project, number % 2 - 1, statement=f"What is 1 + 1{'?' * (number + 1)}")
    assert len(shown(project, 8)) == 1


def test_the_seed_alone_decides(project: Project) -> None:
    for number in range(24):
        settled(project, number % 2 - 1)
    assert shown(project, 4) == shown(project, 4)
    assert len({frozenset(codes(project, 4, seed)) for seed in range(4)}) > 1


def test_what_has_a_reason_goes_first_and_the_reason_is_shown(project: Project) -> None:
    for _ in range(3):
        settled(project, 1)
    told = settled(project, 5, values={0: 1, 1: 0, 2: 1, 3: 1, 4: 0}, reason="The sum is off.")
    for _ in range(3):
        settled(project, 0)
    found = {each["solution"]: each for each in shown(project, 5, seed=2)}
    expected = {"answer": "18", "first_error": 5, "neutral": [1, 4], "reason": "The sum is off."}
    assert found == {told.code: {"solution": told.code} | expected}


def test_they_become_what_a_judge_is_told(project: Project) -> None:
    solution = settled(project, 1, texts=["nul \x00", "lone \ud800"], statement="What is \x00?")
    [example] = examples.values({"shown": shown(project, 1)})
    assert example.solution.problem.statement == "What is \x00?"
    assert [step.text for step in example.solution.steps] == ["nul \x00", "lone \ud800"]
    assert (example.first_error, solution.step_count) == (1, 2)


def started(project: Project, count: int, seed: int = 0, endpoint: Endpoint | None = None) -> list[examples.Shown]:
    endpoint = endpoint or project.judge
    assert endpoint is not None
    kept = examples.frozen(project, endpoint, {"examples": count}, seed)
    make.make_run(project, endpoint=endpoint, seed=seed, config=kept | {"votes": 2})
    found: list[examples.Shown] = kept["shown"]
    return found


def test_the_next_run_shows_the_same_though_there_is_more_to_draw_from(project: Project) -> None:
    for number in range(4):
        settled(project, number % 2 - 1)
    first = started(project, 2, seed=2)
    for _ in range(20):
        settled(project, 5, values=dict.fromkeys(range(5), 1), reason="Because.")
    assert started(project, 2, seed=2) == first
    other = make.make_endpoint("judge")
    assert started(project, 2, seed=2, endpoint=other)[0]["reason"] == "Because."


def test_once_one_of_them_no_longer_stands_they_are_drawn_anew(project: Project) -> None:
    for number in range(8):
        settled(project, number % 2 - 1)
    first = started(project, 2)
    changed = Solution.objects.get(code=first[0]["solution"])
    labels.conclude([Conclusion(changed, Source.ADJUDICATED, NO_ERROR, labels.values_before(NO_ERROR, 6))])
    assert Settlement.objects.filter(solution=changed, superseded_at=None).get().first_error == NO_ERROR
    assert first[0] not in started(project, 2)


def test_a_reference_answer_that_is_corrected_is_another_prompt_for_the_next_run_only(project: Project) -> None:
    solution = settled(project, 1)
    begun = started(project, 1)
    solution.problem.answer = "19"
    solution.problem.save()
    [example] = examples.values({"shown": begun})
    assert example.solution.problem.answer == "18"
    [example] = examples.values({"shown": started(project, 1)})
    assert example.solution.problem.answer == "19"


def test_too_few_are_drawn_anew_when_there_are_more(project: Project) -> None:
    settled(project, 1)
    assert len(started(project, 2)) == 1
    settled(project, NO_ERROR)
    assert len(started(project, 2)) == 2


def test_none_are_kept_where_none_are_wanted(project: Project) -> None:
    settled(project, 1)
    assert project.judge is not None
    assert examples.frozen(project, project.judge, {}, 0) == {}
    project.judge_examples = 1
    assert len(examples.frozen(project, project.judge, {}, 0)["shown"]) == 1
    assert examples.frozen(project, project.judge, {"examples": 0}, 0) == {}
    assert examples.values({}) == ()
