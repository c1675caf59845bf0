"""Runs as their owners see them: what one would cost, start, pause, resume, cancel, how far it is, what failed.

Carrying one out is preannotation's; nothing here calls a model.
"""

from annotator.runs.control import (
    FailureGroup,
    Progress,
    ask_test,
    cancel,
    failures,
    failures_of,
    outcome,
    pause,
    progress,
    progress_of,
    resume,
    start,
)
from annotator.runs.estimate import Estimate, estimate
from annotator.runs.searches import DEFAULTS as SEARCH_DEFAULTS
from annotator.runs.searches import LIMITS as SEARCH_LIMITS
from annotator.runs.searches import Yield, made_by, preferences_of, unit_of, yielded, yielded_of
from annotator.runs.selection import endpoint_for, nothing, selected

__all__ = [
    "SEARCH_DEFAULTS",
    "SEARCH_LIMITS",
    "Estimate",
    "FailureGroup",
    "Progress",
    "Yield",
    "ask_test",
    "cancel",
    "endpoint_for",
    "estimate",
    "failures",
    "failures_of",
    "made_by",
    "nothing",
    "outcome",
    "pause",
    "preferences_of",
    "progress",
    "progress_of",
    "resume",
    "selected",
    "start",
    "unit_of",
    "yielded",
    "yielded_of",
]
