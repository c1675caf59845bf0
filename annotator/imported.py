"""Labels that come along with data: settled as the file has them, source *imported*."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from annotator import labels
from annotator.errors import Invalid
from annotator.labels import Conclusion
from annotator.models import Intake, Settlement, Solution, Source
from reasoning.types import NO_ERROR


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file says of a solution: its first error (−1 none), its steps' labels, or both."""

    solution: Solution
    first_error: int | None = None
    step_labels: Sequence[int | None] | None = None
    finish_reason: str = ""


def settle_imported(
    solution: Solution, first_error: int | None, step_labels: Sequence[int | None] | None, intake: Intake | None
) -> Settlement:
    """One row of `settle_imports`."""
    return settle_imports([Imported(solution, first_error, step_labels)], intake)[0]


def settle_imports(rows: Sequence[Imported], intake: Intake | None) -> list[Settlement]:
    """Settle new solutions as their file has them, source *imported*; six queries however many.

    Labels after the first error are kept where the file has them. Raises Invalid where first error and step labels
    contradict each other, or neither says anything.
    """
    return labels.conclude([_imported(row, intake) for row in rows])


def _imported(row: Imported, intake: Intake | None) -> Conclusion:
    steps = row.solution.step_count
    if row.first_error is not None and not NO_ERROR <= row.first_error < steps:
        raise Invalid("first_error", f"must be -1 or a step's index below {steps}, not {row.first_error}")
    if row.step_labels is None:
        if row.first_error is None:
            raise Invalid("first_error", "neither it nor step_labels says anything")
        return _conclusion(row, row.first_error, labels.values_before(row.first_error, steps), intake)
    if len(row.step_labels) != steps:
        raise Invalid("step_labels", f"{len(row.step_labels)} labels for {steps} steps")
    values = {index: value for index, value in enumerate(row.step_labels) if value is not None}
    if not values and row.first_error is None:
        raise Invalid("step_labels", "no step is labelled")
    said = first_error_of(row.step_labels)
    if row.first_error is not None:
        if said not in (None, row.first_error) or _contradicts(values, row.first_error):
            raise Invalid("step_labels", f"they do not say that the first error is {row.first_error}")
        # Steps that the file leaves unrated stay so, but the first error itself is told.
        values |= {} if row.first_error == NO_ERROR else {row.first_error: -1}
        said = row.first_error
    return _conclusion(row, said, values, intake)


def _conclusion(row: Imported, first_error: int | None, values: Mapping[int, int], intake: Intake | None) -> Conclusion:
    return Conclusion(
        row.solution, Source.IMPORTED, first_error, values, intake=intake, finish_reason=row.finish_reason
    )


def first_error_of(step_labels: Sequence[int | None]) -> int | None:
    """Index of the first −1, NO_ERROR where all are labelled and none is −1, None where a gap leaves it open."""
    for index, value in enumerate(step_labels):
        if value is None:
            return None
        if value == -1:
            return index
    return NO_ERROR


def _contradicts(values: Mapping[int, int], first_error: int) -> bool:
    earlier = (value for index, value in values.items() if first_error == NO_ERROR or index < first_error)
    return -1 in earlier or (first_error != NO_ERROR and values.get(first_error, -1) != -1)
