"""How one tree grows: what its root lacks, then solution after solution until no pair is left."""

from __future__ import annotations

import sys
from collections.abc import Hashable
from typing import NamedTuple

from reasoning.errors import InvalidInput
from reasoning.first_error import Chain, Parameters, Planner, Request
from reasoning.first_error.session import Plan
from reasoning.search.tree import Node, Tree, Twig
from reasoning.search.values import Known, Pair, SearchConfig, Selected, Selection
from reasoning.types import Rollout, Verdict


class _Look(NamedTuple):
    """A solution whose first error is looked for."""

    twig: Twig
    planner: Plan


class Growth:
    """The search of one problem. At any time the first error of one solution is looked for.

    First comes the one selected last before, for its first error may not have been found; then new ones.
    """

    def __init__(self, known: Known, config: SearchConfig, parameters: Parameters) -> None:
        if not known.branches:
            raise InvalidInput(f"problem {known.problem!r} has no solution")
        self.config, self.parameters = config, parameters
        self.tree = Tree(known.problem, config, parameters, elected=known.elected)
        for branch in known.branches:
            self.tree.add(branch)
        for selection in known.selections:
            self.tree.choose(selection)
        self.selections = list(known.selections)
        self.spent = known.spent
        self.pending = 0
        self.stalled = False
        """A rollout was asked for and never drawn, and nothing arrived since."""
        self._look: _Look | None = None
        self._begun = [self.tree.twig(selection.solution) for selection in known.selections[-1:]]

    @property
    def looking(self) -> Hashable | None:
        """The solution whose first error is looked for."""
        return self._look.twig.branch.id if self._look else None

    @property
    def room(self) -> int:
        """Rollouts that may still be asked for."""
        return sys.maxsize if self.config.rollouts is None else self.config.rollouts - self.spent

    def next(self) -> tuple[list[Request], list[Selected]]:
        """Rollouts of one prefix, and what was selected on the way. Nothing while some are in flight."""
        selected: list[Selected] = []
        if self.pending or self.stalled or self.room <= 0:
            return [], selected
        root = self.tree.root
        lack = self.config.root_rollouts - root.drawn - root.paths[Verdict.RIGHT] - root.paths[Verdict.WRONG]
        if lack > 0:
            return [self._request(root) for _ in range(min(lack, self.room))], selected
        self._look = self._look or self._next_look(selected)
        while self._look:
            if requests := self._look.planner.next(self.room):
                return [self._request(self._look.twig.nodes[each.prefix]) for each in requests], selected
            self._look = self._next_look(selected)
        return [], selected

    @property
    def _made(self) -> int:
        """New solutions."""
        return sum(selection.pair.sample is not None for selection in self.selections)

    def _request(self, node: Node) -> Request:
        sample, node.next_sample = node.next_sample, node.next_sample + 1
        node.in_flight.add(sample)
        node.drawn += 1
        self.pending += 1
        self.spent += 1
        return Request(node.owner, node.prefix, sample)

    def _next_look(self, selected: list[Selected]) -> _Look | None:
        """The next solution to find the first error of."""
        if self._begun:
            twig = self._begun.pop()
        else:
            found = self.tree.select(rollouts=self._made < self.config.selections)
            if found is None:
                return None
            selected.append(found)
            self.selections.append(Selection(found.pair, found.branch.id))
            twig = self.tree.twig(found.branch.id)
        return _Look(twig, self.plan(twig))

    def plan(self, twig: Twig) -> Plan:
        """How the first error of a solution is found; a benchmark puts other ways here."""
        chain = Chain(twig.branch.id, twig.evidence, drawn=twig.drawn)
        return Planner([chain], self.parameters, price=self.config.price)

    def take(self, chain: Hashable, rollout: Rollout) -> bool:
        """Take in one rollout; False for one that is not in flight."""
        node = self._arrived(chain, rollout.prefix, rollout.sample)
        if node is None:
            return False
        self.tree.learn(node, Pair(chain, rollout.prefix, rollout.sample), rollout)
        if self._look:
            self._look.planner.record(self._look.twig.branch.id, rollout.prefix, rollout.sample, rollout.verdict)
        self.stalled = False
        return True

    def release(self, chain: Hashable, prefix: int, sample: int) -> None:
        node = self._arrived(chain, prefix, sample)
        if node is None:
            return
        node.drawn -= 1
        self.spent -= 1
        self.stalled = True
        if self._look:
            self._look.planner.release(self._look.twig.branch.id, prefix, sample)

    def _arrived(self, chain: Hashable, prefix: int, sample: int) -> Node | None:
        nodes = self.tree.twig(chain).nodes
        node = nodes[prefix] if 0 <= prefix < len(nodes) else None
        if node is None or node.owner != chain or sample not in node.in_flight:
            return None
        node.in_flight.remove(sample)
        self.pending -= 1
        return node
