"""What every reader of a format hands over: rows as the file has them, or the reason why one is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

EXCERPT: Final = 200
"""Code points of a refused row that are shown."""


class RowRefused(Exception):
    """One row is not taken. `field` is the path of the field in the row, such as `steps[3]`."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.field = field
        self.reason = reason


class Unreadable(Exception):
    """The file as a whole cannot be read; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """One solution as a file has it. Text is not yet escaped; indices count from 0."""

    problem: str
    steps: Sequence[str] | None = None
    """Given steps; where `solution` is given too, they lie in it in this order with white space between."""
    solution: str | None = None
    answer: object = None
    """The reference answer as the file has it: a number, a text, a whole worked solution, or no answer at all."""
    reference_solution: str | None = None
    own_answer: str | None = None
    own_verdict: bool | None = None
    """Is the solution's own final answer right, where the file says so?"""
    source: str = ""
    source_id: str | None = None
    generator: str = ""
    first_error: int | None = None
    """−1 none, None unknown."""
    step_labels: Sequence[int | None] | None = None
    finish_reason: str = ""
    annotators: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    evidence: Mapping[str, Any] = field(default_factory=dict)
    meta: Mapping[str, Any] = field(default_factory=dict)
    kept: Mapping[str, Any] = field(default_factory=dict)
    """What the project does not use but a native export gives back."""


@dataclass(frozen=True, slots=True)
class ScoresRow:
    """What one PRM gave the steps of a solution that is here already. Text is not yet escaped but the model's name.

    It is told by `source_id` (and `source`, where there is one), else by `code`, else by `problem`, `answer` and
    `steps`.
    """

    source_id: str | None
    source: str
    code: str | None
    problem: str
    steps: Sequence[str]
    answer: object
    model: str
    """Empty where the file leaves it to the intake's options."""
    parameters: str
    field: str
    """What the file calls the scores."""
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Found:
    """One JSON value of a file, and the line (or row) it stands on, from 1."""

    line: int
    value: Any


@dataclass(frozen=True, slots=True)
class Broken:
    """A place of a file that yields no row, and why."""

    line: int
    field: str
    reason: str
    excerpt: str = ""


@dataclass(frozen=True, slots=True)
class Placed:
    """A row and the line it came from."""

    line: int
    row: Row
    excerpt: str


@dataclass(frozen=True, slots=True)
class PlacedScores:
    """Scores and the line they came from."""

    line: int
    row: ScoresRow
    excerpt: str


Item = Placed | PlacedScores | Broken
