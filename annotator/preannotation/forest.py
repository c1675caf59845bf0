"""Rows → the trees of a search, and a search's new solutions → rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Count, Exists, OuterRef, Q

from annotator import beliefs, changes, grading, lineage
from annotator.grading import Reference
from annotator.models import Grade, Intake, Rollout, Run, Selection, Solution, StandIn, Step
from annotator.models.problems import content_hash
from annotator.preannotation.clients import SIMULATED
from annotator.preannotation.desk import Item
from reasoning import search, types
from reasoning.characters import escape, unescape
from reasoning.equivalence import grade
from reasoning.first_error import Parameters
from reasoning.search import Branch, Known, Pair, Selected

SOURCE = "search"
"""Source of the solutions that searches made."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a solution of a tree is stored."""

    pk: int
    intake: int | None
    value: types.Solution


@dataclass(slots=True)
class Forest:
    """The trees of a batch of problems, each known by its item's solution."""

    parameters: Parameters
    known: list[Known] = field(default_factory=list)
    places: dict[Hashable, Place] = field(default_factory=dict)
    """By the search's id of a solution: its key, or the pair of which it was made."""
    rollouts: dict[Pair, int] = field(default_factory=dict)
    """Keys of the rollouts that were there."""
    simulated: set[int] = field(default_factory=set)
    """Problems of which the simulator has drawn something."""
    references: dict[int, Reference] = field(default_factory=dict)
    """By the key of a problem: what its answers are graded against."""

    @classmethod
    def load(cls, run: Run, items: Sequence[Item], references: Mapping[int, Reference]) -> Forest:
        """Everything stored about these problems, and what each item is graded against. A fixed number of queries."""
        forest = cls(beliefs.parameters_of(run.project))
        forest.references = {item.row.problem_id: references[item.pk] for item in items}
        trees: dict[int, list[Solution]] = defaultdict(list)
        live = Solution.objects.live().filter(problem__in=[item.row.problem_id for item in items])
        for row in live.select_related("problem").prefetch_related("step_rows").order_by("pk"):
            trees[row.problem_id].append(row)
        solutions = [row for rows in trees.values() for row in _rooted(rows)]
        grading.grade_answers(solutions)
        evidence = beliefs.evidence_of(solutions)
        drawn = forest._rollouts_of(run, solutions)
        chosen = forest._selections_of(run, {row.pk for row in solutions})
        origins = forest._origins_of(solutions)
        spent = _spent(run, solutions)
        for row in solutions:
            forest.places[row.pk] = Place(row.pk, row.intake_id, beliefs.solution_value(row))
        for item in items:
            rows = _rooted(trees[item.row.problem_id])
            branches = [forest._branch(row, evidence[row.pk], drawn[row.pk], origins.get(row.pk)) for row in rows]
            selections = [each for row in rows for each in chosen[row.pk]]
            made = [search.Selection(pair, solution) for _, pair, solution in sorted(selections)]
            elected = forest.references[item.row.problem_id].stand_in is not None
            forest.known.append(Known(item.pk, branches, made, spent.get(item.row.problem_id, 0), elected))
            if any(each.model.startswith(SIMULATED) for branch in branches for each in branch.rollouts):
                forest.simulated.add(item.pk)
        return forest

    def _branch(
        self, row: Solution, evidence: types.Evidence, drawn: Sequence[types.Rollout], origin: Pair | None
    ) -> Branch:
        return Branch(row.pk, self.places[row.pk].value, evidence, drawn, row.forked_from_id, row.forked_at, origin)

    def _origins_of(self, solutions: Sequence[Solution]) -> dict[int, Pair]:
        """By fork: the rollout that it is made of, whichever run selected it."""
        pairs = {pk: pair for pair, pk in self.rollouts.items()}
        made = lineage.origins_of(row.pk for row in solutions)
        return {solution: pairs[rollout] for solution, rollout in made.items() if rollout in pairs}

    def _rollouts_of(self, run: Run, solutions: Sequence[Solution]) -> Mapping[int, list[types.Rollout]]:
        """By solution. What another run has selected comes without its text: it counts, and is not selected again."""
        grades = Grade.objects.filter(rollout__solution__in=solutions).in_force()
        best = grades.best().values_list("rollout_id", "verdict", "rule")
        verdicts = {pk: (verdict, rule) for pk, verdict, rule in best}
        others = Selection.objects.exclude(run=run).filter(rollout__solution__in=solutions)
        taken = set(others.values_list("rollout_id", flat=True))
        found: dict[int, list[types.Rollout]] = defaultdict(list)
        problems = {row.pk: row.problem_id for row in solutions}
        for row, sample in _numbered(Rollout.objects.filter(solution__in=solutions).order_by("pk")):
            verdict, rule = verdicts.get(row.pk, (types.Verdict.UNKNOWN, ""))
            reference = self.references[problems[row.solution_id]]
            if row.prefix == 0 and reference.stand_in is not None and row.answer is not None:
                # It has no grade by what it voted for, but the tree must know on which side it is.
                verdict, rule = grade(unescape(row.answer), unescape(reference.answer))
            self.rollouts[Pair(row.solution_id, row.prefix, sample)] = row.pk
            found[row.solution_id].append(
                types.Rollout(
                    row.prefix,
                    sample,
                    "" if row.pk in taken else unescape(row.text),
                    None if row.answer is None else unescape(row.answer),
                    types.Verdict(verdict),
                    rule,
                    row.model,
                    row.seed,
                    row.finish_reason,
                    types.Usage(row.prompt_tokens, row.completion_tokens, row.cost),
                )
            )
        return found

    def _selections_of(self, run: Run, solutions: set[int]) -> Mapping[int, list[tuple[int, Pair, int]]]:
        """By the solution that came of it: key, pair and solution of each selection of this run."""
        pairs = {pk: pair for pair, pk in self.rollouts.items()}
        found: dict[int, list[tuple[int, Pair, int]]] = defaultdict(list)
        rows = Selection.objects.filter(run=run, solution__in=solutions)
        for pk, rollout, solution in rows.values_list("pk", "rollout_id", "solution_id"):
            pair = Pair(solution, 0, None) if rollout is None else pairs.get(rollout)
            if pair is not None:
                found[solution].append((pk, pair, solution))
        return found


