"""Parameters survive JSON and refuse nonsense."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from reasoning.errors import InvalidInput
from reasoning.first_error import DEFAULTS, Confusion, Parameters


def test_parameters_survive_json() -> None:
    p = replace(
        DEFAULTS,
        noise=0.3,
        solve_rate=(1.5, 2.5),
        judge=Confusion(0.5, 0.1, 0.1, 0.2),
        judges={("model", "prompt"): Confusion(0.7, 0.1, 0.1, 0.1), ("model", "other"): Confusion()},
        raters={"r1": Confusion(0.9, 0.02, 0.05, 0.02)},
    )
    assert Parameters.from_json(json.loads(json.dumps(p.to_json()))) == p


def test_absent_fields_take_their_defaults() -> None:
    assert Parameters.from_json({"noise": 0.3}) == replace(DEFAULTS, noise=0.3)


@pytest.mark.parametrize(
    "plain",
    [
        {"nois": 0.3},
        {"noise": "much"},
        {"noise": -1},
        {"noise": float("nan")},
        {"solve_rate": [1.0]},
        {"solve_rate": [1.0, 0.0]},
        {"false_negative": 0.0},
        {"judge": {"hits": 0.5}},
        {"judges": [{"model": "m"}]},
        {"raters": [{"rater": "r", "hit": 0.9, "near": 0.2, "miss": 0.0}]},
    ],
)
def test_json_that_is_none_is_refused(plain: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        Parameters.from_json(plain)


def test_a_confusion_holds_no_more_than_certainty() -> None:
    with pytest.raises(InvalidInput, match="hit \\+ near \\+ miss"):
        Confusion(hit=0.8, near=0.3, miss=0.1)
