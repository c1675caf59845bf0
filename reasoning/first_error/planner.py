"""Which rollout next, of which chain, and when to stop: many chains in flight, no I/O.

A chain's value is (1 − max P(F)) · information ÷ entropy, at the prefix whose next rollout tells most about F per cost:
the share of what is still in doubt that one rollout would settle. The most valuable chains go first, and a chain is
done when its value is below the price. A fixed certainty as the rule to stop would sink rollouts into hopeless chains.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from reasoning.errors import InvalidInput
from reasoning.first_error.beliefs import Group
from reasoning.first_error.model import DEFAULTS, Parameters
from reasoning.first_error.posterior import by_length, log_joint, problem_index, softmax, split_by_solve_rate
from reasoning.first_error.tables import Floats, Ints, Singles, tables_for
from reasoning.types import Evidence, Posterior, Verdict

DEFAULT_PRICE: Final = 0.004
"""Some ten rollouts a chain; the median over simulated regimes (docs/benchmarks.md)."""
PAIR_AFTER: Final = 10
"""Chains that have spent this many rollouts are given two at once."""
MOST_PER_PREFIX: Final = 64
"""No prefix gets more: the noise of its own is all that is left."""
_CHUNK_CELLS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Chain:
    """One solution to plan for."""

    id: Hashable
    evidence: Evidence
    problem: Hashable | None = None
    """Solutions of one problem share its solve rate; None shares with nobody."""
    drawn: Mapping[int, int] = field(default_factory=dict)
    """Rollouts drawn so far per prefix, ungradable ones too: the next sample number. Absent: as many as were graded."""
    costs: Sequence[float] | None = None
    """Of rollouts of the prefixes 1 … K − 1, a rollout of the project costing 1 in the mean. None: each costs 1."""


class Request(NamedTuple):
    """Draw this rollout: number `sample` of the first `prefix` steps of `chain`."""

    chain: Hashable
    prefix: int
    sample: int


class Planner:
    """Plans rollouts at the prefixes 1 … K − 1 of many chains.

    `price`: a chain is done when its value falls below. `budget`: rollouts that may still be requested, over all
    chains; None is no limit. Raises InvalidInput for evidence or costs out of their domain, or ids given twice.
    """

    def __init__(
        self,
        chains: Sequence[Chain],
        parameters: Parameters = DEFAULTS,
        *,
        price: float = DEFAULT_PRICE,
        budget: int | None = None,
    ) -> None:
        self.price, self.budget = price, budget
        self._ids = [chain.id for chain in chains]
        self._at = {identity: n for n, identity in enumerate(self._ids)}
        if len(self._at) != len(chains):
            raise InvalidInput("the same chain was given twice")
        self._tables = tables_for(parameters)
        self._groups: dict[int, Group] = {}
        self._costs: dict[int, Singles] = {}
        self._steps = np.array([chain.evidence.steps for chain in chains], np.int64)
        self._row = np.zeros(len(chains), np.int64)
        self._load(chains, parameters)
        self._drawn = [_drawn(chain) for chain in chains]
        self._spent = np.array([sum(drawn.values()) for drawn in self._drawn], np.int64)
        self._graded = np.array([sum(c.graded for c in chain.evidence.counts.values()) for chain in chains], np.int64)
        self._pending = np.zeros(len(chains), np.int64)
        self._value: Floats = np.full(len(chains), -np.inf)
        self._prefix = np.zeros(len(chains), np.int64)
        self._stale = set(np.flatnonzero(self._steps > 1).tolist())
        self._unread: deque[tuple[int, int, bool]] = deque()

    def next(self, limit: int) -> list[Request]:
        """Up to `limit` rollouts to draw now, the most valuable first, of chains that have none in flight.

        A chain with 10 or more behind it is given two at once. Empty when every chain is done or waits for `record`.
        """
        self._refresh()
        room = limit if self.budget is None else min(limit, self.budget)
        if room <= 0:
            return []
        open_value = np.where(self._pending == 0, self._value, -np.inf)
        best = np.argpartition(-open_value, room - 1)[:room] if room < len(open_value) else np.arange(len(open_value))
        best = best[open_value[best] >= self.price]
        requests: list[Request] = []
        for n in best[np.argsort(-open_value[best], kind="stable")].tolist():
            pair = 2 if self._spent[n] >= PAIR_AFTER else 1
            requests.extend(self._request(n) for _ in range(min(pair, room - len(requests))))
        if self.budget is not None:
            self.budget -= len(requests)
        return requests

    def record(self, chain: Hashable, prefix: int, sample: int, verdict: Verdict) -> None:
        """Take in one rollout that `next` asked for. UNKNOWN was paid for and says nothing about the chain."""
        n = self._number(chain)
        self._pending[n] = max(self._pending[n] - 1, 0)
        if verdict is not Verdict.UNKNOWN:
            self._graded[n] += 1
            self._unread.append((n, prefix, verdict is Verdict.RIGHT))
        self._stale.add(n)

    def release(self, chain: Hashable, prefix: int, sample: int) -> None:
        """Forget one rollout that `next` asked for and that will never arrive; its sample number stays used.

        The chain is left alone until something else is recorded of it: a model that draws nothing ends the plan.
        """
        n = self._number(chain)
        self._pending[n] = max(self._pending[n] - 1, 0)
        self._value[n] = -np.inf
        self._stale.discard(n)
        self._spent[n] -= 1
        if self.budget is not None:
            self.budget += 1

    def posterior(self, chain: Hashable) -> Posterior:
        """P(F) of one chain, given all that was recorded."""
        return self.posteriors([chain])[0]

    def posteriors(self, chains: Sequence[Hashable] | None = None) -> list[Posterior]:
        """P(F) of these chains, or of all in the order in which they came."""
        self._read()
        numbers = np.arange(len(self._ids)) if chains is None else np.array([self._number(c) for c in chains], np.int64)
        found: list[Posterior | None] = [None] * len(numbers)
        for steps in np.unique(self._steps[numbers]).tolist():
            where = np.flatnonzero(self._steps[numbers] == steps)
            picked = numbers[where]
            rows = self._groups[steps].first_error(self._row[picked], self._solve(picked)).astype(np.float64)
            for position, row in zip(where.tolist(), rows / rows.sum(1, keepdims=True), strict=True):
                found[position] = Posterior(tuple(row.tolist()))
        return [each for each in found if each is not None]

    def value(self, chain: Hashable) -> float:
        """What the best next rollout of this chain is worth, on the scale of `price`; −inf: there is none to draw."""
        self._refresh()
        return float(self._value[self._number(chain)])

    def done(self, chain: Hashable) -> bool:
        """Nothing is in flight, and nothing will be asked for unless the problem's other chains say more of it."""
        n = self._number(chain)
        if self._pending[n]:
            return False
        return self.value(chain) < self.price or (self.budget is not None and self.budget <= 0)

    @property
    def open(self) -> int:
        """How many chains are not done."""
        self._refresh()
        waiting = self._pending > 0
        if self.budget is not None and self.budget <= 0:
            return int(waiting.sum())
        return int((waiting | (self._value >= self.price)).sum())

    def spent(self, chain: Hashable) -> int:
        """Rollouts drawn of this chain so far, those in flight and ungradable ones too."""
        return int(self._spent[self._number(chain)])

    # -- inside

    def _number(self, chain: Hashable) -> int:
        try:
            return self._at[chain]
        except KeyError:
            raise InvalidInput(f"no such chain: {chain!r}") from None

    def _load(self, chains: Sequence[Chain], parameters: Parameters) -> None:
        evidence = [chain.evidence for chain in chains]
        keys = [("own", n) if chain.problem is None else ("problem", chain.problem) for n, chain in enumerate(chains)]
        self._problem: Ints = problem_index(evidence, keys)
        self._log_solve: Floats = np.tile(self._tables.log_solve, (int(self._problem.max(initial=-1)) + 1, 1))
        self._siblings: dict[int, list[int]] = {}
        for n, problem in enumerate(self._problem.tolist()):
            self._siblings.setdefault(problem, []).append(n)
        for steps, chosen in by_length(evidence):
            graded, successes = np.zeros((2, len(chosen), steps + 1), np.int64)
            for row, n in enumerate(chosen):
                for prefix, count in evidence[n].counts.items():
                    graded[row, prefix], successes[row, prefix] = count.graded, count.successes
            parts = []
            size = max(1, _CHUNK_CELLS // ((steps + 1) * len(self._tables.s)))
            for start in range(0, len(chosen), size):
                chunk = chosen[start : start + size]
                joint = log_joint([evidence[n] for n in chunk], parameters, self._tables)
                given, says = split_by_solve_rate(joint, self._tables)
                np.add.at(self._log_solve, self._problem[chunk], says)
                parts.append(given.astype(np.float32))
            self._groups[steps] = Group(self._tables, steps, np.concatenate(parts), graded, successes)
            self._costs[steps] = np.array([_costs(chains[n]) for n in chosen], np.float32)
            self._row[chosen] = np.arange(len(chosen))

    def _request(self, n: int) -> Request:
        prefix = int(self._prefix[n])
        sample = self._drawn[n].get(prefix, 0)
        self._drawn[n][prefix] = sample + 1
        self._spent[n] += 1
        self._pending[n] += 1
        return Request(self._ids[n], prefix, sample)

    def _solve(self, numbers: Ints) -> Singles:
        return softmax(self._log_solve[self._problem[numbers]]).astype(np.float32)

    def _read(self) -> None:
        """Take in what was recorded, one rollout of a chain at a time, all chains of one length together."""
        while self._unread:
            batch: dict[int, tuple[int, bool]] = {}
            later: deque[tuple[int, int, bool]] = deque()
            for n, prefix, right in self._unread:
                if n in batch:
                    later.append((n, prefix, right))
                else:
                    batch[n] = (prefix, right)
            self._unread = later
            numbers = np.fromiter(batch, np.int64, len(batch))
            outcomes = np.array(list(batch.values()), np.int64)
            for steps in np.unique(self._steps[numbers]).tolist():
                here = self._steps[numbers] == steps
                picked, (prefixes, right) = numbers[here], outcomes[here].T
                says = self._groups[steps].update(self._row[picked], prefixes, right.astype(bool))
                np.add.at(self._log_solve, self._problem[picked], says)
            for n in batch:
                self._stale.update(self._siblings[int(self._problem[n])])

    def _refresh(self) -> None:
        """Values and best prefixes of all chains about which something new is known."""
        self._read()
        if not self._stale:
            return
        numbers = np.fromiter(self._stale, np.int64, len(self._stale))
        self._stale.clear()
        for steps in np.unique(self._steps[numbers]).tolist():
            if steps < 2:
                continue
            picked = numbers[self._steps[numbers] == steps]
            size = max(1, _CHUNK_CELLS // (steps * steps))
            for start in range(0, len(picked), size):
                self._rate(steps, picked[start : start + size])

    def _rate(self, steps: int, numbers: Ints) -> None:
        group, rows = self._groups[steps], self._row[numbers]
        look = group.look(rows, self._solve(numbers))
        information = look.information / self._costs[steps][rows]
        information = np.where(group.graded[rows, 1:steps] < MOST_PER_PREFIX, information, 0.0)
        best = information.argmax(1)
        doubt = 1.0 - look.first_error.max(1)
        share = information[np.arange(len(rows)), best] / np.maximum(look.entropy, 1e-6)
        gradable = (self._graded[numbers] + 1) / (self._spent[numbers] + 1)
        self._value[numbers] = doubt * share * np.minimum(gradable, 1.0)
        self._prefix[numbers] = best + 1


def _drawn(chain: Chain) -> dict[int, int]:
    return {i: max(count.graded, chain.drawn.get(i, 0)) for i, count in chain.evidence.counts.items()} | {
        i: drawn for i, drawn in chain.drawn.items() if i not in chain.evidence.counts
    }


def _costs(chain: Chain) -> Floats:
    costs = np.ones(chain.evidence.steps - 1) if chain.costs is None else np.asarray(chain.costs, np.float64)
    if len(costs) != chain.evidence.steps - 1 or not (np.isfinite(costs) & (costs > 0)).all():
        raise InvalidInput(f"costs of {chain.id!r}: must be {chain.evidence.steps - 1} positive numbers")
    return costs
