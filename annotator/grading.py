"""Grades of the solutions' own final answers, and new grades where a reference answer or the grader has changed."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from annotator import changes
from annotator.models import Grade, OwnGrade, Problem, Rollout, Solution
from reasoning.characters import unescape
from reasoning.equivalence import GRADER_VERSION, grade
from reasoning.types import Verdict


def grade_own_answers(solutions: Sequence[Solution]) -> int:
    """Grade each own answer that this grader has not yet graded against the current reference; returns how many.

    Without a reference answer, or without an own answer, there is no row: that is no evidence.
    """
    wanted = [row for row in solutions if row.own_answer is not None and row.problem.answer is not None]
    done = set(
        OwnGrade.objects.filter(solution__in=wanted, grader=GRADER_VERSION).values_list("solution_id", "reference")
    )
    found = []
    for solution in wanted:
        reference = solution.problem.answer or ""
        if (solution.pk, reference) not in done:
            found.append((solution, reference, *grade(unescape(solution.own_answer or ""), unescape(reference))))
    if not found:
        return 0
    with transaction.atomic():
        changes.announce(solution.pk for solution, *_ in found)
        rows = [
            OwnGrade(
                solution=solution, grader=GRADER_VERSION, reference=reference, verdict=str(verdict), rule=rule[:60]
            )
            for solution, reference, verdict, rule in found
        ]
        OwnGrade.objects.bulk_create(rows, ignore_conflicts=True)
    return len(found)


def regrade(problem: Problem) -> int:
    """Grade every rollout of the problem's solutions against its present reference answer; returns how many.

    Old grades stay: they say what was thought before.
    """
    if problem.answer is None:
        return 0
    graded = Grade.objects.filter(grader=GRADER_VERSION, reference=problem.answer)
    rollouts = Rollout.objects.filter(solution__problem=problem).exclude(grades__in=graded)
    rows = []
    for rollout in rollouts.iterator():
        if rollout.answer is None:
            verdict, rule = Verdict.UNKNOWN, "no_answer"
        else:
            verdict, rule = grade(unescape(rollout.answer), unescape(problem.answer))
        rows.append(
            Grade(
                rollout=rollout, grader=GRADER_VERSION, reference=problem.answer, verdict=str(verdict), rule=rule[:60]
            )
        )
    Grade.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)
