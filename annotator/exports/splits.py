"""Parts of a dataset: by problem, never by solution, and by hash, so that rows that are added move none."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from reasoning.statements import normalised


def part_of(problem: str, split: Sequence[tuple[str, float]]) -> str:
    """Name of the part that a problem falls in, by the first 64 bits of its hash."""
    digest = hashlib.sha256(normalised(problem).encode("utf-8", "surrogatepass")).digest()
    place, edge = int.from_bytes(digest[:8], "big") / 2**64, 0.0
    for name, share in split:
        edge += share
        if place < edge:
            return name
    return next(name for name, share in reversed(split) if share > 0)
