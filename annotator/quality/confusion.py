"""Where do machines go wrong, by what people say?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from annotator.models import Project
from annotator.quality.comparisons import Compared, compared, judged
from annotator.quality.figures import Chart, Figure, count, percent, ratio

FARTHEST: Final = 6
"""Offsets beyond so many steps are drawn together."""
OUTCOMES: Final = ("same step", "earlier", "later", "no error")


def outcome(pair: Compared) -> str:
    """What the machine said of a solution in which people found an error."""
    if pair.machine == pair.people:
        return "same step"
    if pair.machine < 0:
        return "no error"
    return "earlier" if pair.machine < pair.people else "later"


def summary(pairs: Sequence[Compared]) -> dict[str, Any]:
    """Counts and ProcessBench's F1: the harmonic mean of the two accuracies below; None where one has no solution."""
    wrong = Counter(outcome(pair) for pair in pairs if pair.people >= 0)
    right = Counter("no error" if pair.machine < 0 else "an error" for pair in pairs if pair.people < 0)
    accuracy_wrong = ratio(wrong["same step"], wrong.total())
    accuracy_right = ratio(right["no error"], right.total())
    both = None if accuracy_wrong is None or accuracy_right is None else accuracy_wrong + accuracy_right
    f1 = (
        None
        if both is None or accuracy_wrong is None or accuracy_right is None
        else (2 * accuracy_wrong * accuracy_right / both if both else 0.0)
    )
    return {
        "solutions": len(pairs),
        "people_error": {"total": wrong.total(), **{name: wrong[name] for name in OUTCOMES}},
        "people_no_error": {"total": right.total(), "no error": right["no error"], "an error": right["an error"]},
        "accuracy_wrong": accuracy_wrong,
        "accuracy_right": accuracy_right,
        "agreement": ratio(wrong["same step"] + right["no error"], len(pairs)),
        "f1": f1,
    }


def offsets(pairs: Sequence[Compared]) -> Counter[int]:
    """machine − people in steps, where both found an error; beyond FARTHEST counts as FARTHEST."""
    both = [pair.machine - pair.people for pair in pairs if pair.people >= 0 and pair.machine >= 0]
    return Counter(max(-FARTHEST, min(FARTHEST, offset)) for offset in both)


def _answer(total: dict[str, Any], audits: dict[str, Any]) -> str:
    if not total["solutions"]:
        return "Nothing to compare yet: no solution was both looked at by a machine and labelled by people."
    said = (
        f"The machines' belief named what people settled on in {percent(total['agreement'])} "
        f"of {count(total['solutions'], 'solution')}"
    )
    if audits["solutions"]:
        return f"{said}; in {percent(audits['agreement'])} of the {audits['solutions']:,} drawn at random for audit."
    return f"{said}. None of them was drawn at random: the queue holds what machines find hard."


def _rows(name: str, one: dict[str, Any]) -> list[list[Any]]:
    wrong, right = one["people_error"], one["people_no_error"]
    return [
        [name, "an error", wrong["total"], *(wrong[key] for key in OUTCOMES), percent(one["accuracy_wrong"])],
        [
            name,
            "no error",
            right["total"],
            "",
            right["an error"],
            "",
            right["no error"],
            percent(one["accuracy_right"]),
        ],
    ]


def _chart(pairs: Sequence[Compared]) -> Chart | None:
    found = offsets(pairs)
    if not found:
        return None
    span = list(range(-FARTHEST, FARTHEST + 1))
    return {
        "x": span,
        "x_label": "the machine's step − people's step",
        "y_label": "solutions",
        "series": [{"label": "solutions", "kind": "bars", "values": [found[offset] for offset in span]}],
    }


def figure(project: Project) -> Figure:
    pairs = compared(project)
    belief = summary(pairs)
    audits = summary([pair for pair in pairs if pair.audit])
    judges = {model: summary(found) for model, found in sorted(judged(project).items())}
    machines = {"belief": belief, "belief, audits only": audits, **{f"judge {model}": s for model, s in judges.items()}}
    return {
        "question": "Where do machines go wrong?",
        "answer": _answer(belief, audits),
        "values": {"belief": belief, "audits": audits, "judges": judges},
        "table": {
            "columns": ["machine", "people say", "solutions", *(f"machine: {name}" for name in OUTCOMES), "right"],
            "rows": [row for name, one in machines.items() if one["solutions"] for row in _rows(name, one)],
        },
        "chart": _chart(pairs),
    }
