"""What the labelling page shows of one solution: its rows of steps, what was said of them, and where its forms go."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse

from annotator import beliefs, dossier, reviews
from annotator.models import (
    Annotation,
    Assignment,
    Disagreement,
    Draft,
    EvidenceMode,
    Judgement,
    Project,
    Purpose,
    Rating,
    Routing,
    Score,
    Solution,
)
from annotator.templatetags.texts import looks_like_code
from reasoning.characters import unescape


@dataclass(frozen=True, slots=True)
class JudgeLine:
    """What one judge model says of one step; several votes of it are one line."""

    model: str
    rating: str
    words: str
    reason: str


@dataclass(frozen=True, slots=True)
class RolloutLine:
    """Graded rollouts after so many steps."""

    after: int
    right: int
    graded: int

    @property
    def share(self) -> float:
        return self.right / self.graded

    @property
    def number(self) -> str:
        return f"{self.right}/{self.graded}"


@dataclass(slots=True)
class StepEvidence:
    """What machines say of one step."""

    judges: list[JudgeLine] = field(default_factory=list)
    rollouts: list[RolloutLine] = field(default_factory=list)
    scores: list[tuple[str, float]] = field(default_factory=list)
    simulated: bool = False
    stand_in: bool = False
    """Rollouts were graded against a majority answer."""

    def __bool__(self) -> bool:
        return bool(self.judges or self.rollouts or self.scores)


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one person said of one step, under a letter instead of a name."""

    who: str
    rating: str
    reason: str
    correction: str


@dataclass(frozen=True, slots=True)
class Row:
    """One step on the page; `number` counts from 1."""

    index: int
    text: str
    asked: bool
    rating: str
    reason: str
    correction: str
    evidence: StepEvidence | None
    opinions: Sequence[Opinion]

    @property
    def number(self) -> int:
        return self.index + 1


@dataclass(frozen=True, slots=True)
class Sheet:
    """One solution laid out for rating. `urls` lacks what does not act: an adjudication has no draft, lease or skip."""

    code: str
    solution: Solution
    statement: str
    answer: str
    rows: Sequence[Row]
    asks_all: bool
    is_code: bool
    why: str
    evidence_mode: str
    urls: Mapping[str, str]
    draft: Mapping[str, Any]
    comment: str
    key: str
    people: Sequence[tuple[str, Annotation]] = ()
    returned: str | None = None
    """What a reviewer said who gave this work back; None where nobody did."""


def evidence_by_step(solution: Solution) -> list[StepEvidence]:
    """What judges, rollouts and PRMs say, step by step; three queries."""
    found = [StepEvidence() for _ in range(solution.step_count)]
    by_model: dict[str, list[Judgement]] = {}
    for judgement in solution.judgements.order_by("pk"):
        by_model.setdefault(judgement.model, []).append(judgement)
    for model, judgements in by_model.items():
        for index, evidence in enumerate(found):
            evidence.judges.append(_judge_line(model, judgements, index))
    by_prefix: dict[int, RolloutLine] = {}
    stand_in = False
    for graded in dossier.graded_rollouts(solution):
        line = by_prefix.get(graded.prefix, RolloutLine(graded.prefix, 0, 0))
        stand_in |= graded.stand_in
        by_prefix[graded.prefix] = RolloutLine(line.after, line.right + graded.right, line.graded + graded.graded)
    for index, evidence in enumerate(found):
        lines = (by_prefix.get(prefix) for prefix in (index, index + 1))
        evidence.rollouts.extend(line for line in lines if line is not None and line.graded)
    for score in Score.objects.standing().filter(solution=solution).order_by("pk"):
        for evidence, value in zip(found, score.values, strict=False):
            evidence.scores.append((score.model, value))
    simulated = any(model.startswith(beliefs.SIMULATED) for model in by_model)
    for evidence in found:
        evidence.simulated, evidence.stand_in = simulated, stand_in and bool(evidence.rollouts)
    return found


def _judge_line(model: str, judgements: Sequence[Judgement], index: int) -> JudgeLine:
    here = [one for one in judgements if one.first_error == index]
    earlier = [one for one in judgements if 0 <= one.first_error < index]
    votes, name = len(judgements), model.removeprefix(beliefs.SIMULATED)
    if here and 2 * len(here) >= votes:
        words = f"{len(here)} of {votes} votes" if votes > 1 else ""
        return JudgeLine(name, "-1", words, here[0].reason)
    if earlier and 2 * len(earlier) >= votes:
        return JudgeLine(name, "after", f"says step {earlier[0].first_error + 1}", "")
    return JudgeLine(name, "1", f"{len(here)} of {votes} votes say bad" if here else "", here[0].reason if here else "")


