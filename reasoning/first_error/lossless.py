"""The labels of hard estimation for the fewest rollouts that can prove them.

Hard estimation draws N rollouts at every prefix, calls one with any success good, and takes the step that ends the
first bad prefix. A success settles a prefix at once and nothing behind the first bad prefix matters. So scan from the
left, leave a prefix at its first success, stop at the first with none. Each rollout is one that hard estimation draws.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Final

from reasoning.errors import InvalidInput
from reasoning.first_error.planner import Chain, Request
from reasoning.types import NO_ERROR, Verdict

MATH_SHEPHERD: Final = 8
MOST_DRAWN: Final = 128
"""After so many rollouts of one prefix, too few of them gradable, the chain is given up."""


class Lossless:
    """Plans like `Planner`, for `run`. A rollout that cannot be graded is drawn again, until a prefix had `MOST_DRAWN`.

    `graded` is hard estimation's N. Rollouts that the chains already have are not used: their order is unknown. Raises
    InvalidInput for ids given twice.
    """

    def __init__(self, chains: Sequence[Chain], graded: int = MATH_SHEPHERD) -> None:
        self.graded = graded
        self._scans = {chain.id: _Scan(chain) for chain in chains}
        if len(self._scans) != len(chains):
            raise InvalidInput("the same chain was given twice")
        self._ready = list(reversed(self._scans))

    def next(self, limit: int) -> list[Request]:
        """Up to `limit` rollouts to draw now, one a chain."""
        requests: list[Request] = []
        while self._ready and len(requests) < limit:
            identity = self._ready.pop()
            scan = self._scans[identity]
            if not scan.done:
                requests.append(Request(identity, scan.prefix, scan.sample))
        return requests

    def record(self, chain: Hashable, prefix: int, sample: int, verdict: Verdict) -> None:
        """Take in one rollout that `next` asked for."""
        self._scans[chain].learn(verdict, self.graded)
        self._ready.append(chain)

    def release(self, chain: Hashable, prefix: int, sample: int) -> None:
        """Forget one rollout that `next` asked for; the chain stays open and is not asked for again."""

    def done(self, chain: Hashable) -> bool:
        return self._scans[chain].done

    def first_error(self, chain: Hashable) -> int | None:
        """Hard estimation's first error, NO_ERROR, or None: still open, given up, or its own answer is not known."""
        return self._scans[chain].first_error


class _Scan:
    """One chain: the prefix that is looked at, and what is left to draw there."""

    def __init__(self, chain: Chain) -> None:
        self.steps = chain.evidence.steps
        self.own_answer = chain.evidence.own_answer
        self.prefix = 1
        self.sample = 0
        self.failures = 0
        self.bad = False

    @property
    def done(self) -> bool:
        return self.bad or self.prefix >= self.steps or self.sample >= MOST_DRAWN

    @property
    def first_error(self) -> int | None:
        if self.bad:
            return self.prefix - 1
        if self.prefix < self.steps or self.own_answer is Verdict.UNKNOWN:
            return None
        return NO_ERROR if self.own_answer is Verdict.RIGHT else self.steps - 1

    def learn(self, verdict: Verdict, graded: int) -> None:
        self.sample += 1
        if verdict is Verdict.RIGHT:
            self.prefix, self.sample, self.failures = self.prefix + 1, 0, 0
        elif verdict is Verdict.WRONG:
            self.failures += 1
            self.bad = self.failures >= graded
