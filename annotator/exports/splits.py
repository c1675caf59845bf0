"""Parts of a dataset: by problem, never by solution, and by hash, so that rows that are added move none."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence


def normalised(problem: str) -> str:
    """The problem without case, space and punctuation. What differs in these alone stands on one side."""
    folded = unicodedata.normalize("NFKC", problem).casefold()
    return "".join(filter(str.isalnum, folded)) or "".join(folded.split())


def part_of(problem: str, split: Sequence[tuple[str, float]]) -> str:
    """Name of the part that a problem falls in, by the first 64 bits of its hash."""
    digest = hashlib.sha256(normalised(problem).encode("utf-8", "surrogatepass")).digest()
    place, edge = int.from_bytes(digest[:8], "big") / 2**64, 0.0
    for name, share in split:
        edge += share
        if place < edge:
            return name
    return next(name for name, share in reversed(split) if share > 0)
