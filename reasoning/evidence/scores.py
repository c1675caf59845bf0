"""Step scores of a PRM behind an HTTP scorer."""

from __future__ import annotations

from dataclasses import dataclass

from reasoning.errors import InvalidInput
from reasoning.llm.client import Client
from reasoning.llm.values import ScoreReply, ScoreRequest
from reasoning.types import Solution

QWEN_SYSTEM = "Please reason step by step, and put your final answer within \\boxed{}."
QWEN_TEMPLATE = (
    "<|im_start|>system\n{system}<|im_end|>\n<|im_start|>user\n{problem}<|im_end|>\n"
    "<|im_start|>assistant\n{steps}<|im_end|><|endoftext|>"
)


@dataclass(frozen=True, slots=True)
class ScoreConfig:
    """How a solution is written for the PRM: Qwen2.5-Math-PRM's way by default (its model card)."""

    separator: str = "<extra_0>"
    template: str = QWEN_TEMPLATE
    system: str = QWEN_SYSTEM


async def score(client: Client, solution: Solution, *, config: ScoreConfig = ScoreConfig()) -> ScoreReply:
    """P(right) of every step, length K.

    Raises `InvalidInput` where a text holds the separator itself: the scores could not be told apart.
    """
    parts = (solution.problem.statement, *(step.text for step in solution.steps))
    if any(config.separator in part for part in parts):
        raise InvalidInput(f"solution: a text holds the PRM's separator {config.separator}")
    steps = config.separator.join(step.text for step in solution.steps) + config.separator
    filled = {"{system}": config.system, "{problem}": solution.problem.statement, "{steps}": steps}
    text = config.template
    pieces = []
    for name, value in filled.items():
        before, _, text = text.partition(name)
        pieces += [before, value]
    return await client.score(ScoreRequest("".join(pieces) + text, len(solution.steps)))
