"""Bodies of OpenAI's chat completion protocol, whole and in chunks."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reasoning.simulator import draws

CHARACTERS_PER_TOKEN: Final = 4
_WORD: Final = re.compile(r"\s*\S+\s*$|\s*\S+|\s+")
_WORDS_PER_CHUNK: Final = 8


@dataclass(frozen=True, slots=True)
class Choice:
    """One completion as it goes out."""

    text: str
    finish_reason: str = "stop"


def tokens(text: str) -> int:
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def limited(text: str, *, stop: Sequence[str], max_tokens: int | None) -> Choice:
    """The text up to the first stop string and the token limit."""
    cut = min((at for at in (text.find(mark) for mark in stop if mark) if at >= 0), default=len(text))
    text = text[:cut]
    if max_tokens is not None and tokens(text) > max_tokens:
        return Choice(text[: max_tokens * CHARACTERS_PER_TOKEN], "length")
    return Choice(text)


def usage(messages: Sequence[Mapping[str, Any]], choices: Sequence[Choice]) -> dict[str, int]:
    prompt = sum(tokens(str(message.get("content", ""))) + 4 for message in messages)
    completion = sum(tokens(choice.text) for choice in choices)
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def logprobs(text: str) -> dict[str, Any]:
    """Invented log-probabilities, one a word; the words joined are the text."""
    content = []
    for word in _WORD.findall(text):
        logprob = -3.0 * draws.uniform("logprob", word) ** 3
        content.append({"token": word, "logprob": logprob, "bytes": list(word.encode()), "top_logprobs": []})
    return {"content": content, "refusal": None}


def whole(
    name: str, model: str, choices: Sequence[Choice], used: dict[str, int], *, with_logprobs: bool
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
                "logprobs": logprobs(choice.text) if with_logprobs else None,
                "finish_reason": choice.finish_reason,
            }
            for i, choice in enumerate(choices)
        ],
        "usage": used,
    }


def chunks(body: Mapping[str, Any], *, with_usage: bool) -> Iterator[dict[str, Any]]:
    """The same reply as a stream's chunks."""
    frame = {"id": body["id"], "object": "chat.completion.chunk", "created": body["created"], "model": body["model"]}
    for choice in body["choices"]:
        index, scored = choice["index"], (choice["logprobs"] or {}).get("content")
        words = _WORD.findall(choice["message"]["content"])
        for at in range(0, len(words), _WORDS_PER_CHUNK):
            delta = {"content": "".join(words[at : at + _WORDS_PER_CHUNK])} | ({} if at else {"role": "assistant"})
            part = {"index": index, "delta": delta, "finish_reason": None}
            if scored is not None:
                part["logprobs"] = {"content": scored[at : at + _WORDS_PER_CHUNK]}
            yield frame | {"choices": [part]}
        yield frame | {"choices": [{"index": index, "delta": {}, "finish_reason": choice["finish_reason"]}]}
    if with_usage:
        yield frame | {"choices": [], "usage": body["usage"]}


def error(message: str, kind: str, code: str | None = None) -> dict[str, Any]:
    """The body of a refusal."""
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}
