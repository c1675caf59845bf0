"""The few numbers that the belief about a first error rests on.

They describe a policy (how often it solves a problem, how often it recovers from a wrong step, how much prefixes
differ), the shown answer's two error rates, and every judge's and every rater's habits. `DEFAULTS` were not fitted to
anything in particular; `fit` replaces them from a project's own evidence.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from reasoning.errors import InvalidInput

JudgeKey = tuple[str, str]
"""A judge is a model and a prompt: (Judgement.model, Judgement.prompt)."""


def _require(name: str, value: float, low: float, high: float) -> None:
    if not (math.isfinite(value) and low <= value <= high):
        raise InvalidInput(f"{name} must be between {low} and {high}, not {value}")


@dataclass(frozen=True, slots=True)
class Confusion:
    """What a judge or a rater says, given the truth. What is left of 1 after hit, near and miss is a uniform step."""

    hit: float = 0.6
    """P(names the first error | there is one)."""
    near: float = 0.2
    """P(names a step next to it | there is one), half on either side."""
    miss: float = 0.15
    """P(says none | there is one)."""
    false_alarm: float = 0.15
    """P(names some step, uniformly | there is none)."""

    def __post_init__(self) -> None:
        for name in ("hit", "near", "miss", "false_alarm"):
            _require(f"confusion.{name}", getattr(self, name), 0.0, 1.0)
        _require("confusion.hit + near + miss", self.hit + self.near + self.miss, 0.0, 1.0 + 1e-9)


@dataclass(frozen=True, slots=True)
class Parameters:
    """Everything that `posterior` and `Planner` assume. Rates are fractions; see docs/decisions for the formulas."""

    solve_rate: tuple[float, float] = (2.0, 1.5)
    """Beta(a, b) prior of the problem's solve rate s."""
    recovery: float = 0.12
    """Mean m of the recovery rate r ~ Beta(1, 1/m − 1)."""
    noise: float = 0.7
    """Standard deviation of a prefix's own logit-normal noise."""
    fade: float = 0.9
    """Factor on the recovery for each further step after the first error."""
    hazard_scale: float = 1.0
    """A step stays right with chance (1 − hazard_floor) · s^(hazard_scale / K)."""
    hazard_floor: float = 0.0
    """Hazard per step that has nothing to do with the solve rate."""
    first_step: float = 1.0
    """Exponent on the first step's chance of staying right: it often only restates the problem, and is below 1 then."""
    false_positive: float = 0.05
    """P(shown answer graded right | the chain is wrong and its answer is wrong)."""
    false_negative: float = 0.005
    """P(shown answer graded wrong | the chain is right). Never 0."""
    score_tilt: float = 0.5
    """Weight of a PRM's logit on a step's log-odds of being the first wrong one."""
    vote_temper: float = 0.3
    """k votes of one model, whatever its prompts, weigh as 1 + (k − 1) · vote_temper independent ones."""
    judge: Confusion = Confusion()
    """Of a judge that is not in `judges`."""
    judges: Mapping[JudgeKey, Confusion] = field(default_factory=dict)
    rater: Confusion = Confusion(hit=0.82, near=0.06, miss=0.09, false_alarm=0.06)
    """Of a rater who is not in `raters`."""
    raters: Mapping[str, Confusion] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, low, high in _DOMAINS:
            _require(name, getattr(self, name), low, high)
        for value in self.solve_rate:
            _require("solve_rate", value, 0.01, 1000.0)

    def to_json(self) -> dict[str, Any]:
        """A JSON object that `from_json` reads back to an equal value."""
        plain: dict[str, Any] = {name: getattr(self, name) for name, _, _ in _DOMAINS}
        plain["solve_rate"] = list(self.solve_rate)
        plain["judge"], plain["rater"] = asdict(self.judge), asdict(self.rater)
        plain["judges"] = [
            {"model": model, "prompt": prompt, **asdict(confusion)}
            for (model, prompt), confusion in sorted(self.judges.items())
        ]
        plain["raters"] = [{"rater": rater, **asdict(confusion)} for rater, confusion in sorted(self.raters.items())]
        return plain

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Parameters:
        """Absent fields take their defaults, so that parameters stored by an older version still read.

        Raises InvalidInput for a field that is unknown, of the wrong shape or out of its domain.
        """
        known = {name for name, _, _ in _DOMAINS} | {"solve_rate", "judge", "judges", "rater", "raters"}
        if unknown := sorted(set(plain) - known):
            raise InvalidInput(f"unknown parameters: {', '.join(unknown)}")
        try:
            values: dict[str, Any] = {name: float(plain[name]) for name, _, _ in _DOMAINS if name in plain}
            if "solve_rate" in plain:
                a, b = plain["solve_rate"]
                values["solve_rate"] = (float(a), float(b))
            for name in ("judge", "rater"):
                if name in plain:
                    values[name] = Confusion(**plain[name])
            values["judges"] = {
                (row["model"], row["prompt"]): _confusion(row, "model", "prompt") for row in plain.get("judges", ())
            }
            values["raters"] = {row["rater"]: _confusion(row, "rater") for row in plain.get("raters", ())}
        except (KeyError, TypeError, ValueError) as problem:
            raise InvalidInput(f"parameters: {problem}") from problem
        return cls(**values)


_DOMAINS: Final = (
    ("recovery", 1e-4, 0.9),
    ("noise", 0.0, 5.0),
    ("fade", 0.0, 1.0),
    ("hazard_scale", 0.0, 20.0),
    ("hazard_floor", 0.0, 0.99),
    ("first_step", 0.01, 20.0),
    ("false_positive", 0.0, 0.999),
    ("false_negative", 1e-9, 0.999),
    ("score_tilt", 0.0, 5.0),
    ("vote_temper", 0.0, 1.0),
)


def _confusion(row: Mapping[str, Any], *keys: str) -> Confusion:
    return Confusion(**{name: value for name, value in row.items() if name not in keys})


DEFAULTS: Final = Parameters()