def sheet_of(assignment: Assignment) -> Sheet:
    """An assignment as its rater sees it: with their draft, and with the evidence that they have already been shown."""
    solution, project = assignment.solution, assignment.solution.project
    draft = Draft.objects.filter(assignment=assignment).first() or Draft(assignment=assignment)
    ratings = draft.ratings
    audit = assignment.slot.purpose == Purpose.AUDIT
    mode = EvidenceMode.NEVER if audit else project.evidence_mode
    routing = Routing.objects.filter(solution=solution, superseded_at=None).first()
    shown = _shown(mode, ratings, assignment)
    return Sheet(
        code=assignment.code,
        solution=solution,
        statement=unescape(solution.problem.statement),
        answer=unescape(solution.problem.answer or ""),
        **_rows(solution, assignment.asked, ratings, shown, {}),
        why=routing.reason if routing and mode != EvidenceMode.NEVER else "",
        evidence_mode=mode,
        urls=_urls(project, assignment),
        draft={"version": draft.version, "undo": draft.undo, "seconds": round(draft.seconds, 1)},
        comment=unescape(draft.comment),
        key=secrets.token_urlsafe(12),
        returned=reviews.returned_because(assignment),
    )


def _shown(mode: str, ratings: Mapping[str, Any], assignment: Assignment) -> Collection[int]:
    """Indices of the steps whose evidence stands on the page from the start."""
    if mode == EvidenceMode.ALWAYS:
        return range(assignment.solution.step_count)
    if mode == EvidenceMode.AFTER_RATING and assignment.evidence_seen_at is not None:
        return {int(index) for index in ratings}
    return ()


def _rows(
    solution: Solution,
    asked: Collection[int],
    ratings: Mapping[str, Any],
    shown: Collection[int],
    opinions: Mapping[int, Sequence[Opinion]],
) -> dict[str, Any]:
    steps, wanted = beliefs.steps_of(solution), set(asked)
    evidence = evidence_by_step(solution) if shown else []
    rows = []
    for step in steps:
        said = ratings.get(str(step.index), {})
        rows.append(
            Row(
                index=step.index,
                text=step.text,
                asked=step.index in wanted,
                rating=str(said.get("rating", "")),
                reason=unescape(str(said.get("reason", ""))),
                correction=unescape(str(said.get("correction", ""))),
                evidence=evidence[step.index] if step.index in shown else None,
                opinions=opinions.get(step.index, ()),
            )
        )
    is_code = looks_like_code(row.text for row in rows)
    return {"rows": rows, "asks_all": len(wanted) == len(rows), "is_code": is_code}


def _urls(project: Project, assignment: Assignment) -> dict[str, str]:
    def to(name: str, **more: int) -> str:
        return reverse(name, kwargs={"slug": project.slug, "code": assignment.code, **more})

    urls = {name: to(f"label_{name}") for name in ("submit", "draft", "renew", "skip")}
    return {**urls, "evidence": to("label_evidence", index=0).removesuffix("0/")}


def sheet_of_disagreement(disagreement: Disagreement) -> Sheet:
    """The same page for whoever settles a disagreement: everybody's ratings and all evidence beside every step."""
    solution, project = disagreement.solution, disagreement.project
    annotations = list(
        Annotation.objects.filter(solution=solution, superseded_at=None).exclude(purpose="adjudication").order_by("pk")
    )
    people = [(chr(ord("A") + number % 26), annotation) for number, annotation in enumerate(annotations)]
    letters = {annotation.pk: letter for letter, annotation in people}
    opinions: dict[int, list[Opinion]] = {}
    for rating in Rating.objects.filter(annotation__in=annotations).order_by("annotation", "index"):
        said = Opinion(
            letters[rating.annotation_id], rating.rating, unescape(rating.reason), unescape(rating.correction)
        )
        opinions.setdefault(rating.index, []).append(said)
    routing = Routing.objects.filter(solution=solution, superseded_at=None).first()
    everything = range(solution.step_count)
    submit = reverse("disagreement", kwargs={"slug": project.slug, "code": solution.code})
    return Sheet(
        code=solution.code,
        solution=solution,
        statement=unescape(solution.problem.statement),
        answer=unescape(solution.problem.answer or ""),
        **_rows(solution, routing.asked if routing else everything, {}, everything, opinions),
        why=disagreement.reason,
        evidence_mode=EvidenceMode.ALWAYS,
        urls={"submit": submit},
        draft={"version": 0, "undo": [], "seconds": 0.0},
        comment="",
        key="",
        people=people,
    )
