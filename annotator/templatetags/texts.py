"""How the texts of problems and steps are shown: every character, none of them markup."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Final

from django import template
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

from reasoning.characters import escape as escape_unstorable

register = template.Library()

FOLD_AFTER: Final = 20
"""Lines that a folded text keeps; the stylesheet's `.folded` says the same."""
_FOLD_SLACK: Final = 4  # hiding three lines behind a line of its own would save nothing
_LINE_LENGTH: Final = 75

_CODE_MARK: Final = re.compile(
    r"^(?: {4,}|\t)\S|^\s*(?:def |class |import |from \w+ import |return\b|for .*:$|while .*:$|if .*:$|elif |else:|\}$)"
)
_CODE_LINE: Final = re.compile(
    r"[{};:\\]$|^\s*(?:#|//|\"\"\"|@\w)|^\s*[\w.\[\], ]+ ?[-+*/|&%]?= ?\S|^\s*[\w.]+\(.*\)$|" + _CODE_MARK.pattern
)
_MATHS: Final = re.compile(r"\$[^$]+\$|\\[(\[]|\\frac")


@register.filter
def exact(text: str) -> SafeString:
    """The text for an HTML element. Carriage returns survive the parser only as references; what UTF-8 cannot carry
    (a lone surrogate) or HTML cannot hold (NUL) is shown as it is stored."""
    return mark_safe(conditional_escape(escape_unstorable(text)).replace("\r", "&#13;"))  # noqa: S308 (escaped here)


@register.filter
def hidden_lines(text: str) -> int:
    """Lines, as wrapped at the measure, that folding hides; 0 where the text is short enough to stand whole."""
    if len(text) < FOLD_AFTER:
        return 0
    lines = sum(max(1, math.ceil(len(line) / _LINE_LENGTH)) for line in text.split("\n"))
    return lines - FOLD_AFTER if lines > FOLD_AFTER + _FOLD_SLACK else 0


def looks_like_code(texts: Iterable[str]) -> bool:
    """Are these steps lines of a program? Then they keep monospace: their indentation means something."""
    lines = [line for text in texts for line in text.splitlines() if line.strip()]
    if not lines or any(_MATHS.search(line) for line in lines):
        return False
    like = sum(bool(_CODE_LINE.search(line)) for line in lines)
    wordy = sum(len(line.split()) > 25 for line in lines)
    return any(_CODE_MARK.search(line) for line in lines) and like >= 0.5 * len(lines) and wordy <= 0.2 * len(lines)
