"""What machines and other tools' annotators said, as it came along with rows: stored in bulk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from annotator.intake.evidence import IMPORTED
from annotator.intake.prepared import Prepared
from annotator.models import Grade, ImportedAnnotation, Judgement, OwnGrade, Rollout, Score, Solution


def keep(stored: Sequence[tuple[Solution, Prepared]]) -> None:
    """Store annotations, judgements, rollouts with their grades, scores and verdicts of new solutions."""
    ImportedAnnotation.objects.bulk_create(_annotations(stored))
    OwnGrade.objects.bulk_create(
        OwnGrade(
            solution=solution,
            grader=IMPORTED,
            reference=row.answer or "",
            verdict=row.own_verdict,
            rule=IMPORTED,
        )
        for solution, row in stored
        if row.own_verdict is not None
    )
    Judgement.objects.bulk_create(_judgements(stored))
    Score.objects.bulk_create(
        Score(
            solution=solution,
            model=score.model,
            parameters=score.parameters,
            step_count=solution.step_count,
            values=score.values,
        )
        for solution, row in stored
        for score in row.evidence.scores
    )
    graded = list(_rollouts(stored))
    Rollout.objects.bulk_create((rollout for rollout, _, _ in graded), batch_size=1000)
    Grade.objects.bulk_create(
        (
            Grade(rollout=rollout, grader=IMPORTED, reference=row.answer or "", verdict=verdict, rule=IMPORTED)
            for rollout, row, verdict in graded
        ),
        batch_size=1000,
    )


def _annotations(stored: Sequence[tuple[Solution, Prepared]]) -> Iterator[ImportedAnnotation]:
    for solution, row in stored:
        for said in row.annotations:
            yield ImportedAnnotation(
                solution=solution,
                key=said.key,
                step_count=solution.step_count,
                first_error=said.first_error,
                step_labels=said.step_labels,
                data=dict(said.data),
            )


def _judgements(stored: Sequence[tuple[Solution, Prepared]]) -> Iterator[Judgement]:
    for solution, row in stored:
        for said in row.evidence.judgements:
            yield Judgement(
                solution=solution,
                model=said.model,
                prompt=said.prompt,
                parameters=said.parameters,
                sample=said.sample,
                step_count=solution.step_count,
                first_error=said.first_error,
                verdicts=said.verdicts,
                reason=said.reason,
            )


def _rollouts(stored: Sequence[tuple[Solution, Prepared]]) -> Iterator[tuple[Rollout, Prepared, str]]:
    """A row each, with its verdict: counts come along, texts do not."""
    for solution, row in stored:
        for given in row.evidence.rollouts:
            verdicts = [verdict for verdict, count in given.verdicts.items() for _ in range(count)]
            for sample, verdict in enumerate(verdicts):
                rollout = Rollout(
                    solution=solution,
                    prefix=given.prefix,
                    step_count=solution.step_count,
                    model=given.model,
                    parameters=given.parameters,
                    sample=sample,
                )
                yield rollout, row, verdict
