"""Runs a search against a model, by `first_error.run`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from reasoning.first_error.session import Record, Roll
from reasoning.search.search import Search
from reasoning.search.values import Selected


class Keep(Protocol):
    async def __call__(self, selected: Selected) -> None:
        """Store a selection and the solution that came of it."""


async def run(
    search: Search,
    *,
    roll: Roll,
    record: Record,
    keep: Keep,
    in_flight: int = 64,
    stop: Callable[[], bool] = lambda: False,
) -> int:
    """As `first_error.run`; returns how many rollouts were recorded.

    `keep` is called once for each selection, one at a time and in order, before `roll` or `record` sees its solution.
    The search learns of a rollout only after `record` has stored it.
    """
    raise NotImplementedError
