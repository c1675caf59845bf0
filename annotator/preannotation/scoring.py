"""A PRM's step scores over many solutions at once."""

from __future__ import annotations

from collections.abc import Sequence

from annotator.models import RunItemState, Score
from annotator.preannotation.blame import FAILURES, SMALL
from annotator.preannotation.crew import look_at_all
from annotator.preannotation.desk import Desk, Item
from annotator.votes import short_hash
from reasoning.evidence.scores import ScoreConfig, score


async def score_all(desk: Desk) -> None:
    """Score every waiting solution once; raises as `judge_all` does."""
    config = ScoreConfig()
    desk.blame.look = lambda: score(desk.client, SMALL, config=config)
    assert desk.run.endpoint is not None
    parameters = short_hash(desk.run.endpoint.model, config.separator, config.template, config.system)

    def stored(items: Sequence[Item]) -> set[int]:
        rows = Score.objects.filter(solution__in=[item.pk for item in items], parameters=parameters)
        return set(rows.values_list("solution_id", flat=True))

    async def look(item: Item, have: set[int]) -> None:
        if item.pk in have:
            desk.end(item.pk)
            return
        try:
            reply = await score(desk.client, item.value, config=config)
        except FAILURES as error:
            desk.end(item.pk, RunItemState.FAILED, await desk.blame.of(error))
            return
        row = Score(
            solution_id=item.pk,
            run=desk.run,
            model=reply.model,
            parameters=parameters,
            step_count=item.steps,
            values=list(reply.scores),
        )
        await desk.ledger.store([row])
        desk.end(item.pk)

    await look_at_all(desk, stored, look)
