"""The tree-search benchmark runs each of its arms and says what it says of all of them."""

from __future__ import annotations

import pytest

from benchmarks.search import ARMS, row
from reasoning.search import SearchConfig


@pytest.mark.parametrize("arm", ARMS)
def test_every_arm_finds_first_errors_and_tells_what_they_cost(arm: str) -> None:
    found = row("never recovers", arm, 2, 1, SearchConfig(selections=2))
    assert found.looked_into > 0
    assert 0 < found.wrong_steps <= found.looked_into
    assert found.each_wrong_step == pytest.approx(found.rollouts / found.wrong_steps)
    low, high = found.exact_interval
    assert 0.0 <= low <= found.exact <= high <= 1.0
