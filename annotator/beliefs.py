"""Rows ↔ reasoning's values, and the stored posterior of every solution.

A posterior is a pure function of evidence, so it is known by the hash of what it was computed from: `refresh` computes
where that changed and leaves the rest alone. Solutions of one problem share its solve rate (DESIGN.md, the heart), so
what is known of a solution's siblings belongs to its evidence too. A fork has no siblings, but all that was rolled out
before it branched off (lineage). People's ratings count where they were made blind; audits never do, because
certificates are judged by them.

`reasoning.first_error` is imported where something is computed: the web process reads texts here, and needs no numpy.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.utils import timezone

from annotator.lineage import heirs_of, origins_of, problem_key
from annotator.models import (
    Fit,
    Grade,
    ImportedAnnotation,
    Judgement,
    OwnGrade,
    Posterior,
    Project,
    Purpose,
    Score,
    Solution,
    StandIn,
    WorkState,
)
from annotator.opinions import opinions_of
from reasoning.characters import unescape
from reasoning.types import NO_ERROR, Count, Evidence, PersonRating, Problem, Step, Verdict
from reasoning.types import Judgement as JudgementValue
from reasoning.types import Posterior as PosteriorValue
from reasoning.types import Solution as SolutionValue

if TYPE_CHECKING:
    from reasoning.first_error import Parameters

SIBLINGS: Final = 32
"""So many tell enough of a problem's solve rate; with more, every look at one solution would be a look at all."""
SIMULATED: Final = "simulated/"
VERSION: Final = "2"
"""Part of every evidence hash: raise it when the same evidence should give another posterior."""
IMPORTED: Final = "imported"
"""The rater that annotations of other tools are put down to."""
_WEIGHED: Final = 1
"""As `VERSION`, of those that rest on a stand-in."""
_STAND_IN: Final = ("stand_in_id", "stand_in__simulated")


