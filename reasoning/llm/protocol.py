"""Reading replies of the chat completions protocol, without trusting them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson

from reasoning.characters import shorten
from reasoning.errors import MalformedReply
from reasoning.llm.faults import words_of
from reasoning.llm.values import Completion, Prices, Reply, Request, TokenLogprob, well_formed
from reasoning.types import Usage

BYTES_PER_TOKEN: Final = 3
"""For guesses where an endpoint tells no usage, and for what a call may cost: rather too many tokens. Bytes, because a
token of Chinese is about one character, which is three."""
MOST_TOKENS: Final = 2**31 - 1
LONGEST_TOKEN: Final = 128
"""Characters. The longest tokens of the vocabularies in use are runs of spaces of this length."""
LONGEST_NAME: Final = 200
"""Characters of a model's name that are believed."""
LONGEST_FINISH: Final = 32
MAY_BE_EMPTY: Final = frozenset({"length", "content_filter"})
"""Ends of a choice that leave nothing to read and are no fault of the reply: the sample is there, its text is not."""
ENDED: Final = frozenset({"eos", "eos_token", "end_turn", "stop_sequence"})
"""What servers other than OpenAI's call "stop"."""

_THOUGHT: Final = re.compile(r"\s*<think>.*?(?:</think>\s*|\Z)", re.DOTALL)
_THOUGHT_BEGUN_BY_THE_TEMPLATE: Final = re.compile(r".*?^[^\S\n]*</think>[^\S\n]*$\s*", re.DOTALL | re.MULTILINE)


def decode(body: bytes) -> dict[str, Any]:
    """A JSON object, or `MalformedReply` with the first of what came instead."""
    try:
        value = _parsed(body)
    except (ValueError, RecursionError) as error:
        begin = body[:200].decode("utf-8", "replace")
        raise MalformedReply(shorten(f"the reply is not JSON ({error}): {begin or '(empty)'}")) from error
    if not isinstance(value, dict):
        raise MalformedReply(shorten(f"the reply is not a JSON object: {body[:200]!r}"))
    return value


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        # Python's servers write what the standard forbids: half an emoji as "\ud83d", NaN, a byte order mark
        return json.loads(body)


def read_reply(value: dict[str, Any], request: Request, prices: Prices) -> tuple[Reply, bool]:
    """A reply and whether its usage is a guess. Raises `MalformedReply` where there is no usable choice."""
    choices = value.get("choices")
    if not isinstance(choices, list) or not choices:
        said = words_of(value, "") or shorten(str(value))
        raise MalformedReply(f"the reply has no choices: {said}")
    completions = tuple(_completion(choice, request) for choice in _in_order(choices))
    usage, estimated = _usage(told_usage(value, prices), request, completions, prices)
    return Reply(completions, model_of(value), usage), estimated


def model_of(value: Mapping[str, Any]) -> str:
    """The model's name as the endpoint tells it, kept to what a name can be."""
    name = value.get("model")
    return _word(name, LONGEST_NAME) if isinstance(name, str) else ""


def _word(text: str, longest: int) -> str:
    return "".join(filter(str.isprintable, text))[:longest]


def _in_order(choices: list[Any]) -> list[Any]:
    """By their indices where these tell them apart: they may come as they were finished."""
    placed = {choice["index"]: choice for choice in choices if _is_placed(choice)}
    return [placed[index] for index in sorted(placed)] if len(placed) == len(choices) else choices


def _is_placed(choice: Any) -> bool:
    return isinstance(choice, dict) and type(choice.get("index")) is int


def _completion(choice: Any, request: Request) -> Completion:
    match choice:
        case {"message": dict(message), **rest}:
            finish = rest.get("finish_reason")
        case _:
            raise MalformedReply(shorten(f"a choice has no text: {choice}"))
    text = _text(message, finish)
    if not isinstance(finish, str):
        raise MalformedReply("a choice has no finish_reason: the reply was cut off")
    text = spoken(well_formed(text))
    if not text and finish not in MAY_BE_EMPTY:
        raise MalformedReply(f"a choice is empty (finish_reason {_word(finish, LONGEST_FINISH)})")
    if len(text) > LONGEST_TOKEN * request.max_tokens:
        raise MalformedReply(f"a choice has {len(text):,} characters: more than {request.max_tokens:,} tokens can have")
    ended = "stop" if finish in ENDED else _word(finish, LONGEST_FINISH)
    return Completion(text, ended, request.seed, _logprobs(rest.get("logprobs")))


def _text(message: Mapping[str, Any], finish: Any) -> str:
    """A message's text, whole or in parts. What a model thought to itself is none."""
    match message:
        case {"content": str(text)}:
            return text
        case {"content": [*parts]} if all(isinstance(part, dict) for part in parts):
            return "".join(str(part.get("text", "")) for part in parts if part.get("type") == "text")
        case {"refusal": str(words)}:
            raise MalformedReply(shorten(f"the model refused: {words}"))
    if finish in MAY_BE_EMPTY:
        return ""
    if any(message.get(name) for name in ("reasoning_content", "reasoning")):
        raise MalformedReply("a choice has no text: the model thought, and said nothing")
    raise MalformedReply(shorten(f"a choice has no text: {dict(message)}"))


def spoken(text: str) -> str:
    """The text without the thoughts before it, which servers without a parser for them leave in it.

    Where the prompt's template opened the thought, its end stands alone on a line: inside of JSON it cannot.
    """
    thought = _THOUGHT.match(text) or _THOUGHT_BEGUN_BY_THE_TEMPLATE.match(text)
    return text[thought.end() :] if thought else text


def _logprobs(value: Any) -> tuple[TokenLogprob, ...]:
    if not isinstance(value, dict) or not isinstance(value.get("content"), list):
        return ()
    tokens = []
    for entry in value["content"]:
        match entry:
            case {"token": str(token), "logprob": logprob} if is_number(logprob):
                tokens.append(TokenLogprob(token, float(logprob)))
            case _:
                raise MalformedReply(shorten(f"a logprob is not as the protocol says: {entry}"))
    return tuple(tokens)


def told_usage(value: dict[str, Any], prices: Prices) -> Usage | None:
    """What the endpoint says that its reply took, whatever else is wrong with it; None where it tells nothing sound."""
    match value.get("usage"):
        case {"prompt_tokens": int(prompt), "completion_tokens": int(completion)} if plausible(prompt, completion):
            return Usage(prompt, completion, prices.cost(prompt, completion))
    return None


def _usage(
    told: Usage | None, request: Request, completions: Iterable[Completion], prices: Prices
) -> tuple[Usage, bool]:
    if told is not None:
        return told, False
    prompt = guess_tokens(*(message.content for message in request.messages))
    completion = sum(guess_tokens(c.text) for c in completions)
    return Usage(prompt, completion, prices.cost(prompt, completion)), True


def is_number(value: Any) -> bool:
    """Whether it is a number that a float can hold: JSON's integers have no end, and Python reads them all."""
    try:
        return type(value) in (int, float) and math.isfinite(value)
    except OverflowError:
        return False


def plausible(*tokens: int) -> bool:
    """Whether they can be counts of tokens. Some servers tell −1 where they do not count."""
    return all(0 <= each <= MOST_TOKENS and not isinstance(each, bool) for each in tokens)


def guess_tokens(*texts: str) -> int:
    return -(-sum(len(text.encode("utf-8", "surrogatepass")) for text in texts) // BYTES_PER_TOKEN)