def _spent(run: Run, solutions: Sequence[Solution]) -> dict[int, int]:
    """By problem: rollouts that this run has drawn in search of errors; what elected a stand-in before is none."""
    elected = StandIn.objects.filter(
        problem=OuterRef("solution__problem"), superseded_at=None, created_at__gt=OuterRef("created_at")
    )
    drawn = Rollout.objects.filter(~(Q(prefix=0) & Exists(elected)), run=run, solution__in=solutions)
    return dict(drawn.values_list("solution__problem").annotate(Count("pk")).order_by())


def _rooted(rows: Iterable[Solution]) -> list[Solution]:
    """Without forks of what is no longer there: they hang in the air."""
    kept: dict[int, Solution] = {}
    for row in rows:
        if row.forked_from_id is None or row.forked_from_id in kept:
            kept[row.pk] = row
    return list(kept.values())


def _numbered(rows: Iterable[Rollout]) -> Iterator[tuple[Rollout, int]]:
    """Each with its sample number; where two models counted alike, those of the later rows go on behind the highest."""
    rows = list(rows)
    highest: dict[tuple[int, int], int] = defaultdict(int)
    for row in rows:
        place = (row.solution_id, row.prefix)
        highest[place] = max(highest[place], row.sample)
    seen: set[tuple[int, int, int]] = set()
    for row in rows:
        place, sample = (row.solution_id, row.prefix), row.sample
        if (*place, sample) in seen:
            highest[place] += 1
            sample = highest[place]
        seen.add((*place, sample))
        yield row, sample


@transaction.atomic
def plant(run: Run, selected: Selected, forest: Forest) -> Place:
    """Store a selection and the solution that came of it; both are found where they were stored before."""
    branch, rollout = selected.branch, selected.rollout
    if rollout is None:
        place = forest.places[branch.id]
        Selection.objects.get_or_create(run=run, solution_id=place.pk, rollout=None)
        return place
    at = forest.places[selected.pair.solution]
    own = forest.rollouts.get(Pair(at.pk, selected.pair.prefix, rollout.sample))
    if own is None:
        drawn = Rollout.objects.filter(run=run, solution=at.pk, prefix=rollout.prefix, sample=rollout.sample)
        own = drawn.values_list("pk", flat=True).get()
    parent = forest.places[branch.forked_from]
    row = _solution(run, branch, parent, rollout)
    selection, _ = Selection.objects.get_or_create(rollout_id=own, defaults={"run": run, "solution": row})
    return Place(selection.solution_id, row.intake_id, branch.solution)


def _solution(run: Run, branch: Branch, parent: Place, rollout: types.Rollout) -> Solution:
    """The fork as a row; the row of the same problem and steps where there is one."""
    value = branch.solution
    gone = _withdrawn_at(parent.intake)  # before the announcement, as whoever withdraws it takes the two
    changes.announce_in(run.project_id)
    row = Solution(
        project_id=run.project_id,
        problem_id=Solution.objects.values_list("problem_id", flat=True).get(pk=parent.pk),
        intake_id=parent.intake,  # what an intake brought in is withdrawn with what was made of it
        source=SOURCE,
        content_hash=content_hash(value.problem.statement, value.problem.answer, [step.text for step in value.steps]),
        text=escape(value.text),
        step_count=len(value.steps),
        generator=rollout.model,
        own_answer=None if rollout.answer is None else escape(rollout.answer),
        forked_from_id=parent.pk,
        # One that ends where another goes on is a fork at its own last step.
        forked_at=min(branch.forked_at or 0, len(value.steps) - 1),
        withdrawn_at=gone,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        live = Solution.objects.live()
        same = live.filter(project=run.project_id, source_id=None, content_hash=row.content_hash).first()
        if same is None:
            raise
        return same
    Step.objects.bulk_create(
        Step(solution=row, index=step.index, start=step.start, end=step.end) for step in value.steps
    )
    return row


def _withdrawn_at(intake: int | None) -> datetime | None:
    """Since when nothing of this intake counts; it cannot be withdrawn until this transaction ends."""
    if intake is None:
        return None
    return Intake.objects.select_for_update(no_key=True).values_list("withdrawn_at", flat=True).get(pk=intake)
