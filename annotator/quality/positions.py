"""At which step do solutions first go wrong?"""

from __future__ import annotations

from collections import Counter
from statistics import median
from typing import Any, Final

from django.db.models import Count

from annotator.models import Project, Settlement, Solution
from annotator.quality.figures import Figure, count, percent
from annotator.quality.progress import HANDS, TONES

LAST: Final = 30
"""Later first errors are drawn together with this one."""


def positions(project: Project) -> dict[str, Counter[int]]:
    """Settled first errors (0-based, −1 none) by hand."""
    hands = {source: hand for hand, sources in HANDS.items() for source in sources}
    live = Solution.objects.live().filter(project=project)
    current = Settlement.objects.filter(solution__in=live, superseded_at=None).exclude(first_error=None)
    found: dict[str, Counter[int]] = {hand: Counter() for hand in HANDS}
    for source, first_error, number in current.values_list("source", "first_error").annotate(Count("pk")):
        found[hands[source]][first_error] += number
    return found


def _answer(together: Counter[int]) -> str:
    total = together.total()
    if not total:
        return "No first error is settled yet."
    wrong = sorted(index for index in together.elements() if index >= 0)
    said = f"{percent(together[-1] / total)} of {count(total, 'labelled solution')} hold no error"
    return f"{said}; in the others the first is at step {median(wrong) + 1:g} in the median." if wrong else f"{said}."


def _folded(found: Counter[int]) -> Counter[int]:
    folded: Counter[int] = Counter()
    for index, number in found.items():
        folded[min(index, LAST - 1)] += number
    return folded


def figure(project: Project) -> Figure:
    found = positions(project)
    together: Counter[int] = sum(found.values(), Counter())
    drawn = {hand: _folded(counts) for hand, counts in found.items() if counts}
    last = max((index for counts in drawn.values() for index in counts), default=-1)
    steps = range(last + 1)
    rows: list[list[Any]] = [
        ["no error" if index < 0 else index + 1, *(found[hand][index] for hand in HANDS)] for index in sorted(together)
    ]
    return {
        "question": "At which step do solutions first go wrong?",
        "answer": _answer(together),
        "values": {hand: {str(index): counts[index] for index in sorted(counts)} for hand, counts in found.items()},
        "table": {"columns": ["first error at step", *HANDS], "rows": rows},
        "chart": {
            "x": [index + 1 for index in steps],
            "x_label": f"step of the first error ({LAST}: that or later)"
            if last == LAST - 1
            else "step of the first error",
            "y_label": "solutions",
            "series": [
                {
                    "label": hand,
                    "tone": TONES[hand],
                    "kind": "bars" if len(drawn) == 1 else "line",
                    "values": [counts[index] for index in steps],
                }
                for hand, counts in drawn.items()
            ],
        }
        if last >= 0
        else None,
    }
