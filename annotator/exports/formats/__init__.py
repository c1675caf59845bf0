"""Formats that can be written. A new one is a file here and a line below."""

from __future__ import annotations

from typing import Final

from annotator.errors import Invalid
from annotator.exports.formats import native, preference, processbench, trl
from annotator.exports.formats.writer import Labels, Writer

FORMATS: Final[dict[str, Writer]] = {
    writer.name: writer
    for writer in (native.WRITER, trl.WRITER, processbench.WRITER, preference.PREFERENCE, preference.STEP_DPO)
}


def writer_of(name: str) -> Writer:
    """The writer of this name. Raises Invalid that lists what is known."""
    if name not in FORMATS:
        raise Invalid("format", f"{name!r} is not known; known are {', '.join(sorted(FORMATS))}")
    return FORMATS[name]


__all__ = ["FORMATS", "Labels", "Writer", "writer_of"]
