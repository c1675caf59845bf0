"""Every shape of scores that vLLM and its kin reply with: read as one meaning, or refused in words."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasoning.errors import MalformedReply
from reasoning.llm import Prices, ScoreRequest
from reasoning.llm.pooling import read_scores


def scores(data, steps):
    return read_scores({"data": data}, ScoreRequest("x" * 30, steps), Prices()).scores


def steps_scored(*rows):
    return scores([{"index": 0, "object": "pooling", "data": [*rows]}], len(rows))


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([[0.1, 0.9], [0.75, 0.25]], (0.9, 0.25)),
        ([[0.9], [0.25]], (0.9, 0.25)),
        ([0.9, 0.25], (0.9, 0.25)),
        ([0, 1], (0.0, 1.0)),
        ([[0.2, 0.3, 0.5], [1, 0, 0]], (0.5, 0.0)),
        ([[0.10002, 0.90001], [0.5, 0.5]], (0.90001, 0.5)),
    ],
)
def test_probabilities_are_taken_as_they_are(rows, expected):
    assert steps_scored(*rows) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([0.0, 3.0], (0.5, 1 / (1 + math.exp(-3)))),
        ([[0.4], [-0.1]], (1 / (1 + math.exp(-0.4)), 1 / (1 + math.exp(0.1)))),
        ([[0.0, 0.0], [-1.0, 1.0]], (0.5, 1 / (1 + math.exp(-2)))),
        ([[0.5, 0.5], [3.0, 3.0]], (0.5, 0.5)),
        ([1000.0, -1000.0], (1.0, 0.0)),
        ([[-1e308, 1e308], [1e308, -1e308]], (1.0, 0.0)),
    ],
)
def test_one_number_that_is_no_probability_makes_logits_of_all(rows, expected):
    assert steps_scored(*rows) == pytest.approx(expected)


@given(st.lists(st.floats(-50, 50).filter(lambda x: abs(x) > 1), min_size=1, max_size=6))
def test_logits_keep_their_order_and_stay_in_the_unit_interval(logits):
    found = steps_scored(*logits)
    assert all(0 <= score <= 1 for score in found)
    assert sorted(range(len(logits)), key=logits.__getitem__) == sorted(
        range(len(logits)), key=lambda i: (found[i], logits[i])
    )


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (None, "no scores"),
        ([], "no scores"),
        ({"data": [0.5, 0.5]}, "no scores"),
        ([{"data": None}], "no scores"),
        ([{"data": [0.5]}], "2 steps were sent, 1 scores came back"),
        ([{"data": [0.5] * 9}], "9 scores came back: one for each token?"),
        ([{"data": [[0.5, 0.5]] * 9}], "one for each token?"),
        ([{"data": [0.5, 0.5]}, {"data": [0.5, 0.5]}], "one text was sent, scores of 2 came back"),
        ([{"data": [[0.1, 0.9], [0.3]]}], "not all of the same classes"),
        ([{"data": [[[0.1, 0.9]], [[0.2, 0.8]]]}], "not a number"),
        ([{"data": [[], []]}], "not a number"),
        ([{"data": [0.5, math.nan]}], "not a number: nan"),
        ([{"data": [0.5, math.inf]}], "not a number: inf"),
        ([{"data": [0.5, 10**400]}], "not a number: 1000"),
        ([{"data": ["0.5", "0.5"]}], "not a number"),
        ([{"data": [True, False]}], "not a number"),
        ([{"data": [None, 0.5]}], "not a number"),
        ([{"data": "AACAPw=="}], "base64"),
        ([{"index": 0, "label": "LABEL_1", "probs": [0.1, 0.9], "num_classes": 2}], "whole texts, not steps"),
        ([{"index": 0, "object": "score", "score": 0.9}], "whole texts, not steps"),
    ],
)
def test_anything_else_is_refused_in_words(data, words):
    with pytest.raises(MalformedReply) as caught:
        scores(data, 2)
    assert words in caught.value.detail
