"""Ask one LLM judge of one solution. k votes are k calls with samples 0 … k − 1."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from reasoning.errors import InvalidInput, MalformedReply
from reasoning.evidence import judge_prompt, judge_reply
from reasoning.evidence.judge_prompt import Example
from reasoning.llm.client import Client
from reasoning.llm.values import Reply, Request
from reasoning.statements import normalised
from reasoning.types import Judgement, Solution, Usage


@dataclass(frozen=True, slots=True)
class JudgeConfig:
    """How a judge is asked. `max_tokens` is base + per step, for the answer grows with the steps."""

    temperature: float | None = 0.7
    reference: bool = True
    """Whether it sees the reference answer."""
    examples: tuple[Example, ...] = ()
    """Those of the same problem as the solution are left out. `prompt` names the whole set all the same: it says which
    judge is asked, and a judge that is fitted must be one over all solutions of a run. Of examples that are each of
    another problem a solution misses one at most.
    """
    run_seed: int = 0
    base_tokens: int = 1024
    tokens_per_step: int = 128

    @property
    def prompt(self) -> str:
        """Short hash of what the judge is told; the same for all solutions of a run."""
        return judge_prompt.prompt_hash(reference=self.reference, examples=self.examples)


async def judge(client: Client, solution: Solution, *, config: JudgeConfig, sample: int = 0) -> Judgement | None:
    """One judgement, or None where the judge says that it cannot tell.

    A reply that does not parse, or contradicts itself, is asked for once more; then `MalformedReply` is raised and
    there is no judgement. Verdicts after the first error are None. `usage` holds what both tries took.
    """
    if not solution.steps:
        raise InvalidInput("solution: there are no steps to judge")
    request = _request(solution, config, sample)
    first = await client.complete(request)
    try:
        return _read(first, solution, config, sample, first.usage)
    except MalformedReply:
        seed = None if request.seed is None else request.seed + 1
        second = await client.complete(replace(request, seed=seed))
        return _read(second, solution, config, sample, first.usage + second.usage)


def _request(solution: Solution, config: JudgeConfig, sample: int) -> Request:
    statement = normalised(solution.problem.statement)
    examples = tuple(e for e in config.examples if normalised(e.solution.problem.statement) != statement)
    return Request(
        judge_prompt.messages(solution, reference=config.reference, examples=examples),
        temperature=config.temperature,
        max_tokens=config.base_tokens + config.tokens_per_step * len(solution.steps),
        seed=_seed(config.run_seed, solution, sample),
        schema=judge_prompt.SCHEMA,
        sample=sample,
        kind="judge",
    )


def _seed(run_seed: int, solution: Solution, sample: int) -> int:
    key = f"{run_seed}\0{sample}\0{solution.problem.statement}\0{solution.text}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.sha256(key).digest()[:4], "big") >> 1


def _read(reply: Reply, solution: Solution, config: JudgeConfig, sample: int, usage: Usage) -> Judgement | None:
    opinion = judge_reply.read(reply.completions[0], len(solution.steps))
    if opinion is None:
        return None
    return Judgement(opinion.first_error, opinion.verdicts, opinion.reason, reply.model, config.prompt, sample, usage)
