"""Completions once paid for, known by (model, prompt and parameters, sample number)."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from typing import Protocol

from reasoning.llm.client import Client
from reasoning.llm.values import Completion, Reply, Request, ScoreReply, ScoreRequest

Key = tuple[str, str, int]
"""Model asked for, `Request.fingerprint()`, sample number."""


class Cache(Protocol):
    """Where completions are kept, with the model name they came from."""

    def get(self, key: Key) -> tuple[Completion, str] | None: ...

    def put(self, key: Key, completion: Completion, model: str) -> None: ...


class MemoryCache:
    """The last `size` completions, in this process."""

    def __init__(self, size: int = 10_000) -> None:
        self._size = size
        self._kept: OrderedDict[Key, tuple[Completion, str]] = OrderedDict()

    def get(self, key: Key) -> tuple[Completion, str] | None:
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def put(self, key: Key, completion: Completion, model: str) -> None:
        self._kept[key] = (completion, model)
        self._kept.move_to_end(key)
        if len(self._kept) > self._size:
            self._kept.popitem(last=False)


class CachedClient:
    """A client that asks only for the samples that the cache lacks; what comes from the cache costs nothing.

    For programs without a database. The application needs none: its rows of evidence are known by solution, model,
    parameters and sample number, and only what is missing among them is asked for.
    """

    def __init__(self, client: Client, cache: Cache) -> None:
        self._client, self._cache = client, cache

    @property
    def model(self) -> str:
        return self._client.model

    async def complete(self, request: Request) -> Reply:
        prompt = request.fingerprint()
        keys = [(self.model, prompt, request.sample + i) for i in range(request.n)]
        found = [self._cache.get(key) for key in keys]
        lacking = [i for i, hit in enumerate(found) if hit is None]
        if not lacking:
            hits = [hit for hit in found if hit is not None]
            return Reply(tuple(completion for completion, _ in hits), hits[0][1])
        first = lacking[0]
        # a seed of its own: the first ones' would bring the first texts once more, as if they were others
        seed = None if request.seed is None else request.seed + first
        reply = await self._client.complete(replace(request, n=len(lacking), sample=request.sample + first, seed=seed))
        for i, completion in zip(lacking, reply.completions, strict=True):
            self._cache.put(keys[i], completion, reply.model)
            found[i] = (completion, reply.model)
        return replace(reply, completions=tuple(hit[0] for hit in found if hit is not None))

    async def score(self, request: ScoreRequest) -> ScoreReply:
        return await self._client.score(request)
