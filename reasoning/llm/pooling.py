"""Reading a PRM's scores out of vLLM's pooling reply (https://docs.vllm.ai, "Pooling Models", `/pooling`)."""

from __future__ import annotations

import math
from typing import Any

from reasoning.characters import shorten
from reasoning.errors import MalformedReply
from reasoning.llm.protocol import guess_tokens, is_number, model_of, plausible
from reasoning.llm.values import Prices, ScoreReply, ScoreRequest
from reasoning.types import Usage

Row = tuple[float, ...]


def read_scores(value: dict[str, Any], request: ScoreRequest, prices: Prices) -> ScoreReply:
    """One probability of "right" a step: `data[0].data` holds a number, or a row of classes, for each.

    Of a row the last class is "right" (Qwen2.5-Math-PRM: [bad, good]). Numbers that are not all of them probabilities
    are logits, all of them: one reply has one scale. Raises `MalformedReply` for all else.
    """
    rows = [_row(row) for row in _data(value)]
    if len(rows) != request.steps:
        hint = ": one for each token?" if len(rows) > request.steps else ""
        raise MalformedReply(f"{request.steps} steps were sent, {len(rows)} scores came back{hint}")
    if len({len(row) for row in rows}) > 1:
        raise MalformedReply(shorten(f"the scores are not all of the same classes: {rows}"))
    scores = tuple(_probability(row) for row in rows)
    if not all(map(_is_probability, rows)):
        scores = tuple(map(_of_logits, rows))
    match value.get("usage"):
        case {"prompt_tokens": int(prompt)} if prompt and plausible(prompt):
            pass
        case _:
            prompt = guess_tokens(request.text)
    return ScoreReply(scores, model_of(value), Usage(prompt, 0, prices.cost(prompt, 0)))


def _data(value: dict[str, Any]) -> list[Any]:
    match value.get("data"):
        case [{"data": list(rows)}]:
            return rows
        case [{"probs": _}] | [{"score": _}]:
            raise MalformedReply("the endpoint scores whole texts, not steps: a PRM's pooling of step ends is wanted")
        case [{"data": str()}]:
            raise MalformedReply("the scores came as base64, not as numbers")
        case [_, _, *_] as several:
            raise MalformedReply(f"one text was sent, scores of {len(several)} came back")
    raise MalformedReply(shorten(f"the reply holds no scores: {value}"))


def _row(row: Any) -> Row:
    values = row if isinstance(row, list) else [row]
    if not values or not all(map(is_number, values)):
        raise MalformedReply(shorten(f"a score is not a number: {row}"))
    return tuple(values)


def _is_probability(row: Row) -> bool:
    return all(0 <= v <= 1 for v in row) and (len(row) == 1 or abs(sum(row) - 1) < 0.01)


def _probability(row: Row) -> float:
    return float(row[-1])


def _of_logits(row: Row) -> float:
    """The softmax's last; of a single logit its logistic, which is the softmax beside a logit of 0."""
    logits = row if len(row) > 1 else (0.0, *row)
    top = max(logits)
    weights = [math.exp(v - top) for v in logits]
    return weights[-1] / sum(weights)
