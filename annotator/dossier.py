"""Everything known about one solution, by step: who or what said which, and when. Read-only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import OuterRef, Q, Subquery

from annotator.history import Happening, history_of, name_of
from annotator.lineage import ancestors_of
from annotator.models import (
    Annotation,
    Audit,
    Disagreement,
    Grade,
    ImportedAnnotation,
    Judgement,
    Label,
    OwnGrade,
    Posterior,
    Rating,
    Rollout,
    Routing,
    Score,
    Settlement,
    Solution,
    Source,
    StandIn,
    Step,
)
from reasoning.characters import unescape


@dataclass(slots=True)
class Graded:
    """Rollouts of one model after one prefix."""

    prefix: int
    model: str
    right: int = 0
    wrong: int = 0
    unknown: int = 0
    stand_in: bool = False

    @property
    def graded(self) -> int:
        return self.right + self.wrong

    @property
    def words(self) -> str:
        return f"{self.right}/{self.graded}"

    @property
    def share(self) -> float:
        return self.right / self.graded if self.graded else 0.0


@dataclass(frozen=True, slots=True)
class Said:
    """What one person (or one annotator of an imported file) said of one step."""

    who: str
    rating: str
    reason: str = ""
    correction: str = ""


@dataclass(slots=True)
class StepFacts:
    """One step, 0-based, with all that was said of it."""

    index: int
    text: str
    label: Label | None = None
    belief: float | None = None
    """P(this step is the first error)."""
    p_correct: float | None = None
    """P(the first error lies beyond, or there is none)."""
    asked: bool = False
    after: bool = False
    """Beyond the settled first error."""
    judgements: list[Judgement] = field(default_factory=list)
    """Those that call this step the first error."""
    verdicts: list[tuple[str, int]] = field(default_factory=list)
    scores: list[tuple[str, float]] = field(default_factory=list)
    rollouts: list[Graded] = field(default_factory=list)
    """After the prefix that ends with this step."""
    people: list[Said] = field(default_factory=list)
    imported: list[Said] = field(default_factory=list)

    @property
    def says_label(self) -> bool:
        """Is there more to the label than its mark: a soft value, or that it is not what the people beneath said?"""
        if self.label is None:
            return False
        return self.label.p_correct is not None or (bool(self.people) and self.label.source != Source.HUMAN)


@dataclass(frozen=True, slots=True)
class Read:
    """One person's current work on the whole solution."""

    who: str
    finish: str
    purpose: str
    blind: bool
    seconds: float
    comment: str


@dataclass(frozen=True, slots=True)
class Dossier:
    solution: Solution
    steps: list[StepFacts]
    statement: str
    posterior: Posterior | None
    routing: Routing | None
    settlement: Settlement | None
    own_grade: OwnGrade | None
    stand_in: StandIn | None
    """The majority answer, where no reference answer is known."""
    audit: Audit | None
    disagreement: Disagreement | None
    start: list[Graded]
    """Rollouts from the bare problem."""
    judged_none: list[Judgement]
    """Judges who call no step wrong."""
    annotations: list[Read]
    history: list[Happening]

    @property
    def sways(self) -> bool:
        """Would whoever reads it know what machines or people said of the steps, now or once?"""
        looks = any(step.rollouts or step.scores or step.imported or step.label for step in self.steps)
        return bool(looks or self.posterior or self.start or any(line.sways for line in self.history))

    @property
    def none(self) -> float | None:
        """P(no step is wrong)."""
        return self.posterior.probabilities[-1] if self.posterior else None


def dossier(solution: Solution) -> Dossier:
    """A fixed number of queries, however many steps there are."""
    text = unescape(solution.text)
    steps = [StepFacts(row.index, text[row.start : row.end]) for row in Step.objects.filter(solution=solution)]
    posteriors = list(Posterior.objects.filter(solution=solution).order_by("-pk"))
    routings = list(Routing.objects.filter(solution=solution).order_by("-pk"))
    settlements = list(Settlement.objects.filter(solution=solution).order_by("-pk"))
    annotations = list(Annotation.objects.filter(solution=solution).select_related("rater__person").order_by("-pk"))
    judgements = list(Judgement.objects.filter(solution=solution).order_by("pk"))
    posterior = next((one for one in posteriors if one.superseded_at is None), None)
    routing = next((one for one in routings if one.superseded_at is None), None)
    settlement = next((one for one in settlements if one.superseded_at is None), None)
    _add_labels(steps, solution, settlement)
    _add_belief(steps, posterior, routing)
    start = _add_machines(steps, solution, judgements)
    _add_people(steps, solution, annotations)
    return Dossier(
        solution=solution,
        steps=steps,
        statement=unescape(solution.problem.statement),
        posterior=posterior,
        routing=routing,
        settlement=settlement,
        own_grade=OwnGrade.objects.in_force().filter(solution=solution).best().first(),
        stand_in=StandIn.objects.filter(problem=solution.problem_id, problem__answer=None, superseded_at=None).first(),
        audit=Audit.objects.filter(solution=solution).first(),
        disagreement=Disagreement.objects.filter(solution=solution, settled_at=None).first(),
        start=start,
        judged_none=[one for one in judgements if one.first_error < 0],
        annotations=[_read(one) for one in annotations if one.superseded_at is None],
        history=history_of(solution, routings, settlements, annotations, judgements),
    )


