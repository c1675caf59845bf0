"""Bodies of OpenAI's chat completion protocol, whole and in chunks."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reasoning.simulator import draws
from reasoning.simulator.asked import Message

CHARACTERS_PER_TOKEN: Final = 4
"""A token is so many characters: usage, limits and log-probabilities all count the same ones."""
_TOKENS_PER_CHUNK: Final = 8


@dataclass(frozen=True, slots=True)
class Choice:
    """One completion as it goes out."""

    text: str
    finish_reason: str = "stop"


def tokens(text: str) -> int:
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def _spelled(text: str) -> list[str]:
    return [text[at : at + CHARACTERS_PER_TOKEN] for at in range(0, len(text), CHARACTERS_PER_TOKEN)]


def limited(text: str, *, stop: Sequence[str], max_tokens: int | None) -> Choice:
    """The text up to the first stop string and the token limit."""
    cut = min((at for at in (text.find(mark) for mark in stop if mark) if at >= 0), default=len(text))
    text = text[:cut]
    if max_tokens is not None and tokens(text) > max_tokens:
        return Choice(text[: max_tokens * CHARACTERS_PER_TOKEN], "length")
    return Choice(text)


def usage(messages: Sequence[Message], choices: Sequence[Choice]) -> dict[str, int]:
    prompt = sum(tokens(message.text) + 4 for message in messages)
    completion = sum(tokens(choice.text) for choice in choices)
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def logprobs(text: str, top: int) -> dict[str, Any]:
    """Invented log-probabilities, one a token, with `top` alternatives each; the tokens joined are the text."""
    return {"content": [_scored(token, top) for token in _spelled(text)], "refusal": None}


def _scored(token: str, top: int) -> dict[str, Any]:
    """The token and the most probable ones in its place, itself among them: their probabilities sum to less than 1."""
    logprob = -3.0 * draws.uniform("logprob", token) ** 3
    rest = -math.expm1(logprob)  # 1 − exp would be 0 beside a token that is all but certain
    others = [(f"{token[:-1]}{'#' * number}", math.log(rest) - number * math.log(2.0)) for number in range(1, top)]
    ranked = sorted([(token, logprob), *others], key=lambda pair: -pair[1])[:top]
    return _entry(token, logprob) | {"top_logprobs": [_entry(*pair) for pair in ranked]}


def _entry(token: str, logprob: float) -> dict[str, Any]:
    return {"token": token, "logprob": logprob, "bytes": list(token.encode())}


def whole(
    name: str, model: str, choices: Sequence[Choice], used: dict[str, int], *, top_logprobs: int | None
) -> dict[str, Any]:
    """The body of a reply that is not streamed."""
    return {
        "id": name,
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [
            {
                "index": i,
                "message": {"role": "assistant", "content": choice.text, "refusal": None},
                "logprobs": None if top_logprobs is None else logprobs(choice.text, top_logprobs),
                "finish_reason": choice.finish_reason,
            }
            for i, choice in enumerate(choices)
        ],
        "usage": used,
    }


def chunks(body: Mapping[str, Any], *, with_usage: bool) -> Iterator[dict[str, Any]]:
    """The same reply as a stream's chunks. Where usage is wanted each has the key, and the last one the numbers."""
    frame = {"id": body["id"], "object": "chat.completion.chunk", "created": body["created"], "model": body["model"]}
    frame |= {"usage": None} if with_usage else {}
    for choice in body["choices"]:
        index, scored = choice["index"], (choice["logprobs"] or {}).get("content")
        spelled = _spelled(choice["message"]["content"])
        for at in range(0, len(spelled) or 1, _TOKENS_PER_CHUNK):
            delta = {"content": "".join(spelled[at : at + _TOKENS_PER_CHUNK])} | ({} if at else {"role": "assistant"})
            part = {"index": index, "delta": delta, "finish_reason": None, "logprobs": None}
            if scored is not None:
                part["logprobs"] = {"content": scored[at : at + _TOKENS_PER_CHUNK]}
            yield frame | {"choices": [part]}
        yield frame | {"choices": [{"index": index, "delta": {}, "finish_reason": choice["finish_reason"]}]}
    if with_usage:
        yield frame | {"choices": [], "usage": body["usage"]}


def error(message: str, kind: str, code: str | None = None) -> dict[str, Any]:
    """The body of a refusal."""
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}
