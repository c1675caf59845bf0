"""The tree of one problem: solutions that share what their texts share, and what was drawn after each prefix.

A node is a prefix: the same text, cut into steps at the same places, whichever solutions it is a prefix of. What was
drawn after it counts once, for each of them.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Final

from reasoning.errors import InvalidInput
from reasoning.first_error import Parameters, posteriors
from reasoning.search.fork import fork, splitter_of
from reasoning.search.values import Branch, Pair, SearchConfig, Selected, Selection
from reasoning.types import Count, Evidence, Posterior, Rollout, Solution, Verdict

CHARACTERS_PER_TOKEN: Final = 4
"""For rollouts of endpoints that tell no usage."""


_Rank = tuple[float, int, int, int]


@dataclass(slots=True, eq=False)
class Node:
    """One prefix. New rollouts are stored at its owner, the oldest solution that has it."""

    owner: Hashable
    prefix: int
    graded: dict[Pair, bool] = field(default_factory=dict)
    """Was it right? Of every rollout whose answer could be graded."""
    drawn: int = 0
    """Ungradable ones and those in flight too."""
    selected: int = 0
    """N(s)."""
    paths: Counter[Verdict] = field(default_factory=Counter)
    """Of the root: the verdicts of whole solutions that were not forked. They count for MC(s) only."""
    right: dict[Pair, Rollout] = field(default_factory=dict)
    wrong: dict[Pair, Rollout] = field(default_factory=dict)
    twigs: list[Twig] = field(default_factory=list)
    """Solutions with this prefix."""
    next_sample: int = 0
    """The first number that no rollout stored at the owner has."""
    in_flight: set[int] = field(default_factory=set)
    silent: bool = False
    """What was drawn here is no evidence: see `Known.elected`."""

    def count(self, without: Pair | None = None) -> Count:
        """Of all of them but that one, as evidence."""
        if self.silent:
            return Count(0, 0)
        right, known = sum(self.graded.values()), len(self.graded)
        if without in self.graded:
            right, known = right - self.graded[without], known - 1
        return Count(right, known)

    @property
    def estimate(self) -> float | None:
        """MC(s), whole solutions counted; None without any grade."""
        right = sum(self.graded.values()) + self.paths[Verdict.RIGHT]
        known = len(self.graded) + self.paths[Verdict.RIGHT] + self.paths[Verdict.WRONG]
        return right / known if known else None

    @property
    def mixed(self) -> bool:
        """0 < MC(s) < 1."""
        return 0.0 < (self.estimate or 0.0) < 1.0


@dataclass(slots=True, eq=False)
class Twig:
    """A solution in the tree: its nodes are those of the prefixes 0 … K."""

    branch: Branch
    number: int
    nodes: list[Node]
    splitter: str | None = None
    """By which a continuation is split; None as long as nobody asked."""
    posterior: Posterior | None = None
    """None where something new is known."""

    @property
    def evidence(self) -> Evidence:
        return replace(self.branch.evidence, counts=_counts(self.nodes, self.branch.origin))

    @property
    def drawn(self) -> dict[int, int]:
        return {i: node.drawn for i, node in enumerate(self.nodes) if node.drawn}


class Tree:
    """Grows by solutions (`add`) and rollouts (`learn`). What it says depends on what it knows, not on the order.

    Raises InvalidInput for solutions, forks, rollouts and selections that do not fit together.
    """

    def __init__(
        self, problem: Hashable, config: SearchConfig, parameters: Parameters, *, elected: bool = False
    ) -> None:
        self.problem, self.config, self.parameters, self.elected = problem, config, parameters, elected
        self.twigs: dict[Hashable, Twig] = {}
        self._nodes: dict[bytes, Node] = {}
        self._texts: set[bytes] = set()
        self._given: list[Twig] = []
        self._used: set[Pair] = set()
        self._total = 0

    @property
    def root(self) -> Node:
        return next(iter(self.twigs.values())).nodes[0]

    def twig(self, solution: Hashable) -> Twig:
        try:
            return self.twigs[solution]
        except KeyError:
            raise InvalidInput(f"no such solution: {solution!r}") from None

    def add(self, branch: Branch) -> Twig:
        """A solution, with the rollouts stored at it."""
        if branch.id in self.twigs:
            raise InvalidInput(f"the same solution was given twice: {branch.id!r}")
        steps = len(branch.solution.steps)
        if steps < 1 or branch.evidence.steps != steps:
            raise InvalidInput(f"solution {branch.id!r}: evidence of {branch.evidence.steps} steps for {steps}")
        nodes = []
        for prefix, key in enumerate(keys(branch.solution)):
            silent = self.elected and prefix == 0
            nodes.append(self._nodes.setdefault(key, Node(branch.id, prefix, silent=silent)))
        twig = Twig(branch, len(self.twigs), nodes, self._inherited(branch, nodes))
        self.twigs[branch.id] = twig
        for node in nodes:
            node.twigs.append(twig)
        self._texts.add(_words(branch.solution.text))
        if branch.forked_from is None:
            nodes[0].paths[branch.evidence.own_answer] += 1
            if branch.evidence.own_answer is Verdict.WRONG:
                self._given.append(twig)
        for rollout in branch.rollouts:
            if not 0 <= rollout.prefix <= steps:
                raise InvalidInput(f"solution {branch.id!r}: a rollout of prefix {rollout.prefix} of {steps} steps")
            node = nodes[rollout.prefix]
            node.drawn += 1
            if node.owner == branch.id:
                node.next_sample = max(node.next_sample, rollout.sample + 1)
            self.learn(node, Pair(branch.id, rollout.prefix, rollout.sample), rollout)
        return twig

    def _inherited(self, branch: Branch, nodes: Sequence[Node]) -> str | None:
        if (branch.forked_from is None) != (branch.forked_at is None):
            raise InvalidInput(f"solution {branch.id!r}: forked_from and forked_at go together")
        if branch.forked_from is None or branch.forked_at is None:
            return None
        parent, at = self.twig(branch.forked_from), branch.forked_at
        if not (0 <= at < min(len(parent.nodes), len(nodes)) and nodes[at] is parent.nodes[at]):
            raise InvalidInput(f"solution {branch.id!r}: not one with {branch.forked_from!r} up to {at} steps")
        return self._splitter(parent)

    def learn(self, node: Node, pair: Pair, rollout: Rollout) -> None:
        """A rollout after a node's prefix. UNKNOWN is no evidence; without a text it counts, and that is all."""
        if rollout.verdict is Verdict.UNKNOWN:
            return
        node.graded[pair] = right = rollout.verdict is Verdict.RIGHT
        if rollout.text:
            (node.right if right else node.wrong).setdefault(pair, rollout)
        for twig in node.twigs:
            twig.posterior = None

    def choose(self, selection: Selection) -> None:
        """A selection that was made before."""
        self.twig(selection.solution)
        twig = self.twig(selection.pair.solution)
        if not 0 <= selection.pair.prefix < len(twig.nodes):
            raise InvalidInput(f"selection of prefix {selection.pair.prefix} of {selection.pair.solution!r}")
        if selection.pair in self._used:
            raise InvalidInput(f"selected twice: {selection.pair!r}")
        self._used.add(selection.pair)
        self._visit(twig.nodes[selection.pair.prefix])

    def _visit(self, node: Node) -> None:
        """N(s) += 1."""
        node.selected += 1
        self._total += 1

    def select(self, *, rollouts: bool = True) -> Selected | None:
        """The next pair, never one selected before; None where there is none.

        First the wrong solutions that were there from the start, for they are paths of the root. Then, if `rollouts`,
        the one with the greatest Q + U, whose fork is added: of equals that of the older solution, the shorter prefix,
        the lower number.
        """
        if self.root.mixed:
            for twig in self._given:
                if (pair := Pair(twig.branch.id, 0, None)) not in self._used:
                    return self._chosen(self.root, Selected(self.problem, pair, twig.branch, None))
        return self._best_rollout() if rollouts else None

    def _best_rollout(self) -> Selected | None:
        for _, node, pair, rollout in sorted(self._candidates(), key=lambda each: each[0]):
            made = self._fork(pair, rollout)
            if made is None or _words(made.solution.text) in self._texts:
                del node.wrong[pair]  # nothing new will ever come of it
                continue
            self.add(made)
            return self._chosen(node, Selected(self.problem, pair, made, rollout))
        return None

    def _chosen(self, node: Node, selected: Selected) -> Selected:
        self._used.add(selected.pair)
        self._visit(node)
        return selected

    def _candidates(self) -> Iterator[tuple[_Rank, Node, Pair, Rollout]]:
        """Each with what it is ranked by, least first."""
        config = self.config
        for node in self._nodes.values():
            if not (node.wrong and node.mixed and self._sound(node)):
                continue
            explore = config.explore * math.sqrt(self._total) / (1 + node.selected)
            right = config.alpha ** (1.0 - (node.estimate or 0.0))
            for pair, rollout in node.wrong.items():
                if pair not in self._used:
                    priority = right * config.beta ** (_tokens(rollout) / config.length) + explore
                    rank = (-priority, self.twig(pair.solution).number, pair.prefix, rollout.sample)
                    yield rank, node, pair, rollout

    def _sound(self, node: Node) -> bool:
        if not node.prefix or not self.config.sound:
            return True
        return self.posterior(self.twig(node.owner)).p_correct[node.prefix - 1] >= self.config.sound

    def _fork(self, pair: Pair, rollout: Rollout) -> Branch | None:
        """Forked where it leaves the tree, be that deeper than the pair's prefix."""
        made = self.continued(pair, rollout)
        if made is None:
            return None
        *_, last = takewhile(bool, map(self._nodes.get, keys(made)))
        assert last is not None  # the root at least is there
        return Branch(pair, made, Evidence(len(made.steps), rollout.verdict), (), last.owner, last.prefix, pair)

    def continued(self, pair: Pair, rollout: Rollout) -> Solution | None:
        """The solution that a rollout makes; None where it adds no step."""
        twig = self.twig(pair.solution)
        return fork(twig.branch.solution, pair.prefix, rollout.text, self._splitter(twig))

    def evidence(self, solution: Solution, own_answer: Verdict, origin: Pair) -> Evidence:
        """What is known of a solution that need not be in the tree; `origin` is the rollout that it is made of."""
        nodes = [self._nodes.get(key) for key in keys(solution)]
        return Evidence(len(solution.steps), own_answer, _counts(nodes, origin))

    def _splitter(self, twig: Twig) -> str:
        if twig.splitter is None:
            twig.splitter = splitter_of(twig.branch.solution)
        return twig.splitter

    def posterior(self, twig: Twig) -> Posterior:
        """P(F) of a solution, given all that is known."""
        if twig.posterior is None:
            self.refresh(self.twigs.values())
        assert twig.posterior is not None
        return twig.posterior

    def refresh(self, twigs: Iterable[Twig]) -> None:
        stale = [twig for twig in twigs if twig.posterior is None]
        for twig, found in zip(stale, posteriors([twig.evidence for twig in stale], self.parameters), strict=True):
            twig.posterior = found


def _counts(nodes: Iterable[Node | None], origin: Pair | None) -> dict[int, Count]:
    """Of every prefix with graded rollouts. The one that made the solution is not among them: how it ended is the
    solution's own answer, and that would count twice.
    """
    counts = {prefix: node.count(origin) for prefix, node in enumerate(nodes) if node}
    return {prefix: count for prefix, count in counts.items() if count.graded}


def keys(solution: Solution) -> list[bytes]:
    """Of the prefixes 0 … K: equal for equal text that is cut at the same places."""
    digest = hashlib.blake2b(digest_size=16)
    found, end = [digest.digest()], 0
    for step in solution.steps:
        digest.update(f"{step.start - end},{step.end - step.start}:".encode())
        digest.update(solution.text[end : step.end].encode("utf-8", "surrogatepass"))
        found.append(digest.digest())
        end = step.end
    return found


def _words(text: str) -> bytes:
    """Equal for texts that differ in white space only."""
    return hashlib.blake2b(" ".join(text.split()).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _tokens(rollout: Rollout) -> float:
    return rollout.usage.completion_tokens or len(rollout.text) / CHARACTERS_PER_TOKEN
