"""From people's annotations to labels, or to a disagreement that an expert settles.

The rules, for a solution that `needed` people must agree on (the project's overlap; audits have their own number):

* A conclusive opinion names the first error, or says that there is none, or that the problem is faulty. "Unsure" up to
  the first −1 and giving up are not conclusive: they carry no evidence, and another person is asked, one more than
  `needed` at most. When that is used up and conclusive opinions are still too few, it is a disagreement: nobody could
  tell.
* With `needed` conclusive opinions, those agree that name the same first error and rate every step alike that two of
  them rated, up to that error; ratings after the first error are kept and never compared. If all agree the solution is
  settled with source *human*; what machines had said of it is superseded in the same transaction.
* A faulty problem settles its solution without labels and without a first error: nothing can be exported of it.
* If they do not agree, a disagreement is opened, machine labels are taken back, and nobody else is asked. It is kept
  after an expert settled it (source *adjudicated*), as are the annotations.
* Gold, imported and adjudicated settlements are not touched by annotations that come later.
* A reviewer may return an annotation: it is its rater's turn again, its label is taken back, and the work that is
  handed in next supersedes it. An adjudication is final.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from annotator import certification, labels, slots, submissions
from annotator.errors import Conflict, Invalid, NotAllowed
from annotator.imported import Imported, settle_imported, settle_imports
from annotator.models import (
    Annotation,
    Assignment,
    AssignmentState,
    Disagreement,
    Draft,
    FinishReason,
    Posterior,
    Purpose,
    Rater,
    Review,
    Routing,
    Settlement,
    Slot,
    SlotState,
    Solution,
    SolutionStatus,
    Source,
)
from annotator.opinions import UNSURE, Opinion, opinions_of
from annotator.submissions import ADJUDICATION, Submission
from reasoning.characters import escape
from reasoning.types import NO_ERROR

__all__ = [
    "DISPUTED",
    "SETTLED",
    "WAITING",
    "Imported",
    "adjudicate",
    "differences",
    "review",
    "settle",
    "settle_imported",
    "settle_imports",
    "settle_locked",
]

SETTLED: Final = "settled"
DISPUTED: Final = "disputed"
WAITING: Final = "waiting"
_FINAL: Final = (Source.ADJUDICATED, Source.GOLD, Source.IMPORTED)


@transaction.atomic
def settle(solution: Solution) -> str:
    """Settle from what people have handed in so far: "settled", "disputed", or "waiting" for more of them."""
    return settle_locked(slots.lock([solution])[0])


def settle_locked(solution: Solution) -> str:
    """`settle` for a solution that `slots.lock` returned in this transaction."""
    current = Settlement.objects.filter(solution=solution, superseded_at=None).first()
    if current is not None and current.source in _FINAL:
        return SETTLED
    opinions = opinions_of([solution]).get(solution.pk, [])
    if not opinions:
        return WAITING
    conclusive = [opinion for opinion in opinions if opinion.conclusive]
    needed = _needed(solution, opinions)
    if len(conclusive) < needed:
        return _ask_more(solution, needed)
    if difference := differences(conclusive):
        return _dispute(solution, difference)
    disputed = solution.status == SolutionStatus.DISPUTED
    [settlement] = labels.conclude([_conclusion(solution, Source.HUMAN, conclusive)])
    if disputed:
        _close_disagreement(solution, settlement)
    return SETTLED


def _needed(solution: Solution, opinions: Sequence[Opinion]) -> int:
    if any(opinion.annotation.purpose == Purpose.AUDIT for opinion in opinions):
        return certification.audit_readers(solution.project)
    return solution.project.overlap


def _ask_more(solution: Solution, needed: int) -> str:
    by_state = slots.live_counts([solution])[solution.pk]
    if by_state[SlotState.FREE] + by_state[SlotState.TAKEN]:
        return WAITING
    if by_state[SlotState.DONE] > needed:
        return _dispute(solution, "people could not tell")
    slots.add_slot(solution)
    if solution.status != SolutionStatus.MACHINE:
        labels.set_status([solution], SolutionStatus.QUEUED)
    return WAITING


def differences(opinions: Sequence[Opinion]) -> str:
    """Where conclusive opinions part, in words (steps counted from 1); empty where they agree."""
    faulty = sum(opinion.bad_problem for opinion in opinions)
    if faulty:
        return "" if faulty == len(opinions) else "people differ on whether the problem is faulty"
    said = Counter(opinion.first_error for opinion in opinions)
    if len(said) > 1:
        places = sorted(said, key=lambda index: (index == NO_ERROR, index or 0))
        return f"people differ on the first error: {' or '.join(map(_place, places))}"
    ratings: dict[int, set[int]] = {}
    for opinion in opinions:
        for index, value in opinion.values.items():
            ratings.setdefault(index, set()).add(value)
    apart = sorted(index for index, values in ratings.items() if len(values) > 1)
    if not apart:
        return ""
    listed = ", ".join(str(index + 1) for index in apart)
    return f"people rate {'step' if len(apart) == 1 else 'steps'} {listed} differently"


def _place(first_error: int | None) -> str:
    return "none" if first_error is None or first_error == NO_ERROR else f"step {first_error + 1}"


def _dispute(solution: Solution, reason: str) -> str:
    Disagreement.objects.get_or_create(
        solution=solution, settled_at=None, defaults={"project": solution.project, "reason": reason}
    )
    labels.unsettle([solution], SolutionStatus.DISPUTED)
    slots.close_free([solution])
    return DISPUTED


def _close_disagreement(solution: Solution, settlement: Settlement) -> None:
    open_ones = Disagreement.objects.filter(solution=solution, settled_at=None)
    open_ones.update(settled_at=timezone.now(), settlement=settlement)


# --- concluding --------------------------------------------------------------------------------------------------


def _conclusion(solution: Solution, source: str, opinions: Sequence[Opinion]) -> labels.Conclusion:
    """What these agreeing opinions say together."""
    first_error = opinions[0].first_error
    annotations = [opinion.annotation for opinion in opinions]
    finish_reason = annotations[0].finish_reason
    posterior = _believed(solution)
    if opinions[0].bad_problem:
        values: dict[int, int] = {}
        let_pass: dict[int, float] = {}
    else:
        values = {index: value for opinion in opinions for index, value in opinion.values.items()}
        let_pass = _let_pass(solution, first_error, values, posterior)
    return labels.Conclusion(
        solution,
        source,
        first_error,
        {**dict.fromkeys(let_pass, 1), **values},
        p_correct=let_pass,
        posterior=posterior,
        annotations=annotations,
        finish_reason=finish_reason,
        simulated=bool(let_pass) and posterior is not None and posterior.simulated,
        stand_in=posterior.stand_in_id if let_pass and posterior is not None else None,
    )


def _believed(solution: Solution) -> Posterior | None:
    """What machines believed when they sent the solution to people: later posteriors hold people's own ratings."""
    routing = Routing.objects.filter(solution=solution, superseded_at=None).select_related("posterior").first()
    return routing.posterior if routing else None


