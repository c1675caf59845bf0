from __future__ import annotations

import math

import pytest

from reasoning.simulator import draws, replies


@pytest.mark.parametrize("draw", [1e-6, 0.5, 1.0 - 1e-12])
def test_the_rivals_of_a_token_that_is_all_but_certain_have_a_chance(
    monkeypatch: pytest.MonkeyPatch, draw: float
) -> None:
    monkeypatch.setattr(draws, "uniform", lambda *parts: draw)
    [token] = replies.logprobs("four", 3)["content"]
    chances = [math.exp(each["logprob"]) for each in token["top_logprobs"]]
    assert len(chances) == 3
    assert 0 < sum(chances) <= 1
