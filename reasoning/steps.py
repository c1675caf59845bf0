"""A text into steps and back, byte for byte.

Every splitter returns steps in order that never overlap; `step.text == text[step.start:step.end]`, and what lies
between them is white space only. No splitter cuts inside a fenced code block, display maths (`$$…$$`, `\\[…\\]`) or
`\\begin{…}…\\end{…}`. All run in time linear in the text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Final

from reasoning.errors import InvalidInput
from reasoning.types import Step

SEPARATOR: Final = "\n\n"
"""What given steps are joined with."""

# A form feed is white space too, but in this field it is mostly what is left of a `\frac`: it stays in its step.
_TRIMMED: Final = " \t\r\n\u00a0\u2002\u2003\u2009\u3000"
_NEWLINE: Final = re.compile(r"\r\n|\n|\r")
_BLANK_LINES: Final = re.compile(r"(?:\r\n|\n|\r)(?:[ \t\u00a0]*(?:\r\n|\n|\r))+")
_STEP_MARK: Final = re.compile(
    r"(?:^|(?<=[\r\n]))[ \t]*(?:\#{1,6}[ \t]*)?(?:(?:\*\*|__)[ \t]*)?"
    r"(?:step[ \t]{0,4}\d{1,4}\b(?:[ \t]*[:.)\]]|[ \t]*\*\*|[ \t]*$|[ \t]*[-–—(])|第[ \t]?[\d一二三四五六七八九十]{1,4}[ \t]?步|步骤[ \t]?\d{1,4})",  # noqa: E501
    re.IGNORECASE | re.MULTILINE,
)
_NUMBERED: Final = re.compile(r"(?:^|(?<=[\r\n]))[ \t]{0,3}(?:\*\*)?(\d{1,4})[.)](?=[ \t*])")
_SENTENCE_END: Final = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’)\]»*]*+(?=\s)|[。！？]+[”’」』）\"]*")
_ABBREVIATION: Final = re.compile(
    r"(?:^|[\s(\[])(?:mr|mrs|ms|dr|prof|st|vs|etc|fig|eq|no|approx|resp|cf|e\.g|i\.e|w\.l\.o\.g|[a-z])\.$",
    re.IGNORECASE,
)
_LIST_NUMBER: Final = re.compile(r"(?:^|[\r\n])[ \t]*(?:\*\*)?\d{1,4}[.)]$")
_FENCE: Final = re.compile(r"(?:^|(?<=[\r\n]))[ ]{0,3}(`{3,}|~{3,})([^\r\n]*)")
_MATHS: Final = re.compile(r"\\\\|\\(begin|end)\{[^{}\r\n]{1,40}\}|(\$\$)|(\\\[)|(\\\])")


def split(text: str, splitter: str = "auto") -> tuple[Step, ...]:
    """The steps of a text. An empty or blank text has none.

    `splitter` is a key of `SPLITTERS`, or "auto", which takes the first that finds at least two steps: "Step N:" marks,
    blank lines, a numbered list, lines, sentences. Raises InvalidInput for any other name.
    """
    if splitter == "auto":
        return _auto(text)
    if splitter not in SPLITTERS:
        raise InvalidInput(f"splitter: {splitter!r} is none of auto, {', '.join(SPLITTERS)}")
    return _steps(text, SPLITTERS[splitter](text), _protected(text))


def join(steps: Sequence[str]) -> tuple[str, tuple[Step, ...]]:
    """Given steps as one text, a blank line between them, and where each lies. Empty and repeated steps are kept."""
    placed: list[Step] = []
    start = 0
    for index, step in enumerate(steps):
        placed.append(Step(index=index, text=step, start=start, end=start + len(step)))
        start += len(step) + len(SEPARATOR)
    return SEPARATOR.join(steps), tuple(placed)


def _auto(text: str) -> tuple[Step, ...]:
    protected = _protected(text)
    found: tuple[Step, ...] = ()
    for cuts in SPLITTERS.values():
        found = _steps(text, cuts(text), protected)
        if len(found) > 1:
            break
    return found


def _steps(text: str, cuts: Iterable[int], protected: list[tuple[int, int]]) -> tuple[Step, ...]:
    """The pieces between the cuts that are allowed, trimmed, without the blank ones."""
    starts = [start for start, _ in protected]
    allowed = [0]
    for cut in cuts:
        span = bisect_right(starts, cut) - 1
        if span < 0 or cut >= protected[span][1] or cut == protected[span][0]:
            allowed.append(cut)
    allowed.append(len(text))
    steps: list[Step] = []
    for begin, end in pairwise(allowed):
        piece = text[begin:end]
        if not piece or piece.isspace():
            continue
        body = piece.strip(_TRIMMED)
        start = begin + len(piece) - len(piece.lstrip(_TRIMMED))
        steps.append(Step(index=len(steps), text=body, start=start, end=start + len(body)))
    return tuple(steps)


def _step_marks(text: str) -> list[int]:
    return [match.start() for match in _STEP_MARK.finditer(text)]


def _blank_lines(text: str) -> list[int]:
    return [match.end() for match in _BLANK_LINES.finditer(text)]


def _lines(text: str) -> list[int]:
    return [match.end() for match in _NEWLINE.finditer(text)]


def _numbered(text: str) -> list[int]:
    """Items that count on from 0 or 1 by one; a number out of turn is the text of an item, not an item."""
    cuts: list[int] = []
    expected: set[int] = {0, 1}
    for match in _NUMBERED.finditer(text):
        number = int(match[1])
        if number in expected:
            cuts.append(match.start())
            expected = {number + 1}
    return cuts


def _sentences(text: str) -> list[int]:
    cuts: list[int] = []
    for match in _SENTENCE_END.finditer(text):
        before = text[max(0, match.start() - 12) : match.start() + 1]
        if match[0] == "." and (_ABBREVIATION.search(before) or _LIST_NUMBER.search(before)):
            continue
        cuts.append(match.end())
    return cuts


SPLITTERS: Final[dict[str, Callable[[str], list[int]]]] = {
    "step_marks": _step_marks,
    "blank_lines": _blank_lines,
    "numbered": _numbered,
    "lines": _lines,
    "sentences": _sentences,
}
"""Offsets at which each splitter would cut, in order; "auto" tries them in this order."""


def _protected(text: str) -> list[tuple[int, int]]:
    """Disjoint spans, in order, inside which nothing may be cut. A fence left open runs to the end; other marks left
    open protect nothing."""
    fences = _fences(text)
    spans = list(fences)
    edges = [0, *(edge for fence in fences for edge in fence), len(text)]
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        spans += _maths(text, start, end)
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _fences(text: str) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    opened: tuple[int, str] | None = None
    for match in _FENCE.finditer(text):
        mark, rest = match[1], match[2]
        if opened is None:
            if "`" not in rest:
                opened = (match.start(), mark)
        elif mark[0] == opened[1][0] and len(mark) >= len(opened[1]) and not rest.strip():
            spans.append((opened[0], match.end()))
            opened = None
    if opened is not None:
        spans.append((opened[0], len(text)))
    return spans


def _maths(text: str, start: int, end: int) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    environments: list[int] = []
    dollars = bracket = -1
    for match in _MATHS.finditer(text, start, end):
        if match[1] == "begin":
            environments.append(match.start())
        elif match[1] == "end" and environments:
            spans.append((environments.pop(), match.end()))
        elif match[2] and dollars < 0:
            dollars = match.start()
        elif match[2]:
            spans.append((dollars, match.end()))
            dollars = -1
        elif match[3] and bracket < 0:
            bracket = match.start()
        elif match[4] and bracket >= 0:
            spans.append((bracket, match.end()))
            bracket = -1
    return spans
