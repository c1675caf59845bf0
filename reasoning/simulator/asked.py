"""A chat completion request, checked as the protocol's servers check it. What it does not know it lets be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from reasoning.errors import InvalidInput
from reasoning.simulator import draws
from reasoning.simulator.forms import Form, form_of

MOST_CHOICES: Final = 128
MOST_TOP_LOGPROBS: Final = 20


@dataclass(frozen=True, slots=True)
class Message:
    """One turn; its text is that of all its parts."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for, with the protocol's defaults filled in."""

    model: str
    messages: tuple[Message, ...]
    n: int
    seed: int | None
    stop: tuple[str, ...]
    max_tokens: int | None
    greedy: bool
    top_logprobs: int | None
    """How many alternatives are shown of each token; None where no log-probabilities are wanted."""
    stream: bool
    usage_in_stream: bool
    form: Form | None

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Asked:
        """Raises `InvalidInput` in the words of the protocol's servers."""
        limits = [_integer(body, name, 1, None) for name in ("max_completion_tokens", "max_tokens")]
        _number(body, "top_p", 0, 1)
        options = body.get("stream_options") or {}
        if not isinstance(options, dict):
            raise InvalidInput("'stream_options' must be an object")
        return cls(
            model=_model(body),
            messages=_messages(body),
            n=_integer(body, "n", 1, MOST_CHOICES) or 1,
            seed=_integer(body, "seed", None, None),
            stop=_stop(body.get("stop")),
            max_tokens=limits[0] or limits[1],
            greedy=_number(body, "temperature", 0, 2) == 0,
            top_logprobs=_top_logprobs(body),
            stream=_flag(body, "stream"),
            usage_in_stream=_flag(options, "include_usage"),
            form=form_of(body),
        )

    def draw(self, index: int, request: int) -> tuple[draws.Part, ...]:
        """What tells this completion's draw apart: the seed; without one the number of the request, for a model that is
        asked twice says two things. Nothing where the request is greedy.
        """
        if self.greedy:
            return ()
        return (f"request {request}" if self.seed is None else str(self.seed), index)


def _model(body: Mapping[str, Any]) -> str:
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise InvalidInput("you must provide a 'model' parameter")
    return model


def _messages(body: Mapping[str, Any]) -> tuple[Message, ...]:
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise InvalidInput("'messages' is a required property: a list that is not empty")
    return tuple(_message(message) for message in messages)


def _message(message: Any) -> Message:
    match message:
        case {"role": str(role), "content": str(text)}:
            return Message(role, text)
        case {"role": str(role), "content": [*parts]} if all(map(_is_text, parts)):
            return Message(role, "".join(part["text"] for part in parts))
        case {"role": "assistant" as role} if message.get("content") is None:
            return Message(role, "")
    raise InvalidInput("'messages': each has a 'role', and 'content' that is a string or a list of text parts")


def _is_text(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str)


def _stop(value: Any) -> tuple[str, ...]:
    marks = [value] if isinstance(value, str) else value or []
    if not isinstance(marks, list) or not all(isinstance(mark, str) for mark in marks):
        raise InvalidInput("'stop' must be a string or a list of strings")
    return tuple(mark for mark in marks if mark)


def _top_logprobs(body: Mapping[str, Any]) -> int | None:
    wanted, top = _flag(body, "logprobs"), _integer(body, "top_logprobs", 0, MOST_TOP_LOGPROBS)
    if top is not None and not wanted:
        raise InvalidInput("'top_logprobs' is only allowed where 'logprobs' is true")
    return (top or 0) if wanted else None


def _flag(body: Mapping[str, Any], name: str) -> bool:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise InvalidInput(f"'{name}' must be true or false")
    return bool(value)


def _integer(body: Mapping[str, Any], name: str, least: int | None, most: int | None) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    if type(value) is not int or (least is not None and value < least) or (most is not None and value > most):
        bounds = "" if least is None else f" of at least {least}" if most is None else f" from {least} to {most}"
        raise InvalidInput(f"'{name}' must be an integer{bounds}")
    return value


def _number(body: Mapping[str, Any], name: str, least: float, most: float) -> float | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise InvalidInput(f"'{name}' must be a number from {least} to {most}")
    return float(value)
