"""Server-sent events put together into the reply that they are the parts of, without trusting them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from reasoning.characters import shorten
from reasoning.errors import MalformedReply
from reasoning.llm.faults import words_of
from reasoning.llm.protocol import decode


def decode_stream(body: bytes) -> dict[str, Any]:
    """One reply of a whole body of server-sent events; a body that is plain JSON is what it is."""
    if not body.lstrip().startswith((b"data:", b":", b"event:", b"id:")):
        return decode(body)
    lines = (line[5:].strip() for line in body.splitlines() if line.startswith(b"data:"))
    return assemble(decode(line) for line in lines if line != b"[DONE]")


def assemble(chunks: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """One reply of the chunks of a stream. A choice that never got its finish_reason keeps None: it was cut off.

    Raises `MalformedReply` for a chunk that tells an error, or is none.
    """
    whole: dict[str, Any] = {"choices": [], "model": "", "usage": None}
    choices: dict[int, dict[str, Any]] = {}
    for chunk in chunks:
        if chunk.get("error"):
            raise MalformedReply(f"the stream broke off: {words_of(chunk, str(chunk))}")
        whole["model"] = chunk.get("model") or whole["model"]
        whole["usage"] = chunk.get("usage") or whole["usage"]
        try:
            for part in chunk.get("choices") or ():
                _add_part(choices.setdefault(part.get("index") or 0, _empty_choice()), part)
        except (AttributeError, TypeError) as error:
            raise MalformedReply(shorten(f"a chunk of the stream is not as the protocol says: {chunk}")) from error
    whole["choices"] = [{"index": i} | choices[i] for i in choices]
    return whole


def _empty_choice() -> dict[str, Any]:
    return {"message": {"content": ""}, "finish_reason": None, "logprobs": {"content": []}}


def _add_part(choice: dict[str, Any], part: dict[str, Any]) -> None:
    delta = part.get("delta") or {}
    choice["message"]["content"] += delta.get("content") or ""
    choice["finish_reason"] = part.get("finish_reason") or choice["finish_reason"]
    choice["logprobs"]["content"] += (part.get("logprobs") or {}).get("content") or []
