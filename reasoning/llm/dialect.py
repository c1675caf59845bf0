"""What one endpoint understands of the protocol. Servers differ; a refusal that names a parameter teaches us which."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from reasoning.errors import EndpointRefused
from reasoning.llm.values import Request


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
            "messages": [{"role": m.role, "content": _sendable(m.content)} for m in request.messages],
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

    def after_refusal(self, refusal: EndpointRefused) -> Dialect | None:
        """The next simpler way to say it, where a 400 or 422 complains of something that can be said otherwise."""
        if refusal.status not in (400, 422):
            return None
        words = refusal.detail.lower()
        if "max_tokens" in words and "max_completion_tokens" in words and self.tokens == "max_tokens":
            return replace(self, tokens="max_completion_tokens")
        if ("response_format" in words or "json_schema" in words) and self.structure != "none":
            return replace(self, structure="object" if self.structure == "schema" else "none")
        if "temperature" in words and self.temperature:
            return replace(self, temperature=False)
        if "logprobs" in words and self.logprobs:
            return replace(self, logprobs=False)
        if "seed" in words and self.seed:
            return replace(self, seed=False)
        if "stop" in words and self.stop:
            return replace(self, stop=False)
        several = ("'n'", '"n"', "`n`", "n > 1", "n must be", "multiple completions", "only one completion")
        if self.several and any(hint in words for hint in several):
            return replace(self, several=False)
        return None


def _sendable(text: str) -> str:
    """UTF-8 has no lone surrogates; a pair of them is the character it stands for."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
