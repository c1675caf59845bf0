"""Tree search over many problems at once: which rollout next, which pair next, no I/O."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from reasoning.first_error import DEFAULTS, Parameters, Request
from reasoning.search.values import Known, Preference, SearchConfig, Selected, Selection, Value
from reasoning.types import Posterior, Rollout, Verdict


class Search:
    """A `first_error.session.Plan` over trees, one a problem; drive it with `reasoning.search.run`.

    A problem first draws what its root lacks, then selects pair after pair and finds the first error of each. What is
    asked for depends only on what is known: built again from what was stored, it goes on where it was. It never selects
    a pair twice, nor two whose text is the same, and never asks for a sample number that was drawn.
    """

    def __init__(
        self, problems: Sequence[Known], config: SearchConfig | None = None, parameters: Parameters = DEFAULTS
    ) -> None:
        """Raises InvalidInput for a problem or solution given twice and for what does not fit together."""
        raise NotImplementedError

    def next(self, limit: int) -> list[Request]:
        """Up to `limit` rollouts to draw now. `chain` is the solution to draw at: the oldest with that prefix.

        A pair may be selected on the way: see `selected`. Empty when every problem is done or waits for a reply.
        """
        raise NotImplementedError

    def take(self, chain: Hashable, rollouts: Sequence[Rollout]) -> None:
        """Take in rollouts that `next` asked for, once they are stored. One taken before changes nothing."""
        raise NotImplementedError

    def record(self, chain: Hashable, prefix: int, sample: int, verdict: Verdict) -> None:
        """As `take`, for a rollout whose text is not known: it counts, but is never selected."""
        raise NotImplementedError

    def release(self, chain: Hashable, prefix: int, sample: int) -> None:
        """Forget a rollout that will never arrive; its number stays used.

        The problem is left alone until something else of it arrives: a model that draws nothing ends the search.
        """
        raise NotImplementedError

    def selected(self) -> list[Selected]:
        """What was selected since this was last asked, in order; to be stored before any rollout of it."""
        raise NotImplementedError

    def done(self, problem: Hashable) -> bool:
        """Nothing of this problem is in flight or will be asked for."""
        raise NotImplementedError

    def problem_of(self, chain: Hashable) -> Hashable:
        """The problem of a solution."""
        raise NotImplementedError

    def spent(self, problem: Hashable) -> int:
        """Rollouts drawn for a problem, those in flight and ungradable ones too."""
        raise NotImplementedError

    def selections(self, problem: Hashable) -> list[Selection]:
        """All that were selected of a problem, oldest first."""
        raise NotImplementedError

    def posterior(self, solution: Hashable) -> Posterior:
        """P(F) of any solution of the tree, given all that was taken in, each shared prefix counted once."""
        raise NotImplementedError

    def values(self, problem: Hashable) -> list[Value]:
        """Of every prefix 1 … K of every solution of a problem."""
        raise NotImplementedError

    def preferences(self, problem: Hashable) -> list[Preference]:
        """At most one for each first error found, with the best right step known after the same prefix."""
        raise NotImplementedError
