"""What the simulator knows: problems with solutions whose first error is known, found again by their text alone.

White space does not count when texts are compared: it does not matter how a program joins steps or wraps a statement.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any

from reasoning import answers
from reasoning.errors import InvalidInput
from reasoning.types import NO_ERROR


def compact(text: str) -> str:
    """The text without white space, and with what UTF-8 cannot carry replaced as the client replaces it."""
    if not text.isascii():
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return "".join(text.split())


@dataclass(frozen=True, slots=True)
class KnownSolution:
    """`ends[i]` is the length of the compact text of the first i + 1 steps."""

    steps: tuple[str, ...]
    first_error: int
    """K where no step is wrong."""
    text: str
    ends: tuple[int, ...]

    @classmethod
    def of(cls, steps: Sequence[str], first_error: int) -> KnownSolution:
        pieces = [compact(step) for step in steps]
        wrong = len(steps) if first_error == NO_ERROR else first_error
        return cls(tuple(steps), wrong, "".join(pieces), tuple(accumulate(len(piece) for piece in pieces)))

    @property
    def error_at(self) -> int:
        """Where in the compact text the first wrong step begins; its whole length where there is none."""
        return self.ends[self.first_error - 1] if self.first_error else 0

    def prefix(self, length: int) -> int:
        """How many of its steps stand in the first `length` characters of its compact text, a begun one counted."""
        return min(bisect_left(self.ends, length) + 1, len(self.ends)) if length else 0

    def error_in(self, steps: Sequence[str]) -> int:
        """The first error counted in another splitting of the same text; `len(steps)` where there is none."""
        ends = list(accumulate(len(compact(step)) for step in steps))
        if tuple(ends) == self.ends:
            return self.first_error
        if self.first_error >= len(self.steps):
            return len(steps)
        return next((i for i, end in enumerate(ends) if end > self.error_at), len(steps))


@dataclass(slots=True)
class KnownProblem:
    """A statement, its reference answer where one is known, and what solutions of it are known."""

    key: str
    answer: str | None
    solutions: list[KnownSolution] = field(default_factory=list)

    def whole(self, steps: Sequence[str]) -> KnownSolution | None:
        """The known solution of exactly these words."""
        text = compact("".join(steps))
        return next((s for s in self.solutions if s.text == text), None)

    def begun(self, prefix: str) -> tuple[KnownSolution, int] | None:
        """A known solution that begins with `prefix`, and how many steps of it that is."""
        text = compact(prefix)
        found = [s for s in self.solutions if s.text.startswith(text)]
        if not found:
            return None
        clean = next((s for s in found if not text or len(text) in s.ends), found[0])
        return clean, clean.prefix(len(text))


class Truth:
    """All that is known, by statement."""

    def __init__(self) -> None:
        self._problems: dict[str, KnownProblem] = {}

    def __len__(self) -> int:
        return len(self._problems)

    def problem(self, statement: str) -> KnownProblem | None:
        return self._problems.get(compact(statement))

    def learn(self, rows: Iterable[Mapping[str, Any]]) -> int:
        """Take in native rows; those without steps or a known first error teach nothing. Returns how many did."""
        learnt = 0
        for row in rows:
            statement, steps, first_error = row.get("problem"), row.get("steps"), row.get("first_error")
            if not isinstance(statement, str) or not isinstance(steps, list) or not steps:
                continue
            if not isinstance(first_error, int) or not NO_ERROR <= first_error < len(steps):
                continue
            self._add(statement, _answer(row), [str(step) for step in steps], first_error)
            learnt += 1
        return learnt

    def _add(self, statement: str, answer: str | None, steps: list[str], first_error: int) -> None:
        key = compact(statement)
        problem = self._problems.setdefault(key, KnownProblem(key, answer))
        problem.answer = problem.answer if problem.answer is not None else answer
        solution = KnownSolution.of(steps, first_error)
        if all(known.text != solution.text for known in problem.solutions):
            problem.solutions.append(solution)


def _answer(row: Mapping[str, Any]) -> str | None:
    meta = row.get("meta")
    worked = meta.get("reference_solution") if isinstance(meta, Mapping) else None
    return answers.reference(row.get("answer"), worked if isinstance(worked, str) else None)


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSON Lines file. Raises `InvalidInput` with the line where one is no JSON object."""
    rows = []
    with path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                raise InvalidInput(f"{path}, line {number}: {error}") from error
            if not isinstance(row, dict):
                raise InvalidInput(f"{path}, line {number}: not a JSON object")
            rows.append(row)
    return rows
