"""What one endpoint understands of the protocol. Servers differ; a refusal that names a parameter teaches us which."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from reasoning.errors import EndpointRefused
from reasoning.llm.values import Request, well_formed


@dataclass(frozen=True, slots=True)
class Dialect:
    """How requests are worded. Start from the defaults and let `after_refusal` find out."""

    several: bool = True
    """Whether `n` > 1 is understood; if not, n separate calls are made."""
    structure: Literal["schema", "object", "none"] = "schema"
    tokens: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    temperature: bool = True
    stop: bool = True
    seed: bool = True
    logprobs: bool = True

    def body(self, request: Request, model: str) -> dict[str, Any]:
        """The JSON body of a chat completion request."""
        body: dict[str, Any] = {
            "model": model,
            "messages": [{"role": m.role, "content": well_formed(m.content)} for m in request.messages],
            self.tokens: request.max_tokens,
        }
        if request.n > 1:
            body["n"] = request.n
        if self.temperature and request.temperature is not None:
            body["temperature"] = request.temperature
        if self.temperature and request.top_p is not None:
            body["top_p"] = request.top_p
        if self.seed and request.seed is not None:
            body["seed"] = request.seed
        if self.stop and request.stop:
            body["stop"] = list(request.stop)
        if self.logprobs and request.logprobs:
            body["logprobs"] = True
        if request.schema is not None and self.structure != "none":
            body["response_format"] = self._format(request.schema.name, dict(request.schema.definition))
        return body

    def _format(self, name: str, schema: dict[str, Any]) -> dict[str, Any]:
        if self.structure == "object":
            return {"type": "json_object"}
        return {"type": "json_schema", "json_schema": {"name": name, "strict": True, "schema": schema}}

    def after_refusal(self, refusal: EndpointRefused, request: Request) -> Dialect | None:
        """The next simpler way to say it, where a 400 or 422 complains of something that can be said otherwise.

        A refusal may quote anything: what does not change the words of this request is not unlearned.
        """
        words = refusal.detail.lower()
        if refusal.status not in (400, 422) or _TOO_LONG.search(words):
            return None
        simpler = (way for complaint, way in self._ways() if complaint.search(words))
        return next((way for way in simpler if self._differs(way, request)), None)

    def _differs(self, other: Dialect, request: Request) -> bool:
        if request.n > 1 and other.several != self.several:
            return True
        return other.body(request, "") != self.body(request, "")

    def _ways(self) -> Iterator[tuple[re.Pattern[str], Dialect]]:
        """What may be complained of, and how it is said without."""
        yield _TOKENS, replace(self, tokens="max_completion_tokens")
        yield _STRUCTURE, replace(self, structure="object" if self.structure == "schema" else "none")
        yield _TEMPERATURE, replace(self, temperature=False)
        yield _LOGPROBS, replace(self, logprobs=False)
        yield _SEED, replace(self, seed=False)
        yield _STOP, replace(self, stop=False)
        yield _SEVERAL, replace(self, several=False)


_TOO_LONG: Final = re.compile(r"context[ _](length|window|size)|too (large|long|many tokens)")
_TOKENS: Final = re.compile(r"\bmax_tokens\b.*\bmax_completion_tokens\b")
_STRUCTURE: Final = re.compile(r"response_format|json_schema|json_object|structured[ _]output|guided|grammar")
_TEMPERATURE: Final = re.compile(r"\b(temperature|top_p)\b")
_LOGPROBS: Final = re.compile(r"\b(top_)?logprobs\b")
_SEED: Final = re.compile(r"\bseed\b")
_STOP: Final = re.compile(r"\bstop\b")
_SEVERAL: Final = re.compile(r"['\"`]n['\"`]|\bn (> ?1|must be)|multiple (completions|choices)|only one completion")
