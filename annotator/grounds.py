"""What a fit of the posterior's parameters may rest on.

All evidence of a project's solutions counts, with what people said where they said it blind:

* What a person rated stays what it is in every posterior, a reading heard through that rater's own confusion, with the
  first error summed out. It is never made a label beside that: it would count twice, and agree with itself for ever.
  Ratings after evidence was shown and readings of audits are no evidence at all (beliefs), so they are none here.
* A label is a first error that came in with a file of a format whose labels people made, or is gold. Labels by machines
  never count, nor formats that machines label; nor an audit's whatever its source: certificates are judged by audits.
  Nor do adjudications: experts see what others rated.
* Where such a label stands, the annotations that its own file brought along are left out, for it was made from them.

Several votes of one judge are one judgement with a temper, and tempered likelihoods do not sum to 1: fitted without
labels they would call every judge perfect. So one vote of each is fitted, and the temper chosen by what people said.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from annotator import beliefs, certification
from annotator.lineage import problem_key
from annotator.models import (
    Annotation,
    AssignmentState,
    FinishReason,
    ImportedAnnotation,
    Judgement,
    OwnGrade,
    Project,
    Purpose,
    Rollout,
    Settlement,
    Solution,
    Source,
    StandIn,
)
from annotator.models.problems import KEPT
from reasoning.types import NO_ERROR, Evidence, PersonRating

MOST: Final = 4000
"""Solutions that a fit uses: the few parameters are known long before, and it costs about 10 ms of a core and 50 KiB
for each (4,000 solutions of 10 steps: 37 s, 280 MiB; 10,000: 82 s, 520 MiB)."""
LABELLED_BY_PEOPLE: Final = ("bigbench_mistake", "mr_gsm8k", "native", "prm800k", "processbench")
"""Formats whose labels people made, as far as a format can say: of a native file its owner says so by loading it."""
_BATCH: Final = 1000


@dataclass(slots=True)
class Grounds:
    """What one fit rests on; lists run alongside `evidence`."""

    evidence: list[Evidence] = field(default_factory=list)
    """No scores: what they weigh is chosen afterwards, by `heard` and `said`."""
    labels: list[int | None] = field(default_factory=list)
    problems: list[Hashable] = field(default_factory=list)
    heard: list[Evidence] = field(default_factory=list)
    """What machines said, every vote and score: what the weights of votes and scores are chosen by."""
    said: list[int | None] = field(default_factory=list)
    """The first error by label, or by the one answer of all who read it; None where there is neither."""
    left_out: int = 0
    """Solutions with evidence beyond MOST."""

    @property
    def told(self) -> int:
        """Solutions that people told of, blind or by a label."""
        return sum(
            label is not None or any(rating.rater != beliefs.IMPORTED for rating in each.people)
            for each, label in zip(self.evidence, self.labels, strict=True)
        )

    @property
    def firm(self) -> int:
        """Solutions of which more is known than what judges said and the answer that they end in."""
        return sum(
            label is not None or bool(each.counts) or any(rating.rater != beliefs.IMPORTED for rating in each.people)
            for each, label in zip(self.evidence, self.labels, strict=True)
        )


def gather(project: Project) -> Grounds:
    """The grounds of a fit of this project now. Reads in batches, in no transaction."""
    labels = labels_of(project)
    chosen, left_out = _drawn(project, labels)
    found = Grounds(left_out=left_out)
    rows = Solution.objects.only("pk", "problem_id", "project_id", "step_count", "forked_from_id").order_by("pk")
    for start in range(0, len(chosen), _BATCH):
        solutions = list(rows.filter(pk__in=chosen[start : start + _BATCH]))
        evidence = beliefs.evidence_of(solutions)
        for solution in solutions:
            _add(found, evidence[solution.pk], labels.get(solution.pk), problem_key(solution))
    return found


def _add(found: Grounds, evidence: Evidence, label: int | None, problem: Hashable) -> None:
    if label is not None:
        others = tuple(rating for rating in evidence.people if rating.rater != beliefs.IMPORTED)
        evidence = replace(evidence, people=others)
    found.evidence.append(replace(evidence, scores=None))
    found.labels.append(label)
    found.problems.append(problem)
    found.heard.append(replace(evidence, people=()))
    found.said.append(_agreed(evidence.people, evidence.steps) if label is None else label)


def _agreed(people: Iterable[PersonRating], steps: int) -> int | None:
    """What all of them say; None where they differ, or nobody read it whole."""
    said = {
        rating.first_error
        for rating in people
        if rating.rater != beliefs.IMPORTED and (rating.first_error != NO_ERROR or rating.through == steps)
    }
    return said.pop() if len(said) == 1 else None


def labels_of(project: Project) -> dict[int, int]:
    """First errors that a fit takes for true, by solution."""
    rows = _labelled(project).filter(solution__in=_fittable(project))
    return {pk: first for pk, first in rows.values_list("solution_id", "first_error") if first is not None}


def _labelled(project: Project) -> QuerySet[Settlement]:
    by_people = Q(source=Source.GOLD) | Q(source=Source.IMPORTED, intake__format__in=LABELLED_BY_PEOPLE)
    current = Settlement.objects.filter(by_people, solution__project=project, superseded_at=None)
    # Rows that another Stepwise wrote say so where machines had labelled them.
    by_machines = {f"solution__meta__{KEPT}__label_source__isnull": False}
    return current.exclude(first_error=None).filter(~Q(**by_machines), solution__audit=None)


def _read(project: Project) -> QuerySet[Annotation]:
    """Blind readings that stand and say something, audits left out; as `beliefs` hears them."""
    standing = Annotation.objects.filter(
        solution__project=project,
        purpose=Purpose.LABEL,
        blind=True,
        superseded_at=None,
        assignment__state=AssignmentState.SUBMITTED,
    )
    return standing.filter(finish_reason__in=(FinishReason.FOUND_ERROR, FinishReason.SOLUTION))


def _fittable(project: Project) -> QuerySet[Solution]:
    """Forks are left out: the rollouts that they inherit would count once more. So is what a majority answer graded:
    its errors would be taken for the steps', and the parameters carry no mark.
    """
    whole = Solution.objects.live().filter(project=project, forked_from=None)
    stood_in = StandIn.objects.filter(problem__project=project, superseded_at=None)
    return whole.exclude(problem__in=stood_in.values("problem")) if project.stand_ins else whole


def counts(project: Project) -> tuple[int, int]:
    """(solutions with rollouts, solutions that people told of, blind or by a label): what another fit is weighed by."""
    solutions = _fittable(project)
    rolled = solutions.filter(Exists(Rollout.objects.filter(solution=OuterRef("pk")))).count()
    read = Q(pk__in=_read(project).values("solution")) | Q(pk__in=_labelled(project).values("solution"))
    return rolled, solutions.filter(read).count()


def _drawn(project: Project, labels: dict[int, int]) -> tuple[list[int], int]:
    """Pks of the solutions that are used, and how many are left out.

    Whole problems: first those that people told of, then those that were rolled out; among equals by a hash that nobody
    chooses, so the same ones the next time. Of one problem no more than a posterior looks at.
    """
    told = set(labels) | set(_read(project).values_list("solution_id", flat=True))
    own = {"solution": OuterRef("pk")}
    rolled = Exists(Rollout.objects.filter(**own))
    graded, judged = Exists(OwnGrade.objects.filter(**own)), Exists(Judgement.objects.filter(**own))
    annotated = Exists(ImportedAnnotation.objects.filter(**own, first_error__isnull=False))
    spoken = graded | judged | rolled | annotated | Q(pk__in=told)
    ranks: dict[int, tuple[int, float]] = {}
    members: dict[int, list[int]] = {}
    rows = _fittable(project).filter(spoken).annotate(key=F("problem__key"), rolled=rolled).order_by("pk")
    for pk, problem, key, has_rollouts in rows.values_list("pk", "problem_id", "key", "rolled").iterator():
        rank = (0 if pk in told else 1 if has_rollouts else 2, certification.chance("fit", key))
        ranks[problem] = min(rank, ranks.get(problem, rank))
        members.setdefault(problem, []).append(pk)

    chosen: list[int] = []
    for problem in sorted(members, key=ranks.__getitem__):
        company = sorted(members[problem], key=lambda pk: pk not in told)[: beliefs.SIBLINGS]
        if len(chosen) + len(company) > MOST:
            break
        chosen += company
    return chosen, sum(map(len, members.values())) - len(chosen)
