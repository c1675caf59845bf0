"""Majority answers for problems that have no reference answer (docs/decisions/stand-in.md).

A stand-in is elected by whole solutions drawn from the problem alone, and by nobody whom it will judge: the problem's
own solutions have no vote, and the voters get no grade by it. A reference answer that comes later always wins.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from annotator import changes
from annotator.enqueue import enqueue
from annotator.errors import Conflict, Invalid
from annotator.models import Endpoint, Person, Problem, Project, Rollout, Run, Solution, StandIn, record
from annotator.models.problems import problem_key
from reasoning import answers
from reasoning.characters import escape, unescape
from reasoning.equivalence import GRADER_VERSION

if TYPE_CHECKING:
    from reasoning.evidence.majority import Majority

NO_ANSWER: Final = "the problem has no reference answer"
_SIMULATED: Final = "simulated/"


def ballots(problems: Iterable[int], endpoint: Endpoint, parameters: str) -> QuerySet[Rollout]:
    """Whole solutions of these problems that this endpoint's model wrote when asked so; they may be stored with
    any solution of theirs.
    """
    drawn = Rollout.objects.filter(solution__problem__in=problems, prefix=0, parameters=parameters)
    return drawn.filter(Q(run__endpoint=endpoint) | Q(model=endpoint.model))


def wanting(project: Project, problems: Iterable[int]) -> QuerySet[Problem, int]:
    """Keys of those that still want an election: no reference answer, and no stand-in that rests on enough samples."""
    enough = StandIn.objects.filter(problem=OuterRef("pk"), superseded_at=None, samples__gte=project.stand_in_samples)
    unanswered = Problem.objects.filter(~Exists(enough), pk__in=problems, answer=None)
    return unanswered.order_by("pk").values_list("pk", flat=True)


def lacking(project: Project, problems: Iterable[int], endpoint: Endpoint, parameters: str) -> int:
    """How many whole solutions are still to be drawn for these problems by who asks in this way."""
    wanted = list(wanting(project, problems))
    drawn = Counter(ballots(wanted, endpoint, parameters).values_list("solution__problem", flat=True))
    return sum(max(project.stand_in_samples - drawn[problem], 0) for problem in wanted)


def answers_of(drawn: Sequence[Rollout]) -> list[str | None]:
    """What the voters say. Unescaped."""
    return [None if each.answer is None else unescape(each.answer) for each in drawn]


@transaction.atomic
def elect(problem: int, drawn: Sequence[Rollout], found: Majority, run: Run) -> StandIn | None:
    """Let what these voters say be the problem's stand-in, or what was so no longer be it where none is decisive.

    None where there is no stand-in now, because none was decisive or a reference answer has come meanwhile.
    """
    changes.announce_in(run.project_id)
    held = Problem.objects.select_for_update(no_key=True).get(pk=problem)
    if held.answer is not None:
        return None
    current = StandIn.objects.filter(problem=held, superseded_at=None)
    if (same := current.filter(samples__gte=len(drawn)).first()) is not None:
        return same  # another worker was first
    current.update(superseded_at=timezone.now())
    if found.answer is None or not found.decisive():
        return None
    models = sorted({each.model for each in drawn})
    return StandIn.objects.create(
        problem=held,
        run=run,
        answer=escape(found.answer),
        votes=found.votes,
        runner_up=found.runner_up,
        total=found.total,
        samples=len(drawn),
        drawn_by=models,
        grader=GRADER_VERSION,
        simulated=any(model.startswith(_SIMULATED) for model in models),
    )


def undecided(found: Majority) -> str:
    """Why nothing was elected, in words that begin alike."""
    return f"{NO_ANSWER}, and sampled answers do not agree enough: {found.votes} of {found.total}"


@transaction.atomic
def answer(problem: Problem, answer: str, key: str) -> None:
    """Give a problem this reference answer: what was graded against a stand-in, or another answer, counts no more.

    Texts are escaped; `key` is what the problem is known by with this answer. Grades, posteriors and labels follow when
    its solutions are decided on again. Of answers to one problem the last holds. Raises Conflict where another problem
    of the project is known by this key, be it since this moment.
    """
    changes.announce_in(problem.project_id)
    held = Problem.objects.select_for_update(no_key=True).get(pk=problem.pk)
    held.answer, held.key, held.answered_at = answer, key, timezone.now()
    try:
        with transaction.atomic():
            held.save(update_fields=["answer", "key", "answered_at"])
    except IntegrityError as error:
        if "problem_once" not in str(error):
            raise
        other = Problem.objects.get(project=held.project_id, key=key)
        raise Conflict(f"this statement with this answer is problem {other.code} of the project already") from error
    StandIn.objects.filter(problem=held, superseded_at=None).update(superseded_at=timezone.now())


@transaction.atomic
def give_answer(problem: Problem, given: str, person: Person | None) -> Problem:
    """A manager's word on the reference answer; the problem's solutions are decided on again at once.

    Raises Invalid for what is no answer, Conflict where the project has the same statement with this answer already.
    """
    found = answers.reference(given)
    if found is None:
        raise Invalid("answer", "is no answer: one number, formula, choice or short phrase")
    key = problem_key(unescape(problem.statement), found)
    answer(problem, escape(found), key)
    record("problem.answered", project=problem.project, actor=person, subject=problem.code, answer=escape(found))
    enqueue("decide_problem", problem.pk)
    problem.refresh_from_db()
    return problem


def outdated(limit: int) -> list[int]:
    """Live solutions that are believed what they are because of a stand-in that is no more; `limit` of them at most."""
    live = Solution.objects.live().filter(
        posteriors__superseded_at=None, posteriors__stand_in__superseded_at__isnull=False
    )
    return list(live.order_by("pk").values_list("pk", flat=True)[:limit])
