"""The values that everything else in this library takes and returns.

Indices count from 0. `NO_ERROR` (−1) says that no step is wrong; *unknown* is the absence of a value (`None`), never a
number. A prefix of `i` steps holds steps 0 … i−1, so `i` runs from 0 (the bare problem) to K (the whole solution).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal

NO_ERROR: Final = -1
"""First error of a solution in which no step is wrong."""


class Verdict(StrEnum):
    """The grade of one final answer: of a rollout or of the solution itself."""

    RIGHT = "right"
    WRONG = "wrong"
    UNKNOWN = "unknown"
    """It could not be graded. No evidence either way, never counted as wrong."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A statement, with its reference answer where one is known."""

    statement: str
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One unit of a solution; `text == solution.text[start:end]`, offsets in code points."""

    index: int
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Solution:
    """One chain of K steps for a problem."""

    problem: Problem
    text: str
    steps: tuple[Step, ...]

    def prefix(self, length: int) -> str:
        """The text up to the end of the first `length` steps, byte for byte."""
        return self.text[: self.steps[length - 1].end] if length else ""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a call cost. Money in the endpoint's currency, 0 where no price is known."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.cost + other.cost,
        )

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one LLM judge said of a solution's steps. A judge that failed leaves none."""

    first_error: int
    """Index of the first step it calls wrong, or NO_ERROR."""
    verdicts: tuple[Literal[-1, 0, 1] | None, ...]
    """Per step; None where the judge said nothing of it."""
    reason: str
    model: str
    """The model name that the endpoint replied with."""
    prompt: str
    """Short hash of the prompt's text, so that judgements of different prompts are never pooled."""
    sample: int = 0
    usage: Usage = Usage()


@dataclass(frozen=True, slots=True)
class Rollout:
    """One continuation sampled from a prefix, with its grade by one version of the grader."""

    prefix: int
    sample: int
    text: str
    answer: str | None
    verdict: Verdict
    rule: str
    """The equivalence rule that decided."""
    model: str
    seed: int | None
    finish_reason: str
    usage: Usage = Usage()


@dataclass(frozen=True, slots=True)
class Count:
    """Graded rollouts of one prefix: `successes` of `graded` were right. Ungradable ones are in neither."""

    successes: int
    graded: int


@dataclass(frozen=True, slots=True)
class PersonRating:
    """Where one rater says the first error is, from an annotation that was made blind or not."""

    rater: str
    first_error: int
    through: int
    """Number of leading steps this rater actually rated; beyond it they said nothing."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything known about one solution of `steps` steps."""

    steps: int
    own_answer: Verdict = Verdict.UNKNOWN
    counts: Mapping[int, Count] = field(default_factory=dict)
    """Keyed by prefix length 0 … K."""
    judgements: tuple[Judgement, ...] = ()
    scores: tuple[float, ...] | None = None
    """One PRM's probability that each step is right, length K."""
    people: tuple[PersonRating, ...] = ()


@dataclass(frozen=True, slots=True)
class Posterior:
    """P(first error = i) for i in 0 … K−1, then P(none): length K + 1, sums to 1."""

    probabilities: tuple[float, ...]

    @property
    def first_error(self) -> int:
        """The most probable first error, or NO_ERROR; the earlier one of equals."""
        best = max(range(len(self.probabilities)), key=self.probabilities.__getitem__)
        return NO_ERROR if best == len(self.probabilities) - 1 else best

    @property
    def certainty(self) -> float:
        """max P: how much probability the most probable first error has."""
        return max(self.probabilities)

    @property
    def p_correct(self) -> tuple[float, ...]:
        """Per step: P(first error lies beyond it, or none). Length K, never rising."""
        tail, out = 1.0, []
        for p in self.probabilities[:-1]:
            tail -= p
            out.append(max(tail, 0.0))
        return tuple(out)