def _let_pass(
    solution: Solution, first_error: int | None, rated: Mapping[int, int], posterior: Posterior | None
) -> dict[int, float]:
    """p_correct of the steps that nobody rated and that the first error, or its absence, says are not wrong."""
    if posterior is None or first_error is None:
        return {}
    p_correct = labels.p_correct_of(posterior)
    end = solution.step_count if first_error == NO_ERROR else first_error
    return {index: p_correct[index] for index in range(end) if index not in rated}


# --- experts -----------------------------------------------------------------------------------------------------


@transaction.atomic
def adjudicate(disagreement: Disagreement, rater: Rater, submission: Submission) -> Settlement:
    """An expert's word on a disagreement; theirs alone counts.

    Raises NotAllowed for who is part of it, Conflict where it has been settled meanwhile, Invalid for a submission that
    leaves the first error open.
    """
    [solution] = slots.lock([disagreement.solution_id])
    check_outside(disagreement, rater)
    if not Disagreement.objects.filter(pk=disagreement.pk, settled_at=None).exists():
        raise Conflict("the disagreement has been settled meanwhile")
    routing = Routing.objects.filter(solution=solution, superseded_at=None).first()
    asked = routing.asked if routing else range(solution.step_count)
    submissions.check(submission, solution.step_count, asked)
    if submission.finish_reason == FinishReason.GIVE_UP:
        raise Invalid("finish_reason", "an adjudication decides")
    opinion = _decided(submission)
    annotation = submissions.store(
        submission, solution=solution, rater=rater, purpose=ADJUDICATION, blind=False, assignment=None
    )
    conclusion = _conclusion(solution, Source.ADJUDICATED, [Opinion(annotation, opinion)])
    [settlement] = labels.conclude([conclusion])
    _close_disagreement(solution, settlement)
    return settlement


