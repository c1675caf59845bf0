"""What a judge's reply says: one clear meaning, or none.

Where the endpoint keeps to the schema the reply is the JSON object itself. Elsewhere it stands in prose or in a code
block, and its strings hold LaTeX and line breaks as they are; those change no verdict and are forgiven. All that leaves
two readings is `MalformedReply`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reasoning.characters import shorten
from reasoning.errors import MalformedReply
from reasoning.evidence.judge_prompt import VERDICTS
from reasoning.llm.values import Completion
from reasoning.types import NO_ERROR

Verdicts = tuple[Literal[-1, 0, 1] | None, ...]

MOST_TRIES: Final = 2000
"""Braces that are looked at, from the left: a reply that is made of them costs no time without end."""
_ESCAPE: Final = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Opinion:
    """The first error, one verdict a step (None beyond the first error and where nothing was said), and why."""

    first_error: int
    verdicts: Verdicts
    reason: str


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


def read(completion: Completion, steps: int) -> Opinion | None:
    """The opinion on a solution of so many steps; None where the judge says that it cannot tell."""
    if completion.finish_reason == "length":
        raise MalformedReply("the judge's reply was cut at its token limit")
    answer = _answer(completion.text)
    if answer.unable:
        if answer.first_error != NO_ERROR:
            raise MalformedReply(f"the judge says that it cannot tell, and that step {answer.first_error} is wrong")
        return None
    return Opinion(answer.first_error, _verdicts(answer, steps), _reason(answer))


def _answer(text: str) -> _Answer:
    """The answer in a reply. Raises where there is none, or where any more of it reads like another one."""
    rest = text = _forgiven(text)
    answers: list[_Answer] = []
    fault = ""
    for raw, value in _objects(text):
        try:
            answers.append(_Answer.model_validate(value))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            fault = f"{'.'.join(map(str, first['loc'])) or 'reply'}: {first['msg']}"
        else:
            rest = rest.replace(raw, "")
    if not answers and fault:
        raise MalformedReply(shorten(f"the judge's reply is not to the schema: {fault}"))
    if not answers:
        raise MalformedReply(shorten(f"the judge's reply holds no JSON object: {text}"))
    # one that it quotes from a step stands beside its own, or inside of its own where that is no JSON any more
    if any(answer != answers[0] for answer in answers) or '"first_error"' in rest:
        raise MalformedReply("the judge's reply holds more than one answer")
    return answers[0]


def _forgiven(text: str) -> str:
    """The text with the backslashes of LaTeX doubled where JSON knows no such escape."""
    return _ESCAPE.sub(
        lambda escape: escape[0] if escape[1][0] in '"\\/bfnrt' or escape[1][1:] else "\\" + escape[0], text
    )


def _objects(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The JSON objects in a text, those inside of others left out."""
    decoder = json.JSONDecoder(object_pairs_hook=_unambiguous, strict=False)
    begin = text.find("{")
    for _ in range(MOST_TRIES):
        if begin < 0:
            return
        try:
            value, end = decoder.raw_decode(text, begin)
        except (ValueError, RecursionError):
            end = begin + 1
        else:
            yield text[begin:end], value
        begin = text.find("{", end)


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a key is there twice")
    return value


def _verdicts(answer: _Answer, steps: int) -> Verdicts:
    """One verdict a step, None beyond the first error and where it said nothing. Raises where it contradicts itself."""
    if answer.first_error >= steps:
        raise MalformedReply(f"the judge calls step {answer.first_error} of {steps} steps wrong")
    limit = steps if answer.first_error == NO_ERROR else answer.first_error
    said = _by_step(answer.steps, steps)
    for index, verdict in said.items():
        if verdict < 0 and index < limit:
            raise MalformedReply(f"the judge calls step {index} wrong, but {answer.first_error} the first error")
        if verdict >= 0 and index == limit:
            raise MalformedReply(f"the judge calls step {limit} the first error, but its verdict is not wrong")
    before = [said.get(index) for index in range(limit)]
    return (*before, -1, *[None] * (steps - limit - 1)) if limit < steps else tuple(before)


def _by_step(said: list[_Step], steps: int) -> dict[int, Literal[-1, 0, 1]]:
    verdicts: dict[int, Literal[-1, 0, 1]] = {}
    for step in said:
        if not 0 <= step.index < steps:
            raise MalformedReply(f"the judge speaks of step {step.index} of {steps} steps")
        if verdicts.setdefault(step.index, VERDICTS[step.verdict]) != VERDICTS[step.verdict]:
            raise MalformedReply(f"the judge says two things of step {step.index}")
    if verdicts and min(verdicts) == 1:
        raise MalformedReply("the judge's list begins with step 1: whether it counts from 1 cannot be told")
    return verdicts


def _reason(answer: _Answer) -> str:
    own = next((step.reason for step in answer.steps if step.index == answer.first_error), "")
    return answer.reason or own
