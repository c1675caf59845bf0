"""Who has been shown what others say of a solution, and from whom it is withheld: so that *blind* is true.

Work is blind when its rater was shown no evidence on the solution before handing in, neither at work nor elsewhere:
whatever shows a belief, a vote, a rollout, or what people handed in, notes who saw it here. Nor is work blind that a
reviewer, who sees all of that, has returned. Withheld from everybody is an audit until people have read it, and from
whoever is at blind work on a solution all that others say of it. Who asks to be shown it all the same is: their work
then counts as not blind, and audits that they have seen are never served to them.

Solutions that a search let branch off each other begin alike, and share what was rolled out there. So what is said of
one is withheld with the others, and who has seen it of one has seen it of all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from annotator.errors import NotAllowed
from annotator.lineage import kin_of
from annotator.models import (
    Annotation,
    Assignment,
    AssignmentState,
    Audit,
    Person,
    Purpose,
    Rater,
    Review,
    Sighting,
    Solution,
    SolutionStatus,
)

AT_WORK: Final = "You are at work on this solution: what others say of it is hidden until you have handed it in."
AUDIT: Final = "This solution was drawn for audit: what machines say of it is hidden until people have read it."
KIN_AT_WORK: Final = "You are at work on a solution that begins like this one: hidden until you have handed that in."
KIN_AUDIT: Final = "A solution that begins like this one was drawn for audit: hidden until people have read that."


def withheld(person: Person, solutions: Iterable[Solution]) -> dict[int, str]:
    """Why what is said of these solutions is withheld from this person, in words, by solution pk; four queries."""
    own = {each.pk for each in solutions}
    kin = kin_of(own)
    hidden = _hidden(person, own.union(*kin.values()))
    found = {pk: words for pk, words in hidden.items() if pk in own}
    for pk in own - set(found):
        said = {hidden[other] for other in kin.get(pk, ()) if other in hidden}
        if said:
            found[pk] = KIN_AT_WORK if AT_WORK in said else KIN_AUDIT
    return found


def _hidden(person: Person, solutions: Collection[int]) -> dict[int, str]:
    """Those of these solutions that have to be read blind, and why."""
    waiting = Audit.objects.filter(solution__in=solutions, solution__status=SolutionStatus.QUEUED)
    hidden = dict.fromkeys(waiting.values_list("solution_id", flat=True), AUDIT)
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


def at_work(person: Person, solution: Solution) -> str:
    """Why people's work on this solution is withheld from this person, in words; empty where it is not."""
    words = withheld(person, [solution]).get(solution.pk, "")
    return words if words in (AT_WORK, KIN_AT_WORK) else ""


def note(person: Person, solutions: Iterable[Solution]) -> None:
    """This person is being shown what machines or people say of these solutions."""
    if seen := [each.pk for each in solutions]:
        note_seen(person.work_as(), seen)


def note_seen(rater: Rater, solutions: Collection[int]) -> None:
    """This rater is being shown what is said of these solutions, and so of those that begin like them."""
    seen = set(solutions).union(*kin_of(solutions).values())
    Sighting.objects.bulk_create((Sighting(rater=rater, solution_id=pk) for pk in sorted(seen)), ignore_conflicts=True)


def ask_to_see(person: Person, solution: Solution) -> None:
    """Withhold nothing from this person any more. Raises NotAllowed for an audit that they are at work on."""
    shown = {solution.pk}.union(*kin_of([solution.pk]).values())
    audits = Assignment.objects.filter(solution__in=shown, state=AssignmentState.OPEN, slot__purpose=Purpose.AUDIT)
    if person.rater is not None and audits.filter(rater=person.rater).exists():
        raise NotAllowed("an audit is read blind: hand it in, or skip it, first")
    note(person, [solution])


def is_blind(assignment: Assignment) -> bool:
    """Has its rater been shown no evidence on its solution, here or elsewhere, nor been told that it was read wrong?"""
    returned = Review.objects.filter(annotation__assignment=assignment, accepted=False)
    if assignment.evidence_seen_at is not None or returned.exists():
        return False
    return not Sighting.objects.filter(solution=assignment.solution_id, rater=assignment.rater_id).exists()
