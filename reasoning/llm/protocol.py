"""Reading replies of the chat completions and pooling protocols, without trusting them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import orjson

from reasoning.errors import MalformedReply
from reasoning.llm.faults import shorten, words_of
from reasoning.llm.values import Completion, Prices, Reply, Request, ScoreReply, ScoreRequest, TokenLogprob
from reasoning.types import Usage

CHARACTERS_PER_TOKEN = 3
"""For guesses where an endpoint tells no usage, and for what a call may cost: rather too many."""
MOST_TOKENS = 2**31 - 1
LONGEST_NAME = 200
"""Characters of a model's name that are believed."""


def decode(body: bytes) -> dict[str, Any]:
    """A JSON object, or `MalformedReply` with the first of what came instead."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        begin = body[:200].decode("utf-8", "replace")
        raise MalformedReply(shorten(f"the reply is not JSON ({error}): {begin or '(empty)'}")) from error
    if not isinstance(value, dict):
        raise MalformedReply(shorten(f"the reply is not a JSON object: {body[:200]!r}"))
    return value


def decode_stream(body: bytes) -> dict[str, Any]:
    """One reply of a whole body of server-sent events; a body that is plain JSON is what it is."""
    if not body.lstrip().startswith((b"data:", b":", b"event:", b"id:")):
        return decode(body)
    lines = (line[5:].strip() for line in body.splitlines() if line.startswith(b"data:"))
    return assemble(decode(line) for line in lines if line != b"[DONE]")


def read_reply(value: dict[str, Any], request: Request, prices: Prices) -> tuple[Reply, bool]:
    """A reply and whether its usage is a guess. Raises `MalformedReply` where there is no usable choice."""
    choices = value.get("choices")
    if not isinstance(choices, list) or not choices:
        said = words_of(value, "") or shorten(str(value))
        raise MalformedReply(f"the reply has no choices: {said}")
    completions = tuple(_completion(choice, request) for choice in choices)
    usage, estimated = _usage(told_usage(value, prices), request, completions, prices)
    return Reply(completions, _model(value), usage), estimated


def _model(value: dict[str, Any]) -> str:
    """The model's name as the endpoint tells it, kept to what a name can be."""
    return str(value.get("model") or "").replace("\0", "")[:LONGEST_NAME]


def _completion(choice: Any, request: Request) -> Completion:
    match choice:
        case {"message": {"content": str(text)}, **rest}:
            finish = rest.get("finish_reason")
        case {"message": {"refusal": str(words)}}:
            raise MalformedReply(shorten(f"the model refused: {words}"))
        case _:
            raise MalformedReply(shorten(f"a choice has no text: {choice}"))
    if not isinstance(finish, str):
        raise MalformedReply("a choice has no finish_reason: the reply was cut off")
    if not text and finish != "length":
        raise MalformedReply(f"a choice is empty (finish_reason {finish})")
    return Completion(text, finish, request.seed, _logprobs(choice.get("logprobs")))


def _logprobs(value: Any) -> tuple[TokenLogprob, ...]:
    if not isinstance(value, dict) or not isinstance(value.get("content"), list):
        return ()
    tokens = []
    for entry in value["content"]:
        match entry:
            case {"token": str(token), "logprob": float() | int() as logprob}:
                tokens.append(TokenLogprob(token, float(logprob)))
            case _:
                raise MalformedReply(shorten(f"a logprob is not as the protocol says: {entry}"))
    return tuple(tokens)


def told_usage(value: dict[str, Any], prices: Prices) -> Usage | None:
    """What the endpoint says that its reply took, whatever else is wrong with it; None where it tells nothing sound."""
    match value.get("usage"):
        case {"prompt_tokens": int(prompt), "completion_tokens": int(completion)} if _plausible(prompt, completion):
            return Usage(prompt, completion, prices.cost(prompt, completion))
    return None


def _usage(
    told: Usage | None, request: Request, completions: Iterable[Completion], prices: Prices
) -> tuple[Usage, bool]:
    if told is not None:
        return told, False
    prompt = guess_tokens(request.prompt_characters)
    completion = sum(guess_tokens(len(c.text)) for c in completions)
    return Usage(prompt, completion, prices.cost(prompt, completion)), True


def _plausible(*tokens: int) -> bool:
    """Some servers tell −1 where they do not count."""
    return all(0 <= each <= MOST_TOKENS and not isinstance(each, bool) for each in tokens)


def guess_tokens(characters: int) -> int:
    return -(-characters // CHARACTERS_PER_TOKEN)


def assemble(chunks: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """One reply of the chunks of a stream. A choice that never got its finish_reason keeps None: it was cut off."""
    whole: dict[str, Any] = {"choices": [], "model": "", "usage": None}
    choices: dict[int, dict[str, Any]] = {}
    for chunk in chunks:
        if "error" in chunk:
            raise MalformedReply(f"the stream broke off: {words_of(chunk, str(chunk))}")
        whole["model"] = chunk.get("model") or whole["model"]
        whole["usage"] = chunk.get("usage") or whole["usage"]
        for part in chunk.get("choices") or ():
            _add_part(choices.setdefault(int(part.get("index", 0)), _empty_choice()), part)
    whole["choices"] = [choices[i] for i in sorted(choices)]
    return whole


def _empty_choice() -> dict[str, Any]:
    return {"message": {"content": ""}, "finish_reason": None, "logprobs": {"content": []}}


def _add_part(choice: dict[str, Any], part: dict[str, Any]) -> None:
    delta = part.get("delta") or {}
    choice["message"]["content"] += delta.get("content") or ""
    choice["finish_reason"] = part.get("finish_reason") or choice["finish_reason"]
    choice["logprobs"]["content"] += (part.get("logprobs") or {}).get("content") or []


def read_scores(value: dict[str, Any], request: ScoreRequest, prices: Prices) -> ScoreReply:
    """Scores out of vLLM's pooling reply: `data[0].data` is one number a step, or one row of classes a step.

    Of a row the last class is "right" (Qwen2.5-Math-PRM: [bad, good]); rows that do not sum to 1 are
    taken as logits.
    """
    match value:
        case {"data": [{"data": list(rows)}, *_]}:
            scores = tuple(_score(row) for row in rows)
        case _:
            raise MalformedReply(shorten(f"the reply holds no scores: {value}"))
    if len(scores) != request.steps:
        raise MalformedReply(f"{request.steps} steps were sent, {len(scores)} scores came back")
    match value.get("usage"):
        case {"prompt_tokens": int(prompt)} if prompt and _plausible(prompt):
            pass
        case _:
            prompt = guess_tokens(len(request.text))
    return ScoreReply(scores, _model(value), Usage(prompt, 0, prices.cost(prompt, 0)))


def _score(row: Any) -> float:
    values = row if isinstance(row, list) else [row]
    if not values or not all(isinstance(v, int | float) and math.isfinite(v) for v in values):
        raise MalformedReply(shorten(f"a score is not a number: {row}"))
    if len(values) == 1:
        return float(values[0]) if 0 <= values[0] <= 1 else 1 / (1 + math.exp(-values[0]))
    if all(0 <= v <= 1 for v in values) and abs(sum(values) - 1) < 0.01:
        return float(values[-1])
    top = max(values)
    weights = [math.exp(v - top) for v in values]
    return weights[-1] / sum(weights)
