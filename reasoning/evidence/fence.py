"""Data inside a prompt, fenced so that nothing in the data can pass for the prompt.

Each piece stands under a header line `[[MARK label]]`; the last is followed by `[[MARK end]]`. MARK is a hash of all
pieces, and another one where a piece holds it: nobody forges a header, however long he looks for a text that contains
the hash of itself. Text between headers is kept byte for byte.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Final

MARK_LENGTH: Final = 12
_HEADER: Final = re.compile(r"^\[\[([0-9a-f]{12}) ([a-z]+(?: \d+)?)\]\]$", re.MULTILINE)

Piece = tuple[str, str]
"""A label (small letters, then a number where there are several) and its text."""


def mark_of(pieces: Iterable[Piece], length: int = MARK_LENGTH) -> str:
    """The mark that fences exactly these pieces, and stands in none of them."""
    pieces = tuple(pieces)
    digest = hashlib.sha256()
    for label, text in pieces:
        for part in (label, text):
            raw = part.encode("utf-8", "surrogatepass")
            digest.update(len(raw).to_bytes(8, "big") + raw)
    while any((mark := digest.hexdigest()[:length]) in text for _, text in pieces):
        digest.update(b"taken")
    return mark


def fence(pieces: Iterable[Piece]) -> str:
    """The pieces, each under its header."""
    pieces = tuple(pieces)
    mark = mark_of(pieces)
    return "".join(f"[[{mark} {label}]]\n{text}\n" for label, text in pieces) + f"[[{mark} end]]"


def unfence(prompt: str) -> tuple[Piece, ...]:
    """The pieces of a prompt that begins with a fence; none where it does not. The first header's mark alone counts."""
    first = _HEADER.match(prompt)
    if first is None:
        return ()
    headers = [match for match in _HEADER.finditer(prompt) if match[1] == first[1]]
    return tuple((this[2], prompt[this.end() + 1 : following.start() - 1]) for this, following in pairwise(headers))
