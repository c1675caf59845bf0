"""A reference answer that comes with a row answers the problem that was here without one."""

from __future__ import annotations

import pytest

from annotator.models import Problem, Project, Solution, StandIn
from tests import factories as make
from tests.unit.annotator.intake.rows import counts, native, refusals, take

pytestmark = pytest.mark.django_db


def test_the_same_row_with_an_answer_is_known_and_gives_it(project: Project) -> None:
    take(project, native(answer=None))
    make.make_stand_in(Problem.objects.get(), answer="6")
    assert counts(take(project, native(answer="5"))) == (1, 0, 1, 0)
    assert Problem.objects.get().answer == "5"
    assert StandIn.objects.get().superseded_at is not None
    assert counts(take(project, native(answer="5"))) == (1, 0, 1, 0)
    assert counts(take(project, native(answer=None))) == (1, 0, 1, 0)
    assert Problem.objects.get().answer == "5"


def test_a_row_without_an_id_is_known_by_its_steps_with_or_without_the_answer(project: Project) -> None:
    take(project, native(id=None, answer=None))
    assert counts(take(project, native(id=None, answer="5"))) == (1, 0, 1, 0)
    assert (Solution.objects.count(), Problem.objects.get().answer) == (1, "5")


def test_another_solution_of_the_problem_brings_its_answer_and_joins_it(project: Project) -> None:
    take(project, native("r1", answer=None))
    assert counts(take(project, native("r2", answer="5", steps=["So 5."]))) == (1, 1, 0, 0)
    assert Problem.objects.get().answer == "5"
    assert Problem.objects.get().solutions.count() == 2


def test_the_first_answer_of_a_file_is_taken_and_rows_with_another_stay_apart(project: Project) -> None:
    take(project, native("r1", answer=None))
    take(project, native("r2", answer="5", steps=["So 5."]), native("r3", answer="6", steps=["So 6."]))
    answers = dict(Solution.objects.values_list("source_id", "problem__answer"))
    assert answers == {"r1": "5", "r2": "5", "r3": "6"}


def test_a_row_that_came_without_an_answer_and_comes_with_another_than_its_problem_has_is_refused(
    project: Project,
) -> None:
    take(project, native(answer=None))
    take(project, native(answer="5"))
    read = take(project, native(answer="6"))
    assert counts(read) == (1, 0, 0, 1)
    assert refusals(read)[0][1] == "id"


def test_an_answered_problem_that_is_here_already_is_left_apart(project: Project) -> None:
    take(project, native("r1", answer="5"), native("r2", answer=None, steps=["So 5."]))
    take(project, native("r3", answer="5", steps=["5."]))
    assert Problem.objects.filter(answer=None).count() == 1
