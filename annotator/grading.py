"""Grades of answers, the solutions' own and rolled out, against what their problem is measured by at present.

That is its reference answer, else the stand-in where there is one and the project wants such. A grade against a
stand-in says so for ever; whether it counts is another matter (models.evidence, `in_force`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction
from django.db.models import Exists, OuterRef

from annotator import changes
from annotator.models import Grade, OwnGrade, Problem, Rollout, Solution, StandIn
from reasoning.characters import unescape
from reasoning.equivalence import GRADER_VERSION, grade

_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Reference:
    """What answers of a problem are graded against. Text as it is stored."""

    answer: str
    stand_in: int | None = None
    """Its key, where it is a majority answer and no reference answer."""


def references(solutions: Sequence[Solution]) -> dict[int, Reference]:
    """By the problem's key, as the tables have it now; a problem that nothing can be graded against is absent."""
    answers = Problem.objects.filter(pk__in={each.problem_id for each in solutions}).exclude(answer=None)
    stand_ins = StandIn.objects.filter(
        problem__in={each.problem_id for each in solutions if each.problem.answer is None},
        problem__answer=None,
        problem__project__stand_ins=True,
        superseded_at=None,
    )
    found = {problem: Reference(answer, pk) for problem, answer, pk in stand_ins.values_list("problem", "answer", "pk")}
    return found | {problem: Reference(answer) for problem, answer in answers.values_list("pk", "answer") if answer}


def grade_answers(solutions: Sequence[Solution]) -> int:
    """Grade each answer that has no grade against its problem's present reference; returns how many.

    What marks no answer gets no grade: that is no evidence. Old grades stay and say what was thought before.
    """
    found = references(solutions)
    of_solution = {each.pk: found[each.problem_id] for each in solutions if each.problem_id in found}
    own = _grade_own([each for each in solutions if each.pk in of_solution], of_solution)
    return own + _grade_rollouts(of_solution)


def _grade_own(solutions: Sequence[Solution], references: Mapping[int, Reference]) -> int:
    wanted = {each.pk: each.own_answer for each in solutions if each.own_answer is not None}
    there = OwnGrade.objects.filter(solution__in=wanted, grader=GRADER_VERSION)
    done = set(there.values_list("solution", "reference", "stand_in"))
    graded = {
        pk: _graded(answer, references[pk])
        for pk, answer in wanted.items()
        if (pk, references[pk].answer, references[pk].stand_in) not in done
    }
    with _announced(graded):
        rows = [OwnGrade(solution_id=pk, **found) for pk, found in graded.items()]
        OwnGrade.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


@contextmanager
def _announced(solutions: Collection[int]) -> Iterator[None]:
    """Rows made in here, and not before, are stamped when no export's cutoff can pass them by."""
    with transaction.atomic():
        if solutions:
            changes.announce(solutions)
        yield


def _grade_rollouts(references: Mapping[int, Reference]) -> int:
    """Rollouts are graded as they come: here are those that came before their reference did."""
    present = Grade.objects.filter(rollout=OuterRef("pk"))
    answered = present.filter(stand_in=None, reference=OuterRef("solution__problem__answer"))
    stood_in = present.filter(stand_in__isnull=False, stand_in__superseded_at=None)
    by_stand_in = {pk for pk, reference in references.items() if reference.stand_in is not None}
    ends = Rollout.objects.filter(answer__isnull=False)
    # Whole solutions get no grade by the stand-in that they voted for.
    wanted = [ends.filter(~Exists(answered), solution__in=set(references) - by_stand_in)]
    if by_stand_in:
        wanted.append(ends.filter(~Exists(stood_in), solution__in=by_stand_in, prefix__gt=0))
    graded = [
        (solution, pk, _graded(answer, references[solution]))
        for rollouts in wanted
        for pk, solution, answer in rollouts.values_list("pk", "solution", "answer")
    ]
    with _announced({solution for solution, _, _ in graded}):
        rows = [Grade(rollout_id=pk, **found) for _, pk, found in graded]
        Grade.objects.bulk_create(rows, ignore_conflicts=True, batch_size=_BATCH)
    return len(rows)


def _graded(answer: str | None, reference: Reference) -> dict[str, Any]:
    verdict, rule = grade(unescape(answer or ""), unescape(reference.answer))
    return {
        "grader": GRADER_VERSION,
        "reference": reference.answer,
        "stand_in_id": reference.stand_in,
        "verdict": str(verdict),
        "rule": rule[:60],
    }
