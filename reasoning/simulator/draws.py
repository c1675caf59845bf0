"""Random numbers that are functions of what they are drawn for: the same request gets the same reply at any time."""

from __future__ import annotations

import hashlib
import random
from typing import Final

_SCALE: Final = 2.0**-64

Part = str | int | bytes


def digest(*parts: Part) -> int:
    """A 64-bit number, a function of the parts."""
    text = b"\x1f".join(p if isinstance(p, bytes) else str(p).encode("utf-8", "surrogatepass") for p in parts)
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")


def uniform(*parts: Part) -> float:
    """A number in [0, 1), a function of the parts."""
    return digest(*parts) * _SCALE


def generator(*parts: Part) -> random.Random:
    """A generator seeded by the parts."""
    return random.Random(digest(*parts))
