"""Continue a solution from a prefix and grade where it ends."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from reasoning import answers
from reasoning.equivalence import grade
from reasoning.errors import InvalidInput
from reasoning.evidence import rollout_prompt
from reasoning.llm.client import Client
from reasoning.llm.values import Completion, Reply, Request
from reasoning.types import Rollout, Solution, Usage, Verdict

Grade = Callable[[str | None, str | None], tuple[Verdict, str]]


@dataclass(frozen=True, slots=True)
class RolloutConfig:
    """How continuations are sampled."""

    temperature: float = 0.8
    top_p: float | None = None
    max_tokens: int = 1024
    stop: tuple[str, ...] = ()
    run_seed: int = 0
    most_at_once: int = 16
    """Completions asked for in one request at most."""

    @property
    def prompt(self) -> str:
        """Short hash of what the completer is told."""
        return rollout_prompt.prompt_hash()

    @property
    def parameters(self) -> str:
        """Short hash of everything that decides from which distribution a continuation is drawn: not the seed."""
        drawn = (self.prompt, self.temperature, self.top_p, self.max_tokens, self.stop)
        return hashlib.sha256(repr(drawn).encode()).hexdigest()[:12]


async def roll(
    client: Client,
    solution: Solution,
    prefix: int,
    *,
    samples: Sequence[int],
    config: RolloutConfig,
    grade: Grade = grade,
) -> tuple[Rollout, ...]:
    """One rollout for each sample number, in that order, after the first `prefix` steps (0 … K).

    A continuation that was cut off (finish_reason other than "stop"), that says it cannot tell, or that has no final
    answer is UNKNOWN. Raises `InvalidInput` for a prefix that there is not, repeated samples and a problem without a
    reference answer; what the client raises passes.
    """
    if solution.problem.answer is None:
        raise InvalidInput("problem: without a reference answer a rollout cannot be graded")
    reference = solution.problem.answer
    return await draw(client, solution, prefix, reference, samples=samples, config=config, grade=grade)


async def draw(
    client: Client,
    solution: Solution,
    prefix: int,
    reference: str | None,
    *,
    samples: Sequence[int],
    config: RolloutConfig,
    grade: Grade = grade,
) -> tuple[Rollout, ...]:
    """As `roll`, graded against an answer of the caller's, or by none: then each is UNKNOWN by the rule "no reference".

    The problem's own reference answer is not looked at; no reference is ever shown to the completer.
    """
    if not 0 <= prefix <= len(solution.steps):
        raise InvalidInput(f"prefix: {prefix} is outside 0 … {len(solution.steps)}")
    if len(set(samples)) != len(samples):
        raise InvalidInput("samples: a number is there twice")
    most = config.most_at_once
    batches = [samples[i : i + most] for i in range(0, len(samples), most)]
    parts = await asyncio.gather(
        *(_batch(client, solution, prefix, reference, batch, config, grade) for batch in batches)
    )
    return tuple(rollout for part in parts for rollout in part)


async def _batch(
    client: Client,
    solution: Solution,
    prefix: int,
    reference: str | None,
    samples: Sequence[int],
    config: RolloutConfig,
    grade: Grade,
) -> list[Rollout]:
    request = Request(
        rollout_prompt.messages(solution, prefix),
        n=len(samples),
        temperature=config.temperature,
        top_p=config.top_p,
        max_tokens=config.max_tokens,
        seed=seed_of(config.run_seed, solution, prefix, samples[0]),
        stop=config.stop,
        sample=samples[0],
        kind="rollout",
    )
    reply = await client.complete(request)
    # grading may call a computer algebra system: never on the event loop
    grades = await asyncio.to_thread(_grade_all, reply, reference, grade)
    usages = _shares(reply)
    return [
        Rollout(prefix, n, c.text, answer, verdict, rule, reply.model, c.seed, c.finish_reason, usage)
        for n, c, (answer, verdict, rule), usage in zip(samples, reply.completions, grades, usages, strict=True)
    ]


def seed_of(run_seed: int, solution: Solution, prefix: int, sample: int) -> int:
    """The seed of the request whose first completion is `sample`: 31 bits, for some endpoints take no more."""
    key = f"{run_seed}\0{prefix}\0{sample}\0{solution.problem.statement}\0{solution.text}"
    return int.from_bytes(hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:4], "big") >> 1


def _grade_all(reply: Reply, reference: str | None, grade: Grade) -> list[tuple[str | None, Verdict, str]]:
    return [_grade_one(completion, reference, grade) for completion in reply.completions]


def _grade_one(completion: Completion, reference: str | None, grade: Grade) -> tuple[str | None, Verdict, str]:
    """Answer, verdict and the rule that decided."""
    if completion.finish_reason != "stop":
        return None, Verdict.UNKNOWN, f"finish_reason:{completion.finish_reason}"
    if rollout_prompt.cannot_tell(completion.text):
        return None, Verdict.UNKNOWN, "cannot_tell"
    answer = answers.find(completion.text)
    if answer is None:
        return None, Verdict.UNKNOWN, "no_answer"
    verdict, rule = grade(answer, reference)
    return answer, verdict, rule


def _shares(reply: Reply) -> list[Usage]:
    """The reply's usage over its completions: the prompt evenly, what was written by length; they sum to the whole."""
    texts = [len(completion.text) + 1 for completion in reply.completions]
    written = _split(reply.usage.completion_tokens, texts)
    prompt = _split(reply.usage.prompt_tokens, [1] * len(texts))
    total = reply.usage.tokens or 1
    cost = reply.usage.cost
    return [Usage(p, w, cost * (p + w) / total) for p, w in zip(prompt, written, strict=True)]


def _split(whole: int, weights: Sequence[int]) -> list[int]:
    """Integers in proportion to the weights that sum to `whole`."""
    total, seen, edges = sum(weights), 0, [0]
    for weight in weights:
        seen += weight
        edges.append(whole * seen // total)
    return [b - a for a, b in pairwise(edges)]
