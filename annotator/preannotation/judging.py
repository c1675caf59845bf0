"""A judge over many solutions at once."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Max

from annotator.models import RunItemState
from annotator.preannotation.blame import FAILURES, SMALL
from annotator.preannotation.crew import look_at_all
from annotator.preannotation.desk import Desk, Item
from annotator.preannotation.ledger import judgement_row
from annotator.votes import votes_of
from reasoning.evidence.judge import judge

CANNOT_TELL = "the judge says that it cannot tell"


async def judge_all(desk: Desk) -> None:
    """Judge every waiting solution, as many votes as the run wants.

    What stops the whole run (the endpoint is away or refuses, the budget is spent) is raised; what one solution's
    replies do wrong fails that solution alone.
    """
    run = desk.run
    assert run.endpoint is not None
    endpoint = run.endpoint
    votes = await desk.ledger.ask(lambda: votes_of(run.project, endpoint, run.config, run.seed))
    desk.blame.look = lambda: judge(desk.client, SMALL, config=votes.asked)

    def missing(items: Sequence[Item]) -> dict[int, list[int]]:
        """Votes to ask for, by solution. What is there is not paid for again, unless the run is to look again: then
        its own votes come after those of earlier runs.
        """
        rows = votes.there().filter(solution__in=[item.pk for item in items])
        first: dict[int, int] = {}
        if run.config.get("selection", {}).get("again"):
            earlier = rows.exclude(run=run).values_list("solution_id").annotate(last=Max("sample"))
            first = {solution: last + 1 for solution, last in earlier}
        there = set(rows.values_list("solution_id", "sample"))
        wanted = {item.pk: range(first.get(item.pk, 0), first.get(item.pk, 0) + votes.wanted) for item in items}
        return {pk: [vote for vote in span if (pk, vote) not in there] for pk, span in wanted.items()}

    async def look(item: Item, wanted: dict[int, list[int]]) -> None:
        state, detail = RunItemState.DONE, ""
        for vote in wanted[item.pk]:
            try:
                said = await judge(desk.client, item.value, config=votes.asked, sample=vote)
            except FAILURES as error:
                state, detail = RunItemState.FAILED, await desk.blame.of(error)
                continue
            if said is None:
                detail = detail or CANNOT_TELL
            else:
                await desk.ledger.store([judgement_row(run, item.pk, item.steps, votes.parameters, said)])
        desk.end(item.pk, state, detail)

    await look_at_all(desk, missing, look)
