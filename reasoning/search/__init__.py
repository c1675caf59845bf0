"""Tree search annotation: wrong rollouts become solutions, each with its first error found, and what that yields.

OmegaPRM (Luo et al. 2024, arXiv:2406.06592) with its fixed-k bisection replaced by `first_error.Planner`.
"""

from reasoning.search.fork import fork, splitter_of
from reasoning.search.search import Search
from reasoning.search.session import run
from reasoning.search.values import Branch, Known, Pair, Preference, SearchConfig, Selected, Selection, Value

__all__ = [
    "Branch",
    "Known",
    "Pair",
    "Preference",
    "Search",
    "SearchConfig",
    "Selected",
    "Selection",
    "Value",
    "fork",
    "run",
    "splitter_of",
]
