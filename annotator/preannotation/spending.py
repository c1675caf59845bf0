"""What each rollout costs a run's planner, where the run spends by tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.db.models import Avg
from django.db.models.functions import Length

from annotator.models import Run, RunItem, Spend
from annotator.preannotation.desk import Item
from reasoning.evidence import rollout_prompt
from reasoning.first_error import Prices

_INSTRUCTIONS: Final = len(rollout_prompt.SYSTEM) + len(rollout_prompt.CLOSING)


def costs_of(run: Run, items: Sequence[Item]) -> list[tuple[float, ...] | None]:
    """Of every prefix of each solution, in mean rollouts of the whole run; None where a rollout is a rollout.

    Characters stand for tokens, at the endpoint's prices; where it has none, at a seller's usual ratio.
    """
    if run.config.get("spend") != Spend.TOKENS:
        return [None] * len(items)
    prices = _prices(run)
    lengths = RunItem.objects.filter(run=run).aggregate(
        statement=Avg(Length("solution__problem__statement")), steps=Avg(Length("solution__text"))
    )
    mean = prices.mean(_INSTRUCTIONS + lengths["statement"], lengths["steps"])
    return [tuple(cost / mean for cost in _of_prefixes(prices, item)) for item in items]


def _of_prefixes(prices: Prices, item: Item) -> tuple[float, ...]:
    lengths = [max(1, len(step.text)) for step in item.value.steps]
    return prices.of_prefixes(_INSTRUCTIONS + len(item.value.problem.statement), lengths)


def _prices(run: Run) -> Prices:
    assert run.endpoint is not None
    if run.endpoint.completion_price == 0:  # then what is written would be free, which nobody sells
        return Prices()
    return Prices(run.endpoint.prompt_price, run.endpoint.completion_price)
