"""What have the machines cost?"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import accumulate
from typing import Any

from django.db.models import Count, Exists, OuterRef, QuerySet, Sum
from django.db.models.functions import TruncDate

from annotator.models import Call, Project, Run, RunItem, RunItemState, RunKind, Settlement, Solution, Source
from annotator.quality.figures import Figure, count, ratio


def spent(project: Project) -> dict[str, Any]:
    """Everything that the project's runs have used. Money is in the endpoints' currency."""
    sums = Run.objects.filter(project=project).aggregate(
        calls=Sum("calls", default=0),
        rollouts=Sum("rollouts", default=0),
        prompt_tokens=Sum("prompt_tokens", default=0),
        completion_tokens=Sum("completion_tokens", default=0),
        cost=Sum("cost", default=0.0),
    )
    served = _served(project)
    live = Solution.objects.live().filter(project=project)
    by_machine = Settlement.objects.filter(solution__in=live, superseded_at=None, source=Source.MACHINE)
    return {
        **sums,
        "tokens": sums["prompt_tokens"] + sums["completion_tokens"],
        "solutions": served.count(),
        "made_by_searches": served.filter(forked_from__isnull=False).count(),
        "machine_labelled": by_machine.count(),
        "token_budget": project.token_budget,
        "money_budget": project.money_budget,
        "rollout_budget": project.rollout_budget,
    }


def _served(project: Project) -> QuerySet[Solution]:
    """What runs are done with. A search looks at all solutions of a problem, those that it made too."""
    done = RunItem.objects.filter(state=RunItemState.DONE).exclude(run__kind=RunKind.ROUTE)
    itself = done.exclude(run__kind=RunKind.SEARCH).filter(solution=OuterRef("pk"))
    searched = done.filter(run__kind=RunKind.SEARCH, solution__problem=OuterRef("problem"))
    return Solution.objects.filter(Exists(itself) | Exists(searched), project=project)


def by_model(project: Project) -> list[list[Any]]:
    """Kind of run, model, solutions done (as in `_served`), calls, tokens, cost."""
    runs = Run.objects.filter(project=project).exclude(endpoint=None).values_list("kind", "endpoint__model")
    sums = runs.annotate(Sum("calls"), Sum("prompt_tokens"), Sum("completion_tokens"), Sum("cost")).order_by("kind")
    done = RunItem.objects.filter(run__project=project, state=RunItemState.DONE).values_list(
        "run__kind", "run__endpoint__model"
    )
    solutions = {(kind, model): number for kind, model, number in done.annotate(Count("pk"))}
    searched = done.filter(run__kind=RunKind.SEARCH).annotate(Count("solution__problem__solutions", distinct=True))
    solutions |= {(kind, model): number for kind, model, number in searched}
    return [
        [kind, model, solutions.get((kind, model), 0), calls, prompt + completion, f"{cost:.2f}"]
        for kind, model, calls, prompt, completion, cost in sums
    ]


def _answer(used: dict[str, Any]) -> str:
    if not used["calls"]:
        return "No model has been called yet."
    said = f"{count(used['calls'], 'call')} and {used['tokens']:,} tokens have cost {used['cost']:,.2f}"
    each = ratio(used["tokens"], used["solutions"])
    if each is None:
        return f"{said}."
    made = f", {used['made_by_searches']:,} of them made by searches" if used["made_by_searches"] else ""
    return f"{said}: {each:,.0f} tokens for each of {count(used['solutions'], 'solution')} looked at{made}."


def figure(project: Project) -> Figure:
    used = spent(project)
    calls = Call.objects.filter(run__project=project).annotate(day=TruncDate("at", tzinfo=UTC)).values_list("day")
    days = list(calls.annotate(Sum("prompt_tokens"), Sum("completion_tokens"), Sum("cost")).order_by("day"))
    tokens = list(accumulate(prompt + completion for _, prompt, completion, _ in days))
    return {
        "question": "What have the machines cost?",
        "answer": _answer(used),
        "values": {
            **used,
            "tokens_per_solution": ratio(used["tokens"], used["solutions"]),
            "cost_per_machine_label": ratio(used["cost"], used["machine_labelled"]),
        },
        "table": {
            "columns": ["run", "model", "solutions", "calls", "tokens", "cost"],
            "rows": by_model(project),
        },
        "chart": {
            "x": [datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() for day, *_ in days],
            "time": True,
            "y_label": "tokens so far",
            "series": [{"label": "tokens", "values": tokens}],
        }
        if len(days) > 1
        else None,
    }
