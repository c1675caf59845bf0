"""How far do annotators agree with one another?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from annotator.models import ImportedAnnotation, Project, Solution
from annotator.quality.figures import Figure, count, percent
from annotator.quality.readings import readings
from reasoning.agreement import interval_alpha, nominal_alpha, observed


def summary(units: Sequence[tuple[int, Sequence[int]]]) -> dict[str, Any]:
    """Agreement over (step count, first errors) of solutions; "none" is taken as one beyond the last step."""
    kept = [[index if index >= 0 else steps for index in said] for steps, said in units if len(said) >= 2]
    lengths = [steps for steps, said in units if len(said) >= 2]
    fine = [[int(i < index) for index in said] for steps, said in zip(lengths, kept, strict=True) for i in range(steps)]
    pairs = observed(kept)
    return {
        "solutions": pairs.units,
        "pairs": pairs.pairs,
        "same": pairs.share_same,
        "near": pairs.share_near,
        "unanimous": pairs.unanimous,
        "alpha_nominal": nominal_alpha(kept),
        "alpha_interval": interval_alpha(kept),
        "alpha_step_fine": nominal_alpha(fine),
    }


def here(project: Project) -> list[tuple[int, list[int]]]:
    """(step count, first errors) of solutions that people read here; adjudications see the others' work and are out."""
    units: dict[int, tuple[int, list[int]]] = {}
    for one in readings(project):
        if one.first_error is not None and one.purpose != "adjudication":
            units.setdefault(one.solution, (one.steps, []))[1].append(one.first_error)
    return list(units.values())


def imported(project: Project) -> list[tuple[int, list[int]]]:
    """The same of annotations that came along in files."""
    live = Solution.objects.live().filter(project=project)
    rows = ImportedAnnotation.objects.filter(solution__in=live).order_by("pk")
    units: dict[int, tuple[int, list[int]]] = defaultdict(lambda: (0, []))
    for solution, steps, first_error in rows.values_list("solution", "step_count", "first_error"):
        if first_error is not None:
            units[solution] = (steps, [*units[solution][1], first_error])
    return list(units.values())


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _answer(one: dict[str, Any], brought: dict[str, Any]) -> str:
    if one["solutions"]:
        return (
            f"Two people who read the same solution name the same first error in {percent(one['same'])} of "
            f"{count(one['pairs'], 'pair')}, within one step in {percent(one['near'])}; "
            f"α is {_number(one['alpha_nominal'])}."
        )
    if brought["solutions"]:
        return (
            f"Nobody here has read the same solution yet; annotators of imported files name the same first error in "
            f"{percent(brought['same'])} of {count(brought['pairs'], 'pair')}."
        )
    return "No solution has been read by two people yet. Raise the overlap in the settings to measure agreement."


def figure(project: Project) -> Figure:
    sides = {"people here": summary(here(project)), "imported annotators": summary(imported(project))}
    return {
        "question": "How far do annotators agree?",
        "answer": _answer(*sides.values()),
        "values": {"here": sides["people here"], "imported": sides["imported annotators"]},
        "table": {
            "columns": [
                "who",
                "solutions",
                "pairs",
                "same step",
                "within one",
                "unanimous",
                "α",
                "α of “step still fine”",
            ],
            "rows": [
                [
                    name,
                    one["solutions"],
                    one["pairs"],
                    percent(one["same"]),
                    percent(one["near"]),
                    one["unanimous"],
                    _number(one["alpha_nominal"]),
                    _number(one["alpha_step_fine"]),
                ]
                for name, one in sides.items()
                if one["solutions"]
            ],
        },
        "chart": None,
    }
