"""What a run would take, before anything is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import Length

from annotator import examples, stand_ins
from annotator.models import Endpoint, Project, Rollout, Run, RunItem, RunItemState, RunKind, Solution
from annotator.runs.searches import rollouts_a_problem, unit_of
from annotator.runs.selection import check_config, check_kind, endpoint_for, kept_config, selected, skips
from annotator.votes import sampling_of

CHARACTERS_A_TOKEN: Final = 3.5
"""English with formulas, by the tokenizers in use; only for estimates."""
PROMPT_OVERHEAD: Final = 350
"""Tokens of the judge's instructions."""
COMPLETER_OVERHEAD: Final = 210
"""Tokens of the completer's."""
ROLLOUTS_ASSUMED: Final = 10.0
"""Per solution, until a run of the project shows better."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run over a selection would take. Money in the endpoint's currency."""

    solutions: int
    skipped: dict[str, int]
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost: float
    basis: str
    """What the figures rest on, in words."""
    unit: str = "solutions"
    """What is counted under `solutions`: a search looks at problems."""

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


def estimate(
    project: Project, kind: str, selection: Mapping[str, Any], config: Mapping[str, Any], seed: int = 0
) -> Estimate:
    """Calls, tokens and cost before anything is asked. Raises Unusable or Invalid as `start` would."""
    check_kind(kind)
    check_config(config)
    endpoint = endpoint_for(project, kind)
    config = kept_config(project, kind, endpoint, config, seed)
    ids = list(selected(project, kind, selection, endpoint, config).values_list("pk", flat=True))
    rows = Solution.objects.filter(pk__in=ids)
    left_out = {reason: rows.filter(condition).count() for reason, condition in skips(project, kind).items()}
    left_out = {reason: n for reason, n in left_out.items() if n}
    for condition in skips(project, kind).values():
        rows = rows.exclude(condition)
    size = rows.aggregate(
        n=Count("pk"), text=Sum(Length("text")), statement=Sum(Length("problem__statement")), steps=Sum("step_count")
    )
    count = size["n"]
    text, statement = (size["text"] or 0) / CHARACTERS_A_TOKEN, (size["statement"] or 0) / CHARACTERS_A_TOKEN
    basis = "a guess from the texts' lengths"
    ballots = _ballots(project, kind, rows, endpoint, config)
    if kind == RunKind.JUDGE:
        votes = int(config.get("votes", project.judge_votes))
        calls = count * votes
        overhead = PROMPT_OVERHEAD + examples.characters(config) / CHARACTERS_A_TOKEN
        basis += _words_on_examples(config)
        prompt, completion = votes * (text + statement + count * overhead), votes * 30.0 * (size["steps"] or 0)
    elif kind == RunKind.ROLLOUTS:
        per_solution, known = _rollouts_a_solution(project)
        calls, prompt, completion = _drawn(count, per_solution, ballots, statement, text)
        if took := _tokens_a_rollout(project, endpoint):
            prompt, completion = calls * took[0], calls * took[1]
        each = f" of {sum(took):,.0f} tokens each" if took else ""
        basis = f"{per_solution:.1f} rollouts a solution{each}, as in this project's earlier runs" if known else basis
    elif kind == RunKind.SEARCH:
        per_problem, known = rollouts_a_problem(project.pk, config)
        basis = f"{per_problem:.1f} rollouts a problem, as in this project's earlier searches" if known else basis
        calls, prompt, completion = _drawn(count, per_problem, ballots, statement, text)
    else:
        calls = count if kind == RunKind.SCORE else 0
        prompt, completion = (text + statement if calls else 0.0), 0.0
    basis += f", and {ballots:,} whole solutions to find majority answers" if ballots else ""
    cost = 0.0
    if endpoint is not None:
        cost = (prompt * endpoint.prompt_price + completion * endpoint.completion_price) / 1e6
    return Estimate(count, left_out, calls, round(prompt), round(completion), cost, basis, unit_of(kind))


def _ballots(
    project: Project, kind: str, rows: QuerySet[Solution], endpoint: Endpoint | None, config: Mapping[str, Any]
) -> int:
    """Whole solutions that would be drawn to elect stand-ins."""
    if not project.stand_ins or endpoint is None or kind not in (RunKind.ROLLOUTS, RunKind.SEARCH):
        return 0
    parameters = sampling_of(endpoint, config).parameters
    return stand_ins.lacking(project, rows.values_list("problem", flat=True), endpoint, parameters)


def _drawn(count: int, each: float, ballots: int, statement: float, text: float) -> tuple[int, float, float]:
    """Calls, and tokens of prompts and completions: `each` rollouts of so many, half a text long, and the ballots."""
    whole = ballots / count if count else 0.0
    prompt = each * (statement + text / 2) + whole * statement
    calls = round(count * each) + ballots
    return calls, calls * COMPLETER_OVERHEAD + prompt, each * text / 2 + whole * text


def _words_on_examples(config: Mapping[str, Any]) -> str:
    asked, found = config.get("examples", 0), len(config.get("shown", ()))
    if not asked:
        return ""
    if found == asked:
        return f", with {found} examples that people settled"
    return f", with {found} of {asked} examples: no more have been settled without a look at evidence"


def _rollouts_a_solution(project: Project) -> tuple[float, bool]:
    """Over the solutions that earlier runs are through with: those that wait, or were skipped, drew none."""
    earlier = Run.objects.filter(project=project, kind=RunKind.ROLLOUTS, rollouts__gt=0)
    drawn = earlier.aggregate(n=Sum("rollouts", default=0))["n"]
    if project.stand_ins:
        drawn -= Rollout.objects.filter(run__in=earlier, prefix=0).count()  # counted apart
    through = RunItem.objects.filter(run__in=earlier, state__in=(RunItemState.DONE, RunItemState.FAILED)).count()
    return (drawn / through, True) if through else (ROLLOUTS_ASSUMED, False)


def _tokens_a_rollout(project: Project, endpoint: Endpoint | None) -> tuple[float, float] | None:
    """Of its prompt and of what it wrote, in earlier runs of this model: how long one thinks, no text foretells."""
    if endpoint is None:
        return None
    earlier = Run.objects.filter(project=project, kind=RunKind.ROLLOUTS, endpoint=endpoint, rollouts__gt=0)
    took = earlier.filter(config__model=endpoint.model, completion_tokens__gt=0).aggregate(
        n=Sum("rollouts"), prompt=Sum("prompt_tokens"), completion=Sum("completion_tokens")
    )
    return (took["prompt"] / took["n"], took["completion"] / took["n"]) if took["n"] else None
