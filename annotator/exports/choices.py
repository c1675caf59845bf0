"""The named choices of an export: checked when it is asked for, written into its manifest, part of its identity."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Self

from annotator.errors import Invalid

MIN_SOURCES: Final = ("provisional", "machine", "imported", "human", "adjudicated", "gold")
"""From the weakest to the strongest."""
CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "min_source": MIN_SOURCES,
    "neutral": ("positive", "negative", "drop", "keep"),
    "after_error": ("drop", "negative", "mask", "keep"),
    "unrated": ("positive", "drop", "keep"),
    "unlabelled": ("drop", "keep"),
    "evidence": ("drop", "keep"),
    "container": ("jsonl", "parquet"),
}
_ORDER: Final = {"train": 0, "validation": 1, "test": 2}
_SPLIT_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,30}")


@dataclass(frozen=True, slots=True)
class Choices:
    """What goes out, and as what. Each format has its own defaults and says which values it can hold."""

    min_source: str = "machine"
    """The weakest source that goes out; provisional machine labels only where they are asked for."""
    neutral: str = "positive"
    """What a neutral step is: positive, negative, drop (its solution is left out), keep (0, where a format has it)."""
    after_error: str = "drop"
    """Steps after the first error: drop, negative, mask (no label), keep (the label they have)."""
    unrated: str = "positive"
    """Steps before the first error (or where there is none) that nobody rated: positive, drop (the solution), keep."""
    unlabelled: str = "drop"
    """Solutions without a settled first error."""
    evidence: str = "drop"
    """What machines and people said of each solution, beside its labels."""
    container: str = "jsonl"
    split: tuple[tuple[str, float], ...] = (("train", 1.0),)
    """Name and share of each part, in order. Parts are by problem, by hash."""

    @classmethod
    def parse(
        cls, given: Mapping[str, Any], defaults: Mapping[str, str], allowed: Mapping[str, tuple[str, ...]]
    ) -> Self:
        """Choices of one format; `allowed` narrows what it can hold. Raises Invalid that names the choice."""
        named = {name: value for name, value in given.items() if value is not None and value != ""}
        if "provisional" in named:
            _provisional(named)
        known = {field.name for field in fields(cls)}
        if set(named) - known:
            raise Invalid(min(set(named) - known), f"is not known; there are provisional, {', '.join(sorted(known))}")
        split = parse_split(named.pop("split", None))
        for name, value in named.items():
            possible = allowed.get(name, CHOICES[name])
            if value not in possible:
                hint = " in this format" if value in CHOICES[name] else ""
                raise Invalid(name, f"must be one of {', '.join(possible)}{hint}")
        return cls(**{**defaults, **named, "split": split})

    def as_json(self) -> dict[str, Any]:
        """What is stored and shown; `parse` takes it again."""
        return asdict(self) | {"split": dict(self.split)}

    def digest(self, version: int) -> str:
        """Identity of these choices under one version of the writer."""
        return hashlib.sha256(json.dumps([version, self.as_json(), self.split]).encode()).hexdigest()


def _provisional(named: dict[str, Any]) -> None:
    """`provisional=true` is `min_source=provisional` in other words."""
    flag = str(named.pop("provisional")).lower()
    if flag in ("true", "1", "yes", "on", "include"):
        if named.setdefault("min_source", "provisional") != "provisional":
            raise Invalid("provisional", f"contradicts min_source={named['min_source']}")
    elif flag not in ("false", "0", "no", "off", "leave_out"):
        raise Invalid("provisional", "must be true or false")


def parse_split(given: Any) -> tuple[tuple[str, float], ...]:
    """Parts from `{"train": 0.9, "test": 0.1}`, "train=0.9,test=0.1", or the share of "test" alone. Shares sum to 1.

    In one order, however they were named: train, validation, test, then the others by name.
    """
    if given is None or given in ("", "none", {}):
        return (("train", 1.0),)
    if isinstance(given, str) and "=" in given:
        given = dict(part.split("=", 1) for part in given.replace(";", ",").split(",") if "=" in part)
    if not isinstance(given, Mapping):
        share = _share("split", given)
        given = {"train": 1 - share, "test": share}
    parts = tuple((_name(name), _share(f"split.{name}", share)) for name, share in given.items())
    if not math.isclose(sum(share for _, share in parts), 1.0, abs_tol=1e-6):
        raise Invalid("split", f"shares must sum to 1, not {sum(share for _, share in parts):g}")
    return tuple(sorted(parts, key=lambda part: (_ORDER.get(part[0], len(_ORDER)), part[0])))


def _name(name: Any) -> str:
    text = str(name).strip()
    if not _SPLIT_NAME.fullmatch(text):
        raise Invalid("split", f"{text[:40]!r} is no name: lower-case letters, digits and _")
    return text


def _share(field: str, value: Any) -> float:
    try:
        share = float(value)
    except (TypeError, ValueError):
        raise Invalid(field, "must be a share from 0 to 1") from None
    if not 0 <= share <= 1 or isinstance(value, bool):
        raise Invalid(field, "must be a share from 0 to 1")
    return round(share, 9)