def bare(solution: Solution) -> Dossier:
    """The solution itself, for whoever is not to know what was said of it."""
    text = unescape(solution.text)
    steps = [
        StepFacts(row.index, text[row.start : row.end], asked=True) for row in Step.objects.filter(solution=solution)
    ]
    return Dossier(
        solution=solution,
        steps=steps,
        statement=unescape(solution.problem.statement),
        posterior=None,
        routing=None,
        settlement=None,
        own_grade=None,
        stand_in=None,
        audit=None,
        disagreement=None,
        start=[],
        judged_none=[],
        annotations=[],
        history=[],
    )


def _add_labels(steps: list[StepFacts], solution: Solution, settlement: Settlement | None) -> None:
    if settlement is not None and settlement.first_error is not None and settlement.first_error >= 0:
        for step in steps[settlement.first_error + 1 :]:
            step.after = True
    for label in Label.objects.filter(solution=solution, superseded_at=None):
        steps[label.index].label = label


def _add_belief(steps: list[StepFacts], posterior: Posterior | None, routing: Routing | None) -> None:
    for index in routing.asked if routing else ():
        steps[index].asked = True
    if posterior is None:
        return
    beyond = 1.0
    for step, probability in zip(steps, posterior.probabilities, strict=False):
        beyond -= probability
        step.belief, step.p_correct = probability, max(beyond, 0.0)


def _add_machines(steps: list[StepFacts], solution: Solution, judgements: Iterable[Judgement]) -> list[Graded]:
    for judgement in judgements:
        if judgement.first_error >= 0:
            steps[judgement.first_error].judgements.append(judgement)
        for step, verdict in zip(steps, judgement.verdicts, strict=False):
            if verdict is not None:
                step.verdicts.append((judgement.model, verdict))
    for score in Score.objects.standing().filter(solution=solution).order_by("pk"):
        for step, value in zip(steps, score.values, strict=True):
            step.scores.append((score.model, value))
    start: list[Graded] = []
    for graded in graded_rollouts(solution):
        (steps[graded.prefix - 1].rollouts if graded.prefix else start).append(graded)
    return start


def graded_rollouts(solution: Solution) -> list[Graded]:
    """Counts by prefix and model; each rollout by the best of its grades in force, ungraded ones as unknown.

    Those that a fork has from the solutions it comes from are among them; whole solutions that only voted are not.
    """
    best = Grade.objects.in_force().filter(rollout=OuterRef("pk")).best()
    of_it = Q(solution=solution)
    for ancestor, through in ancestors_of(solution).items():
        of_it |= Q(solution=ancestor, prefix__lte=through)
    rows = Rollout.objects.filter(of_it).annotate(
        verdict=Subquery(best.values("verdict")[:1]), stood_in=Subquery(best.values("stand_in")[:1])
    )
    rows = rows.exclude(prefix=0, verdict=None)
    found: dict[tuple[int, str], Graded] = {}
    found_rows = rows.order_by("prefix", "pk").values_list("prefix", "model", "verdict", "stood_in")
    for prefix, model, verdict, stood_in in found_rows:
        graded = found.setdefault((prefix, model), Graded(prefix, model))
        graded.stand_in |= stood_in is not None
        if verdict == "right":
            graded.right += 1
        elif verdict == "wrong":
            graded.wrong += 1
        else:
            graded.unknown += 1
    return list(found.values())


def _add_people(steps: list[StepFacts], solution: Solution, annotations: Iterable[Annotation]) -> None:
    current = {one.pk: name_of(one) for one in annotations if one.superseded_at is None}
    for rating in Rating.objects.filter(annotation__in=list(current)).order_by("annotation", "index"):
        said = Said(current[rating.annotation_id], rating.rating, rating.reason, rating.correction)
        steps[rating.index].people.append(said)
    for one in ImportedAnnotation.objects.filter(solution=solution).order_by("key"):
        for index, word in enumerate(_ratings(one)):
            if word:
                steps[index].imported.append(Said(one.key, word))


def _ratings(one: ImportedAnnotation) -> list[str]:
    """Step by step; from a first error alone only that step (and those before it) are known."""
    if one.step_labels is not None:
        return ["" if value is None else str(value) for value in one.step_labels]
    if one.first_error is None:
        return []
    return ["1"] * (one.step_count if one.first_error < 0 else one.first_error) + ["-1"] * (one.first_error >= 0)


def _read(one: Annotation) -> Read:
    finish = one.get_finish_reason_display()
    return Read(name_of(one), finish, one.purpose, one.blind, one.seconds, one.comment)
