"""Who has been shown what others say of a solution, and from whom it is withheld: so that *blind* is true.

Work is blind when its rater was shown no evidence on the solution before handing in, neither at work (leases.py notes
it on the assignment) nor elsewhere: pages and API that show a belief, a vote, a rollout, or what people handed in, note
who saw it here. Nor is work blind that a reviewer, who sees all of that, has returned. Withheld from everybody is an
audit until people have read it, and from whoever is at blind work on a solution all that others say of it. Who asks to
be shown it all the same is: their work then counts as not blind, and audits that they have seen are never served to
them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from annotator.errors import NotAllowed
from annotator.models import (
    Annotation,
    Assignment,
    AssignmentState,
    Audit,
    Person,
    Purpose,
    Review,
    Sighting,
    Solution,
    SolutionStatus,
)

AT_WORK: Final = "You are at work on this solution: what others say of it is hidden until you have handed it in."
AUDIT: Final = "This solution was drawn for audit: what machines say of it is hidden until people have read it."


def withheld(person: Person, solutions: Sequence[Solution]) -> dict[int, str]:
    """Why what is said of these solutions is withheld from this person, in words, by solution pk; three queries."""
    hidden = dict.fromkeys(_waiting_audits(solutions), AUDIT)
    if person.rater is None:
        return hidden
    own = {"solution__in": solutions, "rater": person.rater}
    at_work = Assignment.objects.filter(**own, state=AssignmentState.OPEN, evidence_seen_at=None)
    hidden |= dict.fromkeys(at_work.values_list("solution_id", flat=True), AT_WORK)
    if not hidden:
        return {}
    done = Annotation.objects.filter(**own, superseded_at=None, assignment__state=AssignmentState.SUBMITTED)
    known = Sighting.objects.filter(**own).values_list("solution_id").union(done.values_list("solution_id"))
    told = set(known)
    return {pk: words for pk, words in hidden.items() if (pk,) not in told}


def _waiting_audits(solutions: Sequence[Solution]) -> list[int]:
    queued = [each.pk for each in solutions if each.status == SolutionStatus.QUEUED]
    return list(Audit.objects.filter(solution__in=queued).values_list("solution_id", flat=True))


def at_work(person: Person, solution: Solution) -> str:
    """Why people's work on this solution is withheld from this person, in words; empty where it is not."""
    return AT_WORK if withheld(person, [solution]).get(solution.pk) == AT_WORK else ""


def note(person: Person, solutions: Iterable[Solution]) -> None:
    """This person is being shown what machines or people say of these solutions."""
    seen = [each.pk for each in solutions]
    if seen:
        rater = person.work_as()
        Sighting.objects.bulk_create((Sighting(rater=rater, solution_id=pk) for pk in seen), ignore_conflicts=True)


def ask_to_see(person: Person, solution: Solution) -> None:
    """Withhold nothing from this person any more. Raises NotAllowed for an audit that they are at work on."""
    audits = Assignment.objects.filter(solution=solution, state=AssignmentState.OPEN, slot__purpose=Purpose.AUDIT)
    if person.rater is not None and audits.filter(rater=person.rater).exists():
        raise NotAllowed("an audit is read blind: hand it in, or skip it, first")
    note(person, [solution])


def is_blind(assignment: Assignment) -> bool:
    """Has its rater been shown no evidence on its solution, here or elsewhere, nor been told that it was read wrong?"""
    returned = Review.objects.filter(annotation__assignment=assignment, accepted=False)
    if assignment.evidence_seen_at is not None or returned.exists():
        return False
    return not Sighting.objects.filter(solution=assignment.solution_id, rater=assignment.rater_id).exists()
