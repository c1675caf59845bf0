"""A judge over many solutions at once."""

from __future__ import annotations

from collections.abc import Sequence

from annotator.models import Judgement, RunItemState
from annotator.preannotation.crew import look_at_all
from annotator.preannotation.desk import Desk, Item
from annotator.preannotation.ledger import judgement_row, short_hash
from reasoning.errors import InvalidInput, MalformedReply
from reasoning.evidence.judge import JudgeConfig, judge

CANNOT_TELL = "the judge says that it cannot tell"


async def judge_all(desk: Desk) -> None:
    """Judge every waiting solution, as many votes as the run wants.

    What stops the whole run (the endpoint is away or refuses, the budget is spent) is raised; what one solution's
    replies do wrong fails that solution alone.
    """
    run = desk.run
    assert run.endpoint is not None
    temperature = float(run.config.get("temperature", run.endpoint.temperature))
    config = JudgeConfig(temperature=temperature, run_seed=run.seed)
    # The model that is asked belongs to them: another judge's votes are none of this one's.
    parameters = short_hash(run.endpoint.model, temperature, config.reference)
    votes = range(int(run.config.get("votes", run.project.judge_votes)))

    def stored(items: Sequence[Item]) -> dict[int, set[int]]:
        """Votes that are there already, by solution: they are not paid for again."""
        rows = Judgement.objects.filter(
            solution__in=[item.pk for item in items], prompt=config.prompt, parameters=parameters
        )
        found: dict[int, set[int]] = {}
        for solution, sample in rows.values_list("solution_id", "sample"):
            found.setdefault(solution, set()).add(sample)
        return found

    async def look(item: Item, have: dict[int, set[int]]) -> None:
        state, detail = RunItemState.DONE, ""
        for vote in votes:
            if vote in have.get(item.pk, ()):
                continue
            try:
                said = await judge(desk.client, item.value, config=config, sample=vote)
            except (MalformedReply, InvalidInput) as error:
                state, detail = RunItemState.FAILED, str(error)
                continue
            if said is None:
                detail = detail or CANNOT_TELL
            else:
                await desk.ledger.store([judgement_row(run, item.pk, item.steps, parameters, said)])
        desk.end(item.pk, state, detail)

    await look_at_all(desk, stored, look)
