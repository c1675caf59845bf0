"""Numbers, times and shares in words."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django import template
from django.utils import timezone

register = template.Library()

SPANS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


@register.filter
def thousands(number: float | None) -> str:
    """1234567 as "1,234,567"; nothing for None."""
    return "" if number is None else f"{number:,}" if isinstance(number, int) else f"{number:,.2f}"


@register.filter
def whole(number: float) -> str:
    """1234.5 as "1,234": rates and the like, whose fractions say nothing."""
    return f"{number:,.0f}"


@register.filter
def cell(value: Any) -> Any:
    """One cell of a table of numbers and words: whole numbers in thousands, everything else as it is."""
    return thousands(value) if isinstance(value, int) else value


@register.filter
def span(seconds: float | None) -> str:
    """So many seconds in the two largest units that matter: "2 h 5 min", "40 s"; nothing for None."""
    if seconds is None:
        return ""
    words: list[str] = []
    left = round(max(seconds, 0))
    for size, unit in SPANS:
        if left >= size and len(words) < 2:
            words.append(f"{left // size} {unit}")
            left %= size
        elif words:
            break
    return " ".join(words) or "0 s"


@register.filter
def ago(moment: datetime) -> str:
    """ "just now", "5 min ago", "3 d ago"; the day itself where it is a month ago or more."""
    seconds = (timezone.now() - moment).total_seconds()
    if seconds < 45:
        return "just now"
    for size, unit in SPANS[:3]:
        if seconds >= size:
            return f"{moment:%Y-%m-%d}" if unit == "d" and seconds >= 30 * size else f"{seconds // size:.0f} {unit} ago"
    return "1 min ago"


@register.inclusion_tag("annotator/_components/how_far.html")
def how_far(settled: int, machine: int, waiting: int, total: int, legend: bool = True) -> dict[str, Any]:
    """Labelled by people, labelled by machines, waiting for people, of so many solutions; `legend` says so in words."""
    words = f"{settled:,} labelled, {machine:,} by machines, {waiting:,} waiting for people, of {total:,}"
    parts = {"settled": settled, "machine": machine, "waiting": waiting, "total": total}
    return {**parts, "words": words, "legend": legend}
