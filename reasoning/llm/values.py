"""The values that go to a model and come back. Frozen, hashable where that matters, without a trace of any library."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from reasoning.errors import InvalidInput
from reasoning.types import Usage

Role = Literal["system", "user", "assistant"]


def well_formed(text: str) -> str:
    """UTF-8 has no lone surrogates; a pair of them is the character it stands for."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Schema:
    """A JSON schema that the reply must follow, under a name that endpoints want (letters, digits, `_`, `-`)."""

    name: str
    definition: Mapping[str, Any] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a model: `n` completions of one conversation.

    `kind` says what the call is for ("judge", "rollout", …): it is kept in every `CallRecord`, and a budget of rollouts
    counts the completions of kind "rollout". `sample` is the number of the first completion, so that a cache and a seed
    tell apart the n completions asked now from those asked later.
    """

    messages: tuple[Message, ...]
    n: int = 1
    temperature: float | None = 1.0
    top_p: float | None = None
    max_tokens: int = 1024
    seed: int | None = None
    stop: tuple[str, ...] = ()
    schema: Schema | None = None
    logprobs: bool = False
    sample: int = 0
    kind: str = ""

    def __post_init__(self) -> None:
        if self.n < 1:
            raise InvalidInput(f"n: {self.n} completions cannot be asked for")
        if self.max_tokens < 1:
            raise InvalidInput(f"max_tokens: {self.max_tokens} is less than 1")
        if not self.messages:
            raise InvalidInput("messages: there are none")

    def fingerprint(self) -> str:
        """Hash of prompt and parameters, without `n`, `seed`, `sample` and `kind`: what a cache knows a call by."""
        schema = None if self.schema is None else [self.schema.name, self.schema.definition]
        params = [self.temperature, self.top_p, self.max_tokens, self.stop, schema, self.logprobs]
        text = json.dumps([[(m.role, m.content) for m in self.messages], params], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """One token of a completion with its natural-log probability."""

    token: str
    logprob: float


@dataclass(frozen=True, slots=True)
class Completion:
    """One text that a model wrote. `finish_reason` is the endpoint's: "stop", "length", "content_filter", …"""

    text: str
    finish_reason: str = "stop"
    seed: int | None = None
    """The seed that was sent for the request that this completion came with."""
    logprobs: tuple[TokenLogprob, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: as many completions as were asked for, in order."""

    completions: tuple[Completion, ...]
    model: str
    """The model name that the endpoint replied with."""
    usage: Usage = Usage()
    """Of the whole reply: all completions together."""

    @property
    def text(self) -> str:
        """The first completion's text."""
        return self.completions[0].text


@dataclass(frozen=True, slots=True)
class ScoreRequest:
    """A text in which a PRM reads step ends; `steps` is how many scores must come back."""

    text: str
    steps: int
    kind: str = "score"


@dataclass(frozen=True, slots=True)
class ScoreReply:
    """One probability of "right" per step, length `ScoreRequest.steps`."""

    scores: tuple[float, ...]
    model: str
    usage: Usage = Usage()


@dataclass(frozen=True, slots=True)
class Prices:
    """Money per million tokens, in the endpoint's currency."""

    prompt: float = 0.0
    completion: float = 0.0

    def cost(self, prompt_tokens: int, completion_tokens: int) -> float:
        return (self.prompt * prompt_tokens + self.completion * completion_tokens) / 1_000_000


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return known and url.isprintable() and " " not in url


def _fits_a_header(text: str) -> bool:
    return text.isascii() and text.isprintable()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model is, and how it may be used. The key never shows in a repr."""

    base_url: str
    model: str
    api_key: str = field(default="", repr=False)
    slots: int = 16
    """Requests in flight at once."""
    prices: Prices = Prices()
    timeout: float = 120.0
    """Seconds for one attempt."""
    stream: bool = False
    """Ask for server-sent events: a long completion then never looks like a dead connection to what stands between."""
    score_url: str = ""
    """Where `score` posts; vLLM's `/pooling` beside `/v1` where empty."""
    headers: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if not _is_address(self.base_url):
            raise InvalidInput(f"base_url: {self.base_url!r} is not of the form http(s)://host[:port]/path")
        if self.slots < 1:
            raise InvalidInput(f"slots: {self.slots} is less than 1")
        if not _fits_a_header(self.api_key):
            raise InvalidInput("api_key: it holds what no key can: a line break, an accent, another alphabet")
        for name, value in self.headers:
            if not _fits_a_header(name) or not _fits_a_header(value):
                raise InvalidInput(f"headers: {name!r} or its value holds a character that no header can have")


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One request that was sent, whatever became of it. Every attempt is one."""

    endpoint: str
    model: str
    """The model that was asked; the one that replied is `replied_model`."""
    kind: str
    n: int
    attempt: int
    """From 1."""
    status: str
    """"ok", or the name of the error of reasoning.errors, or "Cancelled"."""
    http_status: int | None
    detail: str
    """The endpoint's own words where it failed."""
    usage: Usage
    estimated: bool
    """Whether the tokens are our guess because the endpoint told none."""
    seconds: float
    """From handing the request over to having the whole reply: how long a slot was taken."""
    replied_model: str = ""
    request_id: str = ""
