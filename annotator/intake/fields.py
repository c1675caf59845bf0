"""Typed access to the fields of a JSON row. Each function names the field in the refusal that it raises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from annotator.intake.rows import RowRefused

type_names = {str: "text", int: "a number", float: "a number", bool: "true or false", list: "a list", dict: "an object"}


def kind(value: object) -> str:
    """What a JSON value is, in words for a refusal."""
    return "null" if value is None else type_names.get(type(value), type(value).__name__)


def obj(value: object, field: str = "") -> Mapping[str, Any]:
    """An object."""
    if not isinstance(value, dict):
        raise RowRefused(field, f"must be an object, is {kind(value)}")
    return value


def text(row: Mapping[str, Any], field: str) -> str:
    """A text that must be there; it may not be blank."""
    if field not in row:
        raise RowRefused(field, "is missing")
    value = row[field]
    if not isinstance(value, str):
        raise RowRefused(field, f"must be text, is {kind(value)}")
    if not value.strip():
        raise RowRefused(field, "is blank")
    return value


def optional_text(row: Mapping[str, Any], field: str) -> str | None:
    """A text, or None where it is absent or null."""
    value = row.get(field)
    if value is None or isinstance(value, str):
        return value
    raise RowRefused(field, f"must be text, is {kind(value)}")


def optional_id(row: Mapping[str, Any], field: str) -> str | None:
    """An id: text or a whole number; None where it is absent, null or blank."""
    value = row.get(field)
    if isinstance(value, bool) or not isinstance(value, str | int | None):
        raise RowRefused(field, f"must be text or a whole number, is {kind(value)}")
    return None if value is None or not str(value).strip() else str(value)


def texts(row: Mapping[str, Any], field: str) -> list[str]:
    """A list of at least one text. Blank ones are kept: they are steps too."""
    value = row.get(field)
    if not isinstance(value, list):
        raise RowRefused(field, "is missing" if field not in row else f"must be a list of texts, is {kind(value)}")
    if not value:
        raise RowRefused(field, "is an empty list")
    for index, item in enumerate(value):
        if not isinstance(item, str):
            raise RowRefused(f"{field}[{index}]", f"must be text, is {kind(item)}")
    return value


def optional_flag(row: Mapping[str, Any], field: str) -> bool | None:
    """True, false, or None where it is absent or null."""
    value = row.get(field)
    if value is None or isinstance(value, bool):
        return value
    raise RowRefused(field, f"must be true or false, is {kind(value)}")


def whole(value: object, field: str) -> int:
    """A whole number, also one written as 3.0 or "3". Never true or false."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            raise RowRefused(field, f"must be a whole number, is {value[:40]!r}") from None
    raise RowRefused(field, f"must be a whole number, is {kind(value)}")


def first_error(value: object, field: str, steps: int | None, *, base: int = 0) -> int | None:
    """Where the first error is, counted from 0: −1 none, None (from null) unknown.

    `base` is what the format calls the first step; −1 is none in every base. `steps` None leaves the upper end to a
    later check, once the text has been split.
    """
    if value is None:
        return None
    number = whole(value, field)
    if number == -1:
        return -1
    index = number - base
    if index < 0 or (steps is not None and index >= steps):
        raise RowRefused(field, f"is {number}, but the solution has {steps} steps" if index >= 0 else f"is {number}")
    return index


def step_labels(value: object, field: str, steps: int | None = None) -> list[int | None] | None:
    """One of −1, 0, 1 or null a step, or None where the field is null."""
    if value is None:
        return None
    if not isinstance(value, list):
        raise RowRefused(field, f"must be a list, is {kind(value)}")
    if steps is not None and len(value) != steps:
        raise RowRefused(field, f"has {len(value)} entries for {steps} steps")
    labels: list[int | None] = []
    for index, item in enumerate(value):
        label = None if item is None else whole(item, f"{field}[{index}]")
        if label not in (-1, 0, 1, None):
            raise RowRefused(f"{field}[{index}]", f"must be -1, 0, 1 or null, is {label}")
        labels.append(label)
    return labels


def implied_first_error(labels: list[int | None] | None) -> int | None:
    """The first error that step labels prove: None where an unlabelled step may hold it."""
    if labels is None:
        return None
    for index, label in enumerate(labels):
        if label is None:
            return None
        if label == -1:
            return index
    return -1
