"""Answers that hold several: lists, sets, tuples, intervals and their unions, matrices, ± pairs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_OPENING: Final = "([{⦃"
_CLOSING: Final = ")]}⦄"
_EMPTY: Final = frozenset({"\\emptyset", "\\varnothing", "∅"})
_MATRIX: Final = re.compile(
    r"(?P<factor>[^&,]*?)\s*(?:\\cdot\s*)?(?P<open>[(\[]\s*)?"
    r"\\begin\{(?P<kind>[pbB]?matrix|array)\}(?:\{[^{}]*\})?(?P<rows>.*)\\end\{(?P=kind)\}(?(open)\s*[)\]])"
    r"(?P<turned>\s*\^\s*(?:T|\{\s*T\s*\}|\{?\s*\\top\s*\}?))?"
)
_AND: Final = re.compile(r"\s*,?\s+(?:and|or)\s+|\s*;\s*")
_PLUS_MINUS: Final = re.compile(r"\\pm(?![a-zA-Z])")
_THOUSANDS: Final = re.compile(r"(?<![\d,])\d{1,3}(?:,\d{3})+(?![\d,])")
_ITEM: Final = re.compile(r"[\d\\+*/^=-]|^\s*[a-zA-Z]\s*$")


@dataclass(frozen=True, slots=True)
class Collection:
    """`kind`: bare (commas only), set, tuple, list, interval (with its two brackets), union, matrix (rows)."""

    kind: str
    items: tuple[str, ...] = ()
    brackets: str = ""
    rows: tuple[tuple[str, ...], ...] = ()


def read(text: str) -> Collection | None:
    """The parts of an answer that holds several, or None for a single one."""
    text = text.replace("\\lbrace", "⦃").replace("\\rbrace", "⦄").strip()
    matrix = _MATRIX.fullmatch(text)
    if matrix:
        factor = {"": "", "-": "-1"}.get(matrix["factor"], matrix["factor"])
        rows = [row.split("&") for row in matrix["rows"].split("\\\\")]
        if matrix["turned"] and len({len(row) for row in rows}) == 1:
            rows = [list(column) for column in zip(*rows, strict=True)]
        return _matrix([[f"({factor})*({cell})" for cell in row] for row in rows if any(row)] if factor else rows)
    if text in _EMPTY:
        return Collection("set")
    parts = [part.strip() for part in re.split(r"\\cup(?![a-zA-Z])", text)]
    if len(parts) > 1:
        return Collection("union", tuple(parts))
    if len(_PLUS_MINUS.findall(text)) == 1 and "," not in text:
        return Collection("bare", (_PLUS_MINUS.sub("+", text), _PLUS_MINUS.sub("-", text)))
    if text and text[0] in _OPENING and _closes_at_end(text):
        return _bracketed(text)
    items = split_commas(_AND.sub(", ", text))
    if len(items) > 1 and all(_ITEM.search(item) for item in items):
        expanded = [sign for item in items for sign in _signs(item)]
        return Collection("bare", tuple(expanded))
    return None


def _signs(item: str) -> tuple[str, ...]:
    if len(_PLUS_MINUS.findall(item)) == 1:
        return _PLUS_MINUS.sub("+", item), _PLUS_MINUS.sub("-", item)
    return (item,)


def _matrix(rows: Iterable[list[str]]) -> Collection | None:
    cells = tuple(tuple(cell.strip() for cell in row) for row in rows)
    cells = cells[:-1] if cells and cells[-1] == ("",) else cells
    if len({len(row) for row in cells}) != 1:
        return None
    return Collection("matrix", rows=cells)


def _bracketed(text: str) -> Collection | None:
    inside = text[1:-1].strip()
    brackets = text[0] + text[-1]
    items = tuple(split_commas(inside, bracketed=True))
    if brackets in ("⦃⦄", "{}"):
        return Collection("set", items if inside else ())
    if len(items) < 2:
        return None
    if brackets == "[]" and all(item.startswith("[") and item.endswith("]") for item in items):
        return _matrix(split_commas(item[1:-1], bracketed=True) for item in items)
    if len(items) == 2 and (brackets in ("[)", "(]", "[]") or "\\infty" in inside):
        return Collection("interval", items, brackets)
    if brackets in ("()", "[]"):
        return Collection("tuple" if brackets == "()" else "list", items, brackets)
    return None


def _closes_at_end(text: str) -> bool:
    """Does the first bracket close with the last character? Brackets of intervals need not match in kind."""
    depth = 0
    for place, char in enumerate(text):
        depth += (char in _OPENING) - (char in _CLOSING)
        if depth == 0:
            return place == len(text) - 1
    return False


def split_commas(text: str, *, bracketed: bool = False) -> list[str]:
    """The parts between commas that stand in no bracket. In `1,234, 5,678` the commas without a space belong to the
    numbers; so does a comma that stands alone in `1,234`, unless the text was `bracketed`."""
    grouped = re.search(r",\s", text) is not None or (not bracketed and "," not in _THOUSANDS.sub("", text))
    parts, depth, start = [], 0, 0
    for place, char in enumerate(text):
        depth += (char in _OPENING) - (char in _CLOSING)
        if char == "," and depth == 0 and not (grouped and re.match(r",\d{3}(?!\d)", text[place : place + 5])):
            parts.append(text[start:place].strip())
            start = place + 1
    return [*parts, text[start:].strip()]