@dataclass(slots=True)
class _Gathered:
    """The evidence of one solution while its rows are being read."""

    own_answer: Verdict = Verdict.UNKNOWN
    counts: dict[int, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    judgements: list[JudgementValue] = field(default_factory=list)
    scores: tuple[float, ...] | None = None
    people: list[PersonRating] = field(default_factory=list)
    simulated: bool = False
    stand_in: int | None = None
    """The majority answer that some of its answers were graded against; a problem has one in force at most."""

    def evidence(self, steps: int) -> Evidence:
        return Evidence(
            steps=steps,
            own_answer=self.own_answer,
            counts={prefix: Count(*pair) for prefix, pair in sorted(self.counts.items())},
            judgements=tuple(self.judgements),
            scores=self.scores,
            people=tuple(self.people),
        )


def parameters_of(project: Project) -> Parameters:
    """The posterior's parameters: the project's current fit, else the defaults."""
    return _parameters(current_fit(project))


def _parameters(fit: Fit | None) -> Parameters:
    from reasoning.first_error import DEFAULTS, Parameters

    return Parameters.from_json(fit.parameters) if fit and fit.parameters is not None else DEFAULTS


def current_fit(project: Project) -> Fit | None:
    return Fit.objects.filter(project=project, state=WorkState.DONE, superseded_at=None).first()


def evidence_of(solutions: Sequence[Solution]) -> dict[int, Evidence]:
    """Everything known about each solution, by pk. Ten queries at most, however many solutions.

    The rollout that a fork is made of is its own answer, and in no count of it. A rollout whose answer could not be
    graded is in no count. Of several grades of one answer the latest against the present reference answer counts, else
    the latest that is against none that stands in, else the latest in force; no grade is UNKNOWN.
    """
    gathered = _gather(solutions)
    return {solution.pk: gathered[solution.pk].evidence(solution.step_count) for solution in solutions}


def looked_at(evidence: Evidence) -> bool:
    """Has anything but the solution itself spoken? Its own final answer alone settles nothing."""
    return bool(evidence.judgements or evidence.counts or evidence.scores or evidence.people)


def refresh(solutions: Sequence[Solution]) -> dict[int, Posterior]:
    """Current posterior of each solution by pk; those without any evidence are absent and have none stored.

    Call it with the solutions' rows locked (routing does): two at once would both store one.
    """
    found: dict[int, Posterior] = {}
    for project, members in _by_project(solutions).items():
        found |= _refresh(project, members)
    return found


def _refresh(project: Project, solutions: Sequence[Solution]) -> dict[int, Posterior]:
    fit = current_fit(project)
    company = _with_siblings(solutions)
    gathered = _gather(company)
    evidence = {each.pk: gathered[each.pk].evidence(each.step_count) for each in company}
    problems = _by_problem(company)
    stand_ins = {key: _stand_in_of(gathered[each.pk] for each in members) for key, members in problems.items()}
    hashes = _hashes(solutions, evidence, problems, stand_ins, fit)
    current = {row.solution_id: row for row in Posterior.objects.filter(solution__in=solutions, superseded_at=None)}
    stale = {pk for pk, digest in hashes.items() if pk not in current or current[pk].evidence_hash != digest}
    # Grades can go out of force, so evidence can vanish.
    Posterior.objects.filter(solution__in=set(current) - set(hashes), superseded_at=None).update(
        superseded_at=timezone.now()
    )
    if not stale:
        return {pk: current[pk] for pk in hashes}
    stale_problems = {problem_key(each) for each in solutions if each.pk in stale}
    needed = [each for each in company if problem_key(each) in stale_problems]
    values = _computed(needed, evidence, stand_ins, _parameters(fit))
    rows = [
        Posterior(
            solution=each,
            step_count=each.step_count,
            probabilities=[min(max(p, 0.0), 1.0) for p in value.probabilities],
            certainty=min(value.certainty, 1.0),
            first_error=value.first_error,
            evidence_hash=hashes[each.pk],
            fit=fit,
            simulated=any(gathered[sibling.pk].simulated for sibling in problems[problem_key(each)]),
            stand_in_id=stand_ins[problem_key(each)],
        )
        for each, value in ((each, values[each.pk]) for each in needed if each.pk in stale)
    ]
    with transaction.atomic():
        Posterior.objects.filter(solution__in=stale, superseded_at=None).update(superseded_at=timezone.now())
        Posterior.objects.bulk_create(rows)
    current |= {row.solution_id: row for row in rows}
    return {pk: current[pk] for pk in hashes}


def _computed(
    solutions: Sequence[Solution],
    evidence: Mapping[int, Evidence],
    stand_ins: Mapping[Hashable, int | None],
    parameters: Parameters,
) -> dict[int, PosteriorValue]:
    """By pk. What a majority answer has graded is weighed by how likely that is right."""
    from reasoning.first_error import Votes, posteriors, stand_in_posteriors

    marked = [each for each in solutions if stand_ins[problem_key(each)] is not None]
    plain = [each for each in solutions if stand_ins[problem_key(each)] is None]
    rows = StandIn.objects.in_bulk({stand_ins[problem_key(each)] for each in marked}) if marked else {}
    elected = [rows[stand_ins[problem_key(each)]] for each in marked]
    found = stand_in_posteriors(
        [evidence[each.pk] for each in marked],
        [Votes(each.votes, each.total) for each in elected],
        parameters,
        [problem_key(each) for each in marked],
    )
    found += posteriors([evidence[each.pk] for each in plain], parameters, [problem_key(each) for each in plain])
    return {each.pk: value for each, value in zip((*marked, *plain), found, strict=True)}


def _hashes(
    solutions: Iterable[Solution],
    evidence: Mapping[int, Evidence],
    problems: Mapping[Hashable, Sequence[Solution]],
    stand_ins: Mapping[Hashable, int | None],
    fit: Fit | None,
) -> dict[int, str]:
    """sha256 of all that a solution's posterior is computed from; solutions without evidence are left out."""
    own = {pk: _digest(asdict(each)) for pk, each in evidence.items()}
    found = {}
    for solution in solutions:
        if not has_evidence(evidence[solution.pk]):
            continue
        others = sorted(own[each.pk] for each in problems[problem_key(solution)] if each.pk != solution.pk)
        known: list[object] = [VERSION, fit.pk if fit else None, own[solution.pk], others]
        if (stand_in := stand_ins[problem_key(solution)]) is not None:
            known.append({"stand_in": stand_in, "weighed": _WEIGHED})  # by a reference answer it is another posterior
        found[solution.pk] = _digest(known)
    return found


def _stand_in_of(members: Iterable[_Gathered]) -> int | None:
    return next((each.stand_in for each in members if each.stand_in is not None), None)


def has_evidence(evidence: Evidence) -> bool:
    return looked_at(evidence) or evidence.own_answer is not Verdict.UNKNOWN


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _by_project(solutions: Iterable[Solution]) -> dict[Project, list[Solution]]:
    found: dict[Project, list[Solution]] = {}
    for solution in solutions:
        found.setdefault(solution.project, []).append(solution)
    return found


def _by_problem(solutions: Iterable[Solution]) -> dict[Hashable, list[Solution]]:
    """Those that share a solve rate."""
    found: dict[Hashable, list[Solution]] = {}
    for solution in solutions:
        found.setdefault(problem_key(solution), []).append(solution)
    return found


def _with_siblings(solutions: Sequence[Solution]) -> list[Solution]:
    """These solutions and, unless they are forks, the first `SIBLINGS` live ones of each of their problems."""
    known = {solution.pk: solution for solution in solutions}
    siblings: dict[int, list[int]] = defaultdict(list)
    problems = {each.problem_id for each in solutions if each.forked_from_id is None}
    live = Solution.objects.live().filter(problem__in=problems, forked_from=None)
    for problem, pk in live.order_by("pk").values_list("problem_id", "pk"):
        if len(siblings[problem]) < SIBLINGS:
            siblings[problem].append(pk)
    wanted = {pk for pks in siblings.values() for pk in pks} - set(known)
    fetched = Solution.objects.filter(pk__in=wanted).only(
        "pk", "problem_id", "project_id", "step_count", "forked_from_id"
    )
    return sorted([*solutions, *(fetched if wanted else ())], key=lambda each: each.pk)


# --- reading rows ------------------------------------------------------------------------------------------------


def _gather(solutions: Sequence[Solution]) -> dict[int, _Gathered]:
    found = {solution.pk: _Gathered() for solution in solutions}
    _gather_answers(found)
    _gather_judgements(found)
    for pk, model, values in (
        Score.objects.standing()
        .filter(solution__in=found)
        .order_by("solution_id", "-id")
        .distinct("solution_id")
        .values_list("solution_id", "model", "values")
    ):
        found[pk].scores = tuple(values)
        found[pk].simulated |= model.startswith(SIMULATED)
    _gather_people(found, solutions)
    return found


def _gather_answers(found: Mapping[int, _Gathered]) -> None:
    own = OwnGrade.objects.in_force().filter(solution__in=found).best()
    for pk, verdict, stand_in, simulated in own.values_list("solution_id", "verdict", *_STAND_IN):
        found[pk].own_answer = Verdict(verdict)
        if verdict != Verdict.UNKNOWN and stand_in is not None:
            found[pk].stand_in = stand_in
            found[pk].simulated |= simulated
    heirs = heirs_of(found)
    origins = origins_of(found) if heirs else {}
    grades = Grade.objects.in_force().filter(rollout__solution__in={*found, *heirs}).best()
    for rollout, pk, prefix, model, verdict, stand_in, simulated in grades.values_list(
        "rollout_id", "rollout__solution_id", "rollout__prefix", "rollout__model", "verdict", *_STAND_IN
    ):
        if verdict == Verdict.UNKNOWN:
            continue
        shared = (fork for fork, through in heirs.get(pk, ()) if prefix <= through)
        counts_for = [fork for fork in shared if origins.get(fork) != rollout]
        for each in [pk, *counts_for] if pk in found else counts_for:
            pair = found[each].counts[prefix]
            pair[0] += verdict == Verdict.RIGHT
            pair[1] += 1
            found[each].simulated |= model.startswith(SIMULATED) or bool(simulated)
            found[each].stand_in = stand_in or found[each].stand_in


def _gather_judgements(found: Mapping[int, _Gathered]) -> None:
    rows = Judgement.objects.filter(solution__in=found).order_by(
        "solution_id", "model", "prompt", "parameters", "sample"
    )
    for pk, model, prompt, sample, first_error in rows.values_list(
        "solution_id", "model", "prompt", "sample", "first_error"
    ):
        found[pk].judgements.append(
            JudgementValue(first_error=first_error, verdicts=(), reason="", model=model, prompt=prompt, sample=sample)
        )
        found[pk].simulated |= model.startswith(SIMULATED)


def _gather_people(found: Mapping[int, _Gathered], solutions: Sequence[Solution]) -> None:
    for pk, opinions in opinions_of(solutions, purposes=(Purpose.LABEL,)).items():
        said = (opinion.as_evidence() for opinion in opinions if opinion.annotation.blind)
        found[pk].people.extend(rating for rating in said if rating is not None)
    imported = ImportedAnnotation.objects.filter(solution__in=found, first_error__isnull=False).order_by("pk")
    columns = ("solution_id", "first_error", "step_count", "data__through")
    for pk, first_error, step_count, read in imported.values_list(*columns):
        if first_error is not None:  # keys are local to their row, so all of them are one unknown rater
            whole = not (type(read) is int and 0 <= read < step_count)
            through = first_error + 1 if first_error != NO_ERROR else step_count if whole else read
            found[pk].people.append(PersonRating(IMPORTED, first_error, through))


# --- texts -------------------------------------------------------------------------------------------------------


def steps_of(solution: Solution) -> tuple[Step, ...]:
    """The steps with their texts, offsets in code points of the unescaped text."""
    text = unescape(solution.text)
    return tuple(Step(row.index, text[row.start : row.end], row.start, row.end) for row in solution.step_rows.all())


def solution_value(solution: Solution) -> SolutionValue:
    """The solution as `reasoning` knows it, texts unescaped."""
    problem = solution.problem
    answer = unescape(problem.answer) if problem.answer is not None else None
    return SolutionValue(Problem(unescape(problem.statement), answer), unescape(solution.text), steps_of(solution))
