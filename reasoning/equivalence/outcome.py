"""What a comparison of two answers says, and which rule said so."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Relation(StrEnum):
    EQUAL = "equal"
    UNEQUAL = "unequal"
    UNKNOWN = "unknown"
    """It cannot be decided from the two texts alone. Never a guess."""


@dataclass(frozen=True, slots=True)
class Equivalence:
    """Are two answers the same? `rule` names what decided, or why nothing could."""

    verdict: Relation
    rule: str

    @property
    def is_known(self) -> bool:
        return self.verdict is not Relation.UNKNOWN


class NeedsChild(Exception):
    """Only the child process can tell; raised by the leaf comparison of the parent."""


def all_of(outcomes: list[Equivalence], rule: str) -> Equivalence:
    """Parts compared in order: one that differs decides; one that is unknown leaves the whole unknown."""
    verdicts = [outcome.verdict for outcome in outcomes]
    if Relation.UNEQUAL in verdicts:
        return Equivalence(Relation.UNEQUAL, rule)
    unknown = Relation.UNKNOWN in verdicts
    return Equivalence(Relation.UNKNOWN if unknown else Relation.EQUAL, rule)
