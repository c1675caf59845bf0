"""A client that answers from a script: for tests, here and in the programs that use this library."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from reasoning.errors import EndpointRefused, MalformedReply
from reasoning.llm.values import Completion, Reply, Request, ScoreReply, ScoreRequest
from reasoning.types import Usage

Line = str | Sequence[str] | Completion | Reply | Exception
"""What the model says next: a text (repeated n times), n texts, one completion, a whole reply, or an error to raise."""


class ScriptedClient:
    """Plays `script` line by line, or asks it, where it is a function. Every request is kept in `requests`.

    When the script is over, `EndpointRefused` says so.
    """

    def __init__(
        self,
        script: Iterable[Line] | Callable[[Request], Line],
        *,
        scores: Iterable[Sequence[float] | Exception] = (),
        model: str = "scripted",
        usage: Usage = Usage(prompt_tokens=10, completion_tokens=5),
    ) -> None:
        self._ask: Callable[[Request], Line] | None = script if callable(script) else None
        self._lines: Iterator[Line] = iter(()) if callable(script) else iter(script)
        self._scores = iter(scores)
        self._model = model
        self._usage = usage
        self.requests: list[Request] = []
        self.score_requests: list[ScoreRequest] = []

    @property
    def model(self) -> str:
        return self._model

    async def complete(self, request: Request) -> Reply:
        self.requests.append(request)
        line = self._ask(request) if self._ask is not None else next(self._lines, None)
        if line is None:
            raise EndpointRefused("the script is over")
        if isinstance(line, Exception):
            raise line
        if isinstance(line, Reply):
            return line
        return Reply(self._completions(line, request), self._model, self._usage)

    def _completions(self, line: str | Sequence[str] | Completion, request: Request) -> tuple[Completion, ...]:
        if isinstance(line, Completion):
            return (line,) * request.n
        texts = [line] * request.n if isinstance(line, str) else list(line)
        if len(texts) != request.n:
            raise MalformedReply(f"{request.n} completions were asked for, the script has {len(texts)}")
        return tuple(Completion(text, seed=request.seed) for text in texts)

    async def score(self, request: ScoreRequest) -> ScoreReply:
        self.score_requests.append(request)
        line = next(self._scores, None)
        if line is None:
            raise EndpointRefused("the script has no scores left")
        if isinstance(line, Exception):
            raise line
        return ScoreReply(tuple(line), self._model, self._usage)
