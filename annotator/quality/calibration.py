"""When machines say that they are certain, are they right?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from annotator.models import Certificate, Project
from annotator.quality.comparisons import Compared, compared
from annotator.quality.figures import Chart, Figure, count, percent, ratio

BINS: Final = 10
SMALLEST: Final = 10
"""Solutions a bin, at least: fewer would draw noise."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Solutions of neighbouring certainty."""

    solutions: int
    certainty: float
    """Mean max P(first error)."""
    right: int
    low: float
    high: float
    """Wilson interval of `right / solutions`, 95%."""

    @property
    def share(self) -> float:
        return self.right / self.solutions


def wilson(right: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """Score interval of a share, 95% by default. E. Wilson, JASA 22 (1927). `total` must be positive."""
    share = right / total
    middle = (share + z**2 / (2 * total)) / (1 + z**2 / total)
    half = z / (1 + z**2 / total) * math.sqrt(share * (1 - share) / total + z**2 / (4 * total**2))
    return max(middle - half, 0.0), min(middle + half, 1.0)


def bins(pairs: Sequence[Compared]) -> list[Bin]:
    """Up to BINS bins of equal mass, least certain first."""
    ordered = sorted(pairs, key=lambda pair: pair.certainty)
    number = max(1, min(BINS, len(ordered) // SMALLEST))
    edges = [round(i * len(ordered) / number) for i in range(number + 1)]
    found = []
    for begin, end in pairwise(edges):
        inside = ordered[begin:end]
        if inside:
            right = sum(pair.machine == pair.people for pair in inside)
            mean = sum(pair.certainty for pair in inside) / len(inside)
            found.append(Bin(len(inside), mean, right, *wilson(right, len(inside))))
    return found


def calibration_error(found: Sequence[Bin]) -> float | None:
    """Mean |certainty − share right| over bins, weighted by their mass (ECE)."""
    total = sum(one.solutions for one in found)
    return ratio(sum(one.solutions * abs(one.certainty - one.share) for one in found), total)


def above(pairs: Sequence[Compared], threshold: float) -> dict[str, Any]:
    """What the project's threshold would have accepted, and how much of that people contradicted."""
    accepted = [pair for pair in pairs if pair.certainty >= threshold]
    wrong = sum(pair.machine != pair.people for pair in accepted)
    interval = wilson(wrong, len(accepted)) if accepted else (None, None)
    return {
        "solutions": len(pairs),
        "accepted": len(accepted),
        "wrong": wrong,
        "share_accepted": ratio(len(accepted), len(pairs)),
        "error": ratio(wrong, len(accepted)),
        "error_low": interval[0],
        "error_high": interval[1],
    }


def _answer(project: Project, accepted: dict[str, Any], certified: bool) -> str:
    if not accepted["solutions"]:
        return "Nothing to compare yet: no solution was both looked at by a machine and labelled by people."
    promise = (
        "a certificate is in force" if certified else "no certificate is in force, so machine labels are provisional"
    )
    if not accepted["accepted"]:
        compared_with = count(accepted["solutions"], "solution")
        return f"None of {compared_with} reached the threshold of {project.threshold:g}; {promise}."
    return (
        f"At the threshold of {project.threshold:g} machines were wrong on {accepted['wrong']} of "
        f"{count(accepted['accepted'], 'solution')} ({percent(accepted['error'])}, 95% interval "
        f"{percent(accepted['error_low'])} to {percent(accepted['error_high'])}); {promise}."
    )


def _chart(found: Sequence[Bin]) -> Chart | None:
    if not found:
        return None
    return {
        "x": [one.certainty for one in found],
        "x_label": "how certain the machines were",
        "y_label": "share that people agreed with",
        "y_range": (0.0, 1.0),
        "diagonal": True,
        "series": [
            {
                "label": "agreed",
                "values": [one.share for one in found],
                "low": [one.low for one in found],
                "high": [one.high for one in found],
            }
        ],
    }


def figure(project: Project) -> Figure:
    pairs = compared(project)
    audits = [pair for pair in pairs if pair.audit]
    found = bins(pairs)
    accepted = above(pairs, project.threshold)
    certificate = Certificate.objects.filter(project=project, withdrawn_at=None).first()
    return {
        "question": "When machines say that they are certain, are they right?",
        "answer": _answer(project, accepted, certificate is not None),
        "values": {
            "threshold": project.threshold,
            "all": accepted,
            "audits": above(audits, project.threshold),
            "calibration_error": calibration_error(found),
            "bins": [
                {"solutions": b.solutions, "certainty": b.certainty, "right": b.right, "low": b.low, "high": b.high}
                for b in found
            ],
        },
        "table": {
            "columns": ["mean certainty", "solutions", "people agree", "share", "95% interval"],
            "rows": [
                [f"{b.certainty:.3f}", b.solutions, b.right, percent(b.share), f"{percent(b.low)} to {percent(b.high)}"]
                for b in found
            ],
        },
        "chart": _chart(found),
    }
