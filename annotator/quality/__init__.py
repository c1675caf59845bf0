"""Read-only figures, one file a question. Each module has `figure(project)`; every figure is JSON as it stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from annotator.models import Project
from annotator.quality import agreement, calibration, confusion, cost, habits, people, positions, progress
from annotator.quality.figures import Figure

FIGURES: Final[Mapping[str, Callable[[Project], Figure]]] = {
    "progress": progress.figure,
    "confusion": confusion.figure,
    "calibration": calibration.figure,
    "habits": habits.figure,
    "positions": positions.figure,
    "agreement": agreement.figure,
    "cost": cost.figure,
    "people": people.figure,
}
"""In the order of the page."""


def everything(project: Project) -> dict[str, Any]:
    """Every figure by name."""
    return cast(dict[str, Any], {name: figure(project) for name, figure in FIGURES.items()})
