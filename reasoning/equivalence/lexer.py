"""Cut an expression into tokens: numbers, words, LaTeX commands, marks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from reasoning.equivalence.tree import Unreadable

_LARGEST_EXPONENT: Final = 10_000
_TOKEN: Final = re.compile(
    r"(?P<repeating>\d*\.\d*\\overline\s*\{\s*\d+\s*\})|(?P<number>(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+)"
    r"|\\(?P<command>[a-zA-Z]+)|(?P<word>[a-zA-Z]+|[^\W\d_])|(?P<mark>\*\*|[-+*/^_(){}\[\]|!°',])"
)


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str
    spaced: bool


def tokens(text: str) -> list[Token]:
    found: list[Token] = []
    position, text = 0, text.rstrip()
    while position < len(text):
        spaces = len(text) - position - len(text[position:].lstrip())
        position += spaces
        match = _TOKEN.match(text, position)
        if match is None:
            raise Unreadable(text[position])
        kind = str(match.lastgroup)
        found.append(Token(kind, match[kind], spaces > 0))
        position = match.end()
    return found


def number(text: str) -> Fraction:
    """A decimal literal, with thousands separators or an exponent. Raises Unreadable where it is out of size."""
    mantissa, _, exponent = text.replace(",", "").lower().partition("e")
    if len(exponent) > 5 or abs(int(exponent or 0)) > _LARGEST_EXPONENT:
        raise Unreadable("exponent")
    return Fraction(mantissa) * Fraction(10) ** int(exponent or 0)


def repeating(text: str) -> Fraction:
    """0.1\\overline{6} → 1/6."""
    whole, rest = text.split(".")
    plain, _, tail = rest.partition("\\overline")
    cycle = tail.strip(" {}")
    scale = 10 ** len(plain)
    return Fraction(int(whole + plain or "0"), scale) + Fraction(int(cycle), scale * (10 ** len(cycle) - 1))


class Cursor:
    """Eats tokens from the left."""

    def __init__(self, read: list[Token]) -> None:
        self._tokens = read
        self._at = 0

    @property
    def left(self) -> list[Token]:
        return self._tokens[self._at :]

    def _peek(self) -> str:
        """The next token as it is matched: a mark, `\\command`, or the word; empty at the end."""
        if self._at >= len(self._tokens):
            return ""
        token = self._tokens[self._at]
        return "\\" + token.text if token.kind == "command" else token.text

    def _take(self) -> Token:
        if self._at >= len(self._tokens):
            raise Unreadable("ends too early")
        self._at += 1
        return self._tokens[self._at - 1]

    def _expect(self, text: str) -> None:
        if self._peek() != text:
            raise Unreadable(f"{text} expected")
        self._at += 1
