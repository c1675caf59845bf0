"""Public ids: opaque, so that neither counts nor order leak, and readable over the telephone."""

from __future__ import annotations

import secrets
from typing import Final

ALPHABET: Final = "23456789abcdefghjkmnpqrstuvwxyz"


def new_code() -> str:
    """12 characters of 31: 59 bits. A collision is refused by the UNIQUE of every code column."""
    return "".join(secrets.choice(ALPHABET) for _ in range(12))
