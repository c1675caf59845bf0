"""Ask one LLM judge of one solution. k votes are k calls with samples 0 … k − 1."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reasoning.errors import InvalidInput, MalformedReply
from reasoning.evidence import judge_prompt
from reasoning.evidence.judge_prompt import Example
from reasoning.llm.client import Client
from reasoning.llm.values import Completion, Reply, Request
from reasoning.statements import normalised
from reasoning.types import NO_ERROR, Judgement, Solution, Usage

Verdicts = tuple[Literal[-1, 0, 1] | None, ...]


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


class _Step(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    index: int
    verdict: Literal["right", "neutral", "wrong"]
    reason: str = ""


class _Answer(BaseModel):
    """The schema of `judge_prompt.SCHEMA`, read strictly."""

    model_config = ConfigDict(extra="ignore", strict=True)

    unable: bool = False
    steps: list[_Step] = Field(default_factory=list)
    first_error: Annotated[int, Field(ge=NO_ERROR)]
    reason: str = ""


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
    answer = _parse(reply.completions[0])
    if answer.unable:
        return None
    verdicts = _verdicts(answer, len(solution.steps))
    return Judgement(answer.first_error, verdicts, _reason(answer), reply.model, config.prompt, sample, usage)


def _parse(completion: Completion) -> _Answer:
    """The JSON object of a reply: the whole of it, or what stands between the outermost braces of prose around it."""
    if completion.finish_reason == "length":
        raise MalformedReply("the judge's reply was cut at its token limit")
    text = completion.text
    begin, end = text.find("{"), text.rfind("}")
    if begin < 0 or end < begin:
        raise MalformedReply(f"the judge's reply holds no JSON object: {text[:200]}")
    try:
        return _Answer.model_validate_json(text[begin : end + 1])
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in fault["loc"]) or "reply"
        raise MalformedReply(f"the judge's reply is not to the schema: {where}: {fault['msg']}") from error


def _verdicts(answer: _Answer, steps: int) -> Verdicts:
    """One verdict a step, None beyond the first error and where it said nothing. Raises where it contradicts itself."""
    if answer.first_error >= steps:
        raise MalformedReply(f"the judge calls step {answer.first_error} of {steps} steps wrong")
    limit = steps if answer.first_error == NO_ERROR else answer.first_error
    verdicts: list[Literal[-1, 0, 1] | None] = [None] * steps
    for step in answer.steps:
        if not 0 <= step.index < steps:
            raise MalformedReply(f"the judge speaks of step {step.index} of {steps} steps")
        if step.index < limit:
            if step.verdict == "wrong":
                raise MalformedReply(
                    f"the judge calls step {step.index} wrong, but {answer.first_error} the first error"
                )
            verdicts[step.index] = 1 if step.verdict == "right" else 0
        elif step.index == limit and step.verdict != "wrong":
            raise MalformedReply(f"the judge calls step {limit} the first error, but its verdict is {step.verdict}")
    if limit < steps:
        verdicts[limit] = -1
    return tuple(verdicts)


def _reason(answer: _Answer) -> str:
    own = next((step.reason for step in answer.steps if step.index == answer.first_error), "")
    return answer.reason or own
