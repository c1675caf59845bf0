"""Tree search over many problems at once: which rollout next, which pair next, no I/O."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from reasoning.errors import InvalidInput
from reasoning.first_error import DEFAULTS, Parameters, Request
from reasoning.search import preferences as yields
from reasoning.search.growth import Growth
from reasoning.search.values import Known, Preference, SearchConfig, Selected, Selection, Value
from reasoning.types import Posterior, Rollout, Verdict


class Search:
    """A `first_error.session.Plan` over trees, one a problem; drive it with `reasoning.search.run`.

    A problem first draws what its root lacks. If some paths from the root end right and some wrong, its wrong solutions
    are looked into, then pair after pair is selected and the first error of each found. What is asked for depends only
    on what is known: built again from what was stored, it goes on where it was. It never selects a pair twice, nor two
    whose text is the same, and never asks for a sample number that was drawn.
    """

    def __init__(
        self, problems: Sequence[Known], config: SearchConfig | None = None, parameters: Parameters = DEFAULTS
    ) -> None:
        """Raises InvalidInput for a problem or solution given twice and for what does not fit together."""
        self.config = config or SearchConfig()
        self._growths = {known.problem: Growth(known, self.config, parameters) for known in problems}
        if len(self._growths) != len(problems):
            raise InvalidInput("the same problem was given twice")
        self._problem = {solution: p for p, growth in self._growths.items() for solution in growth.tree.twigs}
        if len(self._problem) != sum(len(known.branches) for known in problems):
            raise InvalidInput("two problems have a solution of the same id")
        self._ready: dict[Hashable, None] = dict.fromkeys(self._growths)
        self._selected: list[Selected] = []

    def next(self, limit: int) -> list[Request]:
        """Rollouts to draw now, of up to `limit` problems: those of one stand together and go on from one prefix.

        `chain` is the solution to draw at: the oldest with that prefix. A pair may be selected on the way: see
        `selected`. Empty when every problem is done or waits for a reply.
        """
        requests: list[Request] = []
        asking = 0
        while self._ready and asking < limit:
            problem = next(iter(self._ready))
            del self._ready[problem]
            asked, selected = self._growths[problem].next()
            requests += asked
            asking += bool(asked)
            self._selected += selected
            self._problem |= {each.branch.id: each.problem for each in selected}
        return requests

    def take(self, chain: Hashable, rollouts: Sequence[Rollout]) -> None:
        """Take in rollouts that `next` asked for, once they are stored. Any other changes nothing."""
        problem = self.problem_of(chain)
        growth = self._growths[problem]
        taken = [growth.take(chain, rollout) for rollout in rollouts]
        if any(taken) and not growth.pending:
            self._ready[problem] = None

    def record(self, chain: Hashable, prefix: int, sample: int, verdict: Verdict) -> None:
        """As `take`, for a rollout whose text is not known: it counts, but is never selected."""
        self.take(chain, [Rollout(prefix, sample, "", None, verdict, "", "", None, "")])

    def release(self, chain: Hashable, prefix: int, sample: int) -> None:
        """Forget a rollout that will never arrive; its number stays used.

        The problem is left alone until something else of it arrives: a model that draws nothing ends the search.
        """
        self._growths[self.problem_of(chain)].release(chain, prefix, sample)

    def selected(self) -> list[Selected]:
        """What was selected since this was last asked, in order; to be stored before any rollout of it."""
        selected, self._selected = self._selected, []
        return selected

    def done(self, problem: Hashable) -> bool:
        """Nothing of this problem is in flight or will be asked for."""
        growth = self._growth(problem)
        return not growth.pending and problem not in self._ready

    def problem_of(self, chain: Hashable) -> Hashable:
        """The problem of a solution. Raises InvalidInput where there is no such solution."""
        try:
            return self._problem[chain]
        except KeyError:
            raise InvalidInput(f"no such solution: {chain!r}") from None

    def looking(self, problem: Hashable) -> Hashable | None:
        """The solution whose first error is looked for; those selected before it are finished with."""
        return self._growth(problem).looking

    def spent(self, problem: Hashable) -> int:
        """Rollouts drawn for a problem, those in flight and ungradable ones too."""
        return self._growth(problem).spent

    def selections(self, problem: Hashable) -> list[Selection]:
        """All that were selected of a problem, oldest first."""
        return list(self._growth(problem).selections)

    def posterior(self, solution: Hashable) -> Posterior:
        """P(F) of any solution of the tree, given all that was taken in, each shared prefix counted once."""
        tree = self._growths[self.problem_of(solution)].tree
        return tree.posterior(tree.twig(solution))

    def values(self, problem: Hashable) -> list[Value]:
        """Of every prefix 1 … K of every solution of a problem."""
        return yields.values(self._growth(problem).tree)

    def preferences(self, problem: Hashable) -> list[Preference]:
        """At most one for each first error found, with the best right step known after the same prefix."""
        return yields.preferences(self._growth(problem).tree)

    def _growth(self, problem: Hashable) -> Growth:
        try:
            return self._growths[problem]
        except KeyError:
            raise InvalidInput(f"no such problem: {problem!r}") from None
