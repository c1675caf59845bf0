"""Formats that can be read. A new one is a file here and a line below."""

from __future__ import annotations

from typing import Final

from annotator.errors import Invalid
from annotator.intake.formats import (
    bigbench_mistake,
    math_shepherd,
    mr_gsm8k,
    native,
    prm800k,
    prmbench,
    processbench,
    rlhflow,
    scores,
    trl,
)
from annotator.intake.formats.reader import Reader

# In the order in which they are asked whether they recognise a row: those with names of their own first.
_READERS: Final = (
    scores.READER,
    prm800k.READER,
    prmbench.READER,
    mr_gsm8k.READER,
    bigbench_mistake.READER,
    math_shepherd.READER,
    rlhflow.READER,
    processbench.READER,
    trl.READER,
    native.READER,
)
FORMATS: Final[dict[str, Reader]] = {reader.name: reader for reader in _READERS}


def reader_of(name: str) -> Reader:
    """The reader of this name. Raises Invalid that lists what is known."""
    if name not in FORMATS:
        raise Invalid("format", f"{name!r} is not known; known are {', '.join(sorted(FORMATS))}")
    return FORMATS[name]


__all__ = ["FORMATS", "Reader", "reader_of"]
