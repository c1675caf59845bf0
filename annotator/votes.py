"""How a run asks a judge or a completer, and so what counts as asked for in the same way: for who asks, and for who
counts what is lacking.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet

from annotator import examples
from annotator.models import Endpoint, Judgement, Project

if TYPE_CHECKING:
    from reasoning.evidence.judge import JudgeConfig
    from reasoning.evidence.rollouts import RolloutConfig


def short_hash(*parts: object) -> str:
    return hashlib.sha256("\0".join(map(repr, parts)).encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Votes:
    """`wanted` votes a solution of one judge: a model that is asked in one way."""

    asked: JudgeConfig
    parameters: str
    wanted: int

    def there(self) -> QuerySet[Judgement]:
        """Those that are stored, of all runs and projects."""
        return self.shown_whatever().filter(prompt=self.asked.prompt)

    def shown_whatever(self) -> QuerySet[Judgement]:
        """Those of this model asked in this way under any prompt. With other examples it is another judge, but one
        that errs where the first erred: whoever wants both has to ask for it.
        """
        return Judgement.objects.filter(parameters=self.parameters)


def votes_of(project: Project, endpoint: Endpoint, config: Mapping[str, Any], seed: int = 0) -> Votes:
    """The votes that a run with this config wants of this endpoint."""
    # The web process asks nobody: it learns what a prompt is when it first has to count.
    from reasoning.evidence.judge import JudgeConfig

    temperature = float(config.get("temperature", endpoint.temperature))
    tokens = int(config.get("max_tokens", endpoint.max_tokens))
    shown = examples.values(config)
    asked = JudgeConfig(temperature=temperature, examples=shown, run_seed=seed, base_tokens=tokens)
    # The model that is asked belongs to them: another judge's votes are none of this one's.
    parameters = short_hash(endpoint.model, temperature, asked.reference)
    return Votes(asked, parameters, int(config.get("votes", project.judge_votes)))


def sampling_of(endpoint: Endpoint, config: Mapping[str, Any], seed: int = 0) -> RolloutConfig:
    """How a run with this config draws rollouts of this endpoint; `parameters` tells alike ones from others."""
    from reasoning.evidence.rollouts import RolloutConfig

    return RolloutConfig(
        temperature=float(config.get("temperature", endpoint.temperature)),
        max_tokens=int(config.get("max_tokens", endpoint.max_tokens)),
        run_seed=seed,
    )
