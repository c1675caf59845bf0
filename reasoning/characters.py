"""Text of any origin, made fit for where it goes.

`escape` is for text that PostgreSQL cannot hold (NUL, lone surrogates), written so that it can, and read back exactly:
its mark is U+241B (SYMBOL FOR ESCAPE) followed by the code point in four hexadecimal digits. A text that holds none of
the three (NUL, lone surrogate, the mark itself) is unchanged. Offsets of steps always count the code points of the
unescaped text.
"""

from __future__ import annotations

import re
from typing import Final

MARK: Final = "\u241b"
_CANNOT_BE_HELD: Final = re.compile(f"[\x00\ud800-\udfff{MARK}]")
SHORT: Final = 500
_UNSHOWABLE: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_ESCAPED: Final = re.compile(f"{MARK}([0-9A-F]{{4}})")


def escape(text: str) -> str:
    """The text with every NUL, lone surrogate and escape mark replaced; `unescape` undoes it exactly."""
    return _CANNOT_BE_HELD.sub(lambda match: f"{MARK}{ord(match[0]):04X}", text)


def unescape(text: str) -> str:
    """What `escape` was given. A mark that is not followed by four hexadecimal digits stands for itself."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)


def shorten(text: str) -> str:
    """At most `SHORT` characters that can be shown and stored, white space collapsed: for messages that quote."""
    flat = _UNSHOWABLE.sub("\ufffd", " ".join(text.split()))
    return flat if len(flat) <= SHORT else flat[: SHORT - 1] + "…"
