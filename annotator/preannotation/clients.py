"""An endpoint's row → a client within the project's budgets."""

from __future__ import annotations

import asyncio

from django.db.models import Sum
from django.utils import timezone

from annotator.models import Endpoint, Project, Run
from reasoning.characters import escape
from reasoning.errors import InvalidInput
from reasoning.llm import Budget, Prices, Probe, Spending, probe
from reasoning.llm import Endpoint as Address
from reasoning.llm.openai_chat import OnCall, OpenAIChat
from reasoning.llm.retries import RetryPolicy

SIMULATED = "simulated/"
"""What the names of all models of the built-in simulator begin with."""


RETRIES = RetryPolicy()


def address_of(endpoint: Endpoint) -> Address:
    """Raises InvalidInput where the row cannot be an endpoint's address."""
    return Address(
        base_url=endpoint.base_url,
        model=endpoint.model,
        api_key=endpoint.reveal_key(),
        slots=endpoint.slots,
        prices=Prices(endpoint.prompt_price, endpoint.completion_price),
        timeout=float(endpoint.timeout_seconds),
    )


def spent_in(project: Project, besides: Run | None = None) -> Spending:
    """What all runs of a project have used so far, or all besides one."""
    runs = Run.objects.filter(project=project)
    sums = (runs if besides is None else runs.exclude(pk=besides.pk)).aggregate(
        prompt=Sum("prompt_tokens"), completion=Sum("completion_tokens"), money=Sum("cost"), rollouts=Sum("rollouts")
    )
    tokens = (sums["prompt"] or 0) + (sums["completion"] or 0)
    return Spending(tokens, sums["money"] or 0.0, sums["rollouts"] or 0)


def budget_of(project: Project) -> Budget:
    """The project's limits, with what was spent so far. Make it inside the event loop that uses it."""
    return Budget(tokens=project.token_budget, money=project.money_budget, rollouts=project.rollout_budget)


def client_for(endpoint: Endpoint, budget: Budget | None, on_call: OnCall | None) -> OpenAIChat:
    """Raises InvalidInput where the base URL is none."""
    return OpenAIChat(address_of(endpoint), budget=budget, on_call=on_call, policy=RETRIES)


def answer_test(endpoint_id: int) -> None:
    """Ask the endpoint one small question and keep what it answered, or its complaint, for the page that waits."""
    endpoint = Endpoint.objects.get(pk=endpoint_id)
    try:
        found = asyncio.run(_probe(endpoint))
        text = f"{found.text}\n\n{found.model}, {found.seconds:.2f} s" if found.ok else f"{found.error}: {found.text}"
        ok, simulated = found.ok, found.model.startswith(SIMULATED)
    except InvalidInput as error:
        ok, text, simulated = False, str(error), endpoint.simulated
    Endpoint.objects.filter(pk=endpoint_id).update(
        test_ok=ok,
        test_answer=escape(text),
        test_answered_at=timezone.now(),
        simulated=simulated if ok else endpoint.simulated,
    )


async def _probe(endpoint: Endpoint) -> Probe:
    # Somebody is looking at the button: two tries tell as much as six.
    async with OpenAIChat(address_of(endpoint), policy=RetryPolicy(attempts=2)) as client:
        return await probe(client)
