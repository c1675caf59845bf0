"""Rows for tests: one plain function a thing, everything it needs made along with it, names that count up.

project = make_project(overlap=2)
annotator = make_person(project=project)              # a member; `annotator.rater` is set
solution = make_solution(project, steps=3)            # three steps, status new
make_judgement(solution, 1)                           # a judge says that step 1 (0-based) is the first wrong one
make_rollouts(solution, 2, right=1, wrong=3)          # four graded rollouts after two steps
slot = make_slot(solution)                            # free, the solution queued
make_annotation(solution, annotator.rater, "1", "-1") # submitted work, ratings step by step
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from itertools import count
from typing import Any

from django.contrib.auth.hashers import make_password
from django.utils import timezone

from annotator.models import (
    Annotation,
    Assignment,
    AssignmentState,
    Certificate,
    Endpoint,
    FinishReason,
    Grade,
    Intake,
    Judgement,
    OwnGrade,
    Person,
    Posterior,
    Preference,
    Problem,
    Project,
    Purpose,
    Rater,
    Rating,
    Role,
    Rollout,
    Run,
    RunKind,
    Scope,
    Score,
    Slot,
    SlotState,
    Solution,
    SolutionStatus,
    StandIn,
    Step,
    Token,
    WorkState,
    join,
)
from reasoning.characters import escape

PASSWORD = "correct horse battery staple"
_numbers = count(1)


def _name(kind: str) -> str:
    return f"{kind}-{next(_numbers)}"


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


@cache
def _hashed(password: str) -> str:
    """Hashing is slow on purpose; all people of the tests have one password."""
    return make_password(password)


def make_project(**settings: Any) -> Project:
    """A project; audits are off unless asked for, so that routing does what a test says."""
    name = _name("project")
    return Project.objects.create(**{"slug": name, "name": name.capitalize(), "audit_share": 0.0, **settings})


def make_person(
    username: str = "",
    *,
    project: Project | None = None,
    role: str = Role.ANNOTATOR,
    staff: bool = False,
    password: str = PASSWORD,
) -> Person:
    """An account that has worked before (it has a rater); a member of `project` where one is given."""
    person = Person.objects.create(username=username or _name("person"), password=_hashed(password), is_staff=staff)
    person.work_as()
    if project is not None:
        join(person, project, role)
    return person


def make_rater() -> Rater:
    """A rater whose account was cut off, or never was."""
    return Rater.objects.create()


def make_token(person: Person, *scopes: str) -> str:
    """The secret of a new token; all scopes unless some are named."""
    return Token.issue(person, list(scopes or Scope.values))[1]


def make_endpoint(kind: str = "judge", **fields: Any) -> Endpoint:
    values = {"name": _name(kind), "base_url": "http://127.0.0.1:9/v1", "model": f"test/{kind}", **fields}
    return Endpoint.objects.create(kind=kind, **values)


def make_intake(project: Project, **fields: Any) -> Intake:
    values = {"name": "rows.jsonl", "format": "native", "state": WorkState.DONE, **fields}
    return Intake.objects.create(project=project, **values)


def make_run(project: Project, kind: str = RunKind.JUDGE, **fields: Any) -> Run:
    return Run.objects.create(project=project, kind=kind, **fields)


def make_problem(project: Project | None = None, statement: str = "", *, answer: str | None = "18") -> Problem:
    statement = statement or f"{_name('Problem')}: what is 9 + 9?"
    return Problem.objects.create(
        project=project or make_project(),
        statement=escape(statement),
        answer=answer,
        key=_hash(statement, answer or ""),
    )


def make_solution(
    project: Project | None = None,
    *,
    steps: Sequence[str] | int = 4,
    problem: Problem | None = None,
    **fields: Any,
) -> Solution:
    """A solution with these steps (or so many made-up ones), joined with a blank line as intake does it."""
    if isinstance(steps, int):
        steps = [f"Step {number}: {number} + 1 = {number + 1}." for number in range(1, steps + 1)]
    problem = problem or make_problem(project)
    values = {
        "source": "tests",
        "source_id": _name("row"),
        "content_hash": _hash(problem.key, *steps),
        "text": escape("\n\n".join(steps)),
        "step_count": len(steps),
        "generator": "test/generator",
        "own_answer": "18",
        **fields,
    }
    solution = Solution.objects.create(project=problem.project, problem=problem, **values)
    rows, start = [], 0
    for index, text in enumerate(steps):
        rows.append(Step(solution=solution, index=index, start=start, end=start + len(text)))
        start += len(text) + 2
    Step.objects.bulk_create(rows)
    return solution


# --- what machines say -------------------------------------------------------------------------------------------


def make_own_grade(solution: Solution, verdict: str = "right", **fields: Any) -> OwnGrade:
    values = {"grader": "test-1", "reference": solution.problem.answer or "", "rule": "exact", **fields}
    return OwnGrade.objects.create(solution=solution, verdict=verdict, **values)


def make_judgement(solution: Solution, first_error: int, *, model: str = "test/judge", **fields: Any) -> Judgement:
    """One vote; a further one of the same judge takes the next sample number."""
    values = {
        "prompt": "prompt-1",
        "parameters": "t0",
        "sample": solution.judgements.filter(model=model).count(),
        "verdicts": [
            -1 if i == first_error else 1 if first_error == -1 or i < first_error else None
            for i in range(solution.step_count)
        ],
        "reason": "said the test",
        **fields,
    }
    return Judgement.objects.create(
        solution=solution, step_count=solution.step_count, first_error=first_error, model=model, **values
    )


def make_rollouts(
    solution: Solution,
    prefix: int,
    *,
    right: int = 0,
    wrong: int = 0,
    unknown: int = 0,
    model: str = "test/completer",
) -> list[Rollout]:
    """Graded rollouts after `prefix` steps, on top of those that are there."""
    start = solution.rollouts.filter(prefix=prefix, model=model).count()
    verdicts = ["right"] * right + ["wrong"] * wrong + ["unknown"] * unknown
    rollouts = Rollout.objects.bulk_create(
        Rollout(
            solution=solution,
            prefix=prefix,
            step_count=solution.step_count,
            model=model,
            parameters="t1",
            sample=start + number,
            text="so it is 18" if verdict == "right" else "so it is 17",
            answer=None if verdict == "unknown" else "18" if verdict == "right" else "17",
            finish_reason="stop",
        )
        for number, verdict in enumerate(verdicts)
    )
    Grade.objects.bulk_create(
        Grade(rollout=rollout, grader="test-1", reference="18", verdict=verdict, rule="exact")
        for rollout, verdict in zip(rollouts, verdicts, strict=True)
    )
    return rollouts


def make_stand_in(problem: Problem, **fields: Any) -> StandIn:
    """The current majority answer of a problem that has no reference answer: 14 of 16 sampled answers agree."""
    values = {
        "answer": "18",
        "votes": 14,
        "runner_up": 1,
        "total": 16,
        "samples": 16,
        "drawn_by": ["test/completer"],
        "grader": "test-1",
        **fields,
    }
    return StandIn.objects.create(problem=problem, **values)


def make_score(solution: Solution, values: Sequence[float], *, model: str = "test/prm") -> Score:
    return Score.objects.create(solution=solution, step_count=solution.step_count, values=list(values), model=model)


def make_preference(solution: Solution, run: Run, prefix: int = 1, **fields: Any) -> Preference:
    """A pair of steps after the first `prefix` of a solution."""
    values = {"chosen": "It is 18.", "rejected": "It is 17.", "chosen_value": 0.9, "rejected_value": 0.1, **fields}
    return Preference.objects.create(
        problem=solution.problem, solution=solution, step_count=solution.step_count, prefix=prefix, run=run, **values
    )


def make_posterior(solution: Solution, probabilities: Sequence[float], **fields: Any) -> Posterior:
    """A stored posterior as if beliefs had computed it: length steps + 1, none last."""
    best = max(range(len(probabilities)), key=probabilities.__getitem__)
    return Posterior.objects.create(
        solution=solution,
        step_count=solution.step_count,
        probabilities=list(probabilities),
        certainty=max(probabilities),
        first_error=-1 if best == solution.step_count else best,
        evidence_hash=_hash(str(probabilities)),
        **fields,
    )


def make_certificate(project: Project, threshold: float = 0.9, **fields: Any) -> Certificate:
    values = {"alpha": 0.05, "delta": 0.1, "audits": 100, "accepted": 60, "wrong": 0, "bound": 0.04, **fields}
    return Certificate.objects.create(project=project, threshold=threshold, **values)


# --- what people do ----------------------------------------------------------------------------------------------


def make_slot(solution: Solution, **fields: Any) -> Slot:
    """A further slot, free unless said otherwise; a new solution is queued by it."""
    if solution.status == SolutionStatus.NEW:
        solution.status = SolutionStatus.QUEUED
        solution.save(update_fields=["status"])
    values = {"number": solution.slots.count() + 1, **fields}
    return Slot.objects.create(project=solution.project, solution=solution, **values)


def make_assignment(slot: Slot, rater: Rater, **fields: Any) -> Assignment:
    """An open assignment with half an hour left, all steps asked; its slot is taken."""
    values = {
        "asked": list(range(slot.solution.step_count)),
        "lease_until": timezone.now() + timedelta(minutes=30),
        **fields,
    }
    assignment = Assignment.objects.create(slot=slot, solution=slot.solution, rater=rater, **values)
    if assignment.state == AssignmentState.OPEN:
        Slot.objects.filter(pk=slot.pk).update(state=SlotState.TAKEN)
    return assignment


def make_annotation(
    solution: Solution,
    rater: Rater,
    *ratings: str,
    finish_reason: str = "",
    purpose: str = Purpose.LABEL,
    blind: bool = True,
    **fields: Any,
) -> Annotation:
    """Submitted work with a slot and an assignment of its own; nothing is settled by it.

    `ratings` go step by step from the first ("1", "0", "-1", "unsure", or "" for unrated).
    """
    slot = make_slot(solution, purpose=purpose, state=SlotState.DONE)
    assignment = make_assignment(slot, rater, state=AssignmentState.SUBMITTED, ended_at=timezone.now())
    found = FinishReason.FOUND_ERROR if "-1" in ratings else FinishReason.SOLUTION
    annotation = Annotation.objects.create(
        assignment=assignment,
        solution=solution,
        rater=rater,
        purpose=purpose,
        finish_reason=finish_reason or found,
        blind=blind,
        **{"seconds": 30.0, **fields},
    )
    Rating.objects.bulk_create(
        Rating(annotation=annotation, solution=solution, index=index, rating=rating)
        for index, rating in enumerate(ratings)
        if rating
    )
    return annotation
