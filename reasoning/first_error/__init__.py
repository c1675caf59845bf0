"""The heart: where is the first wrong step, how sure is that, and which rollout would tell most."""

from reasoning.first_error.costs import Prices
from reasoning.first_error.decision import f1_labels
from reasoning.first_error.lossless import Lossless
from reasoning.first_error.model import DEFAULTS, Confusion, JudgeKey, Parameters
from reasoning.first_error.planner import DEFAULT_PRICE, Chain, Planner, Request
from reasoning.first_error.posterior import posterior, posteriors
from reasoning.first_error.session import run
from reasoning.first_error.stand_in import Votes, stand_in_posteriors

__all__ = [
    "DEFAULTS",
    "DEFAULT_PRICE",
    "Chain",
    "Confusion",
    "JudgeKey",
    "Lossless",
    "Parameters",
    "Planner",
    "Prices",
    "Request",
    "Votes",
    "f1_labels",
    "posterior",
    "posteriors",
    "run",
    "stand_in_posteriors",
]
