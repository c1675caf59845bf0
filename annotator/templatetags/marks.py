"""How ratings and probabilities are drawn. Geometry goes into SVG attributes: the policy forbids style attributes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django import template

register = template.Library()

RATING_NAMES: Final = {"-1": "bad", "0": "neutral", "1": "good", "unsure": "unsure"}
"""From what the rows hold to the one word that pages say."""

WORDS: Final = {
    "bad": "bad",
    "neutral": "neutral",
    "good": "good",
    "unsure": "unsure",
    "unrated": "not rated",
    "not-asked": "not asked",
    "after": "after the first error",
}


def rating_name(rating: object) -> str:
    """One of WORDS' keys for a rating as a row (`"-1"`), a number (−1) or already by name; unknown text is unrated."""
    text = str(rating)
    return RATING_NAMES.get(text, text if text in WORDS else "unrated")


@register.filter
def rating_class(rating: object) -> str:
    return f"is-{rating_name(rating)}"


@register.filter
def rating_word(rating: object) -> str:
    return WORDS[rating_name(rating)]


def _percent(value: float) -> str:
    return f"{100 * min(max(value, 0.0), 1.0):.1f}"


@register.inclusion_tag("annotator/_components/probability.html")
def probability(
    value: float, low: float | None = None, high: float | None = None, number: str = "", tone: str = ""
) -> dict[str, Any]:
    """A probability 0..1 as a thin bar; `number` replaces the percentage ("7/8"), `tone` is a rating's name."""
    band = None
    words = f"{value:.3f}"
    if low is not None and high is not None:
        band = {"x": _percent(low), "width": _percent(high - low)}
        words = f"{value:.3f}, interval {low:.3f} to {high:.3f}"
    return {"width": _percent(value), "band": band, "number": number or f"{value:.0%}", "words": words, "tone": tone}


@register.inclusion_tag("annotator/_components/sparkline.html")
def sparkline(probabilities: Sequence[float]) -> dict[str, Any]:
    """P(first error = i) for every step, then P(none) (length K + 1), as bars; the largest is marked."""
    peak = max(range(len(probabilities)), key=probabilities.__getitem__, default=0)
    last = len(probabilities) - 1
    bars = [
        {
            "x": 4 * index,
            "width": 3,
            "height": f"{22 * value:.2f}",
            "y": f"{24 - 22 * value:.2f}",
            "peak": index == peak,
            "none": index == last,
        }
        for index, value in enumerate(probabilities)
        if value >= 0.005 or index == last
    ]
    words = "no belief yet"
    if probabilities:
        where = "no error" if peak == last else f"first error at step {peak + 1}"
        words = f"{where}: {probabilities[peak]:.0%}"
    return {"bars": bars, "span": 4 * max(len(probabilities), 1), "words": words}


@register.inclusion_tag("annotator/_components/shares.html")
def shares(words: str, total: float, *parts: float) -> dict[str, Any]:
    """Up to three parts of `total` on one line; `words` says the same."""
    drawn, x = [], 0.0
    for name, part in zip("abc", parts, strict=False):
        width = part / total if total else 0.0
        drawn.append({"name": name, "x": _percent(x), "width": _percent(width)})
        x += width
    return {"parts": drawn, "words": words}
