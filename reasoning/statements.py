"""When two statements are the same problem, however they are written."""

from __future__ import annotations

import unicodedata


def normalised(statement: str) -> str:
    """The statement without case, space and punctuation; of one that holds nothing else, all but the space."""
    folded = unicodedata.normalize("NFKC", statement).casefold()
    return "".join(filter(str.isalnum, folded)) or "".join(folded.split())