def parts_of(rater: Rater) -> QuerySet[Assignment]:
    """The solutions that this rater has read or is at work on, by their assignments."""
    return Assignment.objects.filter(rater=rater, state__in=(AssignmentState.OPEN, AssignmentState.SUBMITTED))


def check_outside(disagreement: Disagreement, rater: Rater) -> None:
    """Raise NotAllowed for somebody who would judge their own work."""
    if parts_of(rater).filter(solution=disagreement.solution_id).exists():
        raise NotAllowed("you have read this solution yourself: somebody else settles the disagreement")


def _decided(submission: Submission) -> dict[int, str]:
    """The ratings up to the first −1, none of them unsure."""
    kept: dict[int, str] = {}
    for number, each in sorted(enumerate(submission.ratings), key=lambda pair: pair[1].index):
        if each.rating == UNSURE and submission.finish_reason != FinishReason.BAD_PROBLEM:
            raise Invalid(f"ratings[{number}].rating", "an adjudication decides: not unsure up to the first error")
        kept[each.index] = each.rating
        if each.rating == submissions.BAD:
            break
    return kept


@transaction.atomic
def review(annotation: Annotation, reviewer: Rater, accepted: bool, comment: str = "") -> Review:
    """A second person accepts an annotation, or returns it to its rater, whose turn it is then for one lease.

    Raises NotAllowed for one's own work; Conflict where it was reviewed by the same person, superseded, withdrawn or
    adjudicated over.
    """
    if annotation.rater_id == reviewer.pk:
        raise NotAllowed("one's own work is reviewed by somebody else")
    [solution] = slots.lock([annotation.solution_id])
    annotation = Annotation.objects.select_related("assignment").get(pk=annotation.pk)
    if annotation.superseded_at is not None:
        raise Conflict("this work has been superseded by newer work of the same person")
    if Review.objects.filter(annotation=annotation, reviewer=reviewer).exists():
        raise Conflict("you have reviewed this already")
    if not accepted:
        _return(annotation, solution)
    return Review.objects.create(annotation=annotation, reviewer=reviewer, accepted=accepted, comment=escape(comment))


def _return(annotation: Annotation, solution: Solution) -> None:
    assignment = annotation.assignment
    if assignment is None:
        raise Conflict("an adjudication is final")
    if solution.withdrawn_at is not None or solution.superseded_by_id is not None:
        raise Conflict("the solution was withdrawn")
    current = Settlement.objects.filter(solution=solution, superseded_at=None).first()
    if current is not None and current.source == Source.ADJUDICATED:
        raise Conflict("an expert has settled this solution")
    lease_until = timezone.now() + timedelta(minutes=solution.project.lease_minutes)
    reopened = Assignment.objects.filter(pk=assignment.pk, state=AssignmentState.SUBMITTED)
    if not reopened.update(state=AssignmentState.OPEN, lease_until=lease_until, ended_at=None):
        raise Conflict("this work has been returned already")
    Slot.objects.filter(pk=assignment.slot_id).update(state=SlotState.TAKEN)
    ratings = {
        str(row.index): {"rating": row.rating, "reason": row.reason, "correction": row.correction}
        for row in annotation.rating_rows.all()
    }
    Draft.objects.update_or_create(
        assignment=assignment,
        defaults={"ratings": ratings, "undo": [], "comment": annotation.comment, "seconds": annotation.seconds},
    )
    if current is not None and current.source == Source.HUMAN:
        labels.unsettle([solution], SolutionStatus.QUEUED)
