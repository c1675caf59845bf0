"""What a tree teaches: the value of every prefix, and which of two steps after one prefix is the better."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from reasoning.first_error import posteriors
from reasoning.search.tree import Node, Tree, Twig
from reasoning.search.values import Preference, Value
from reasoning.types import NO_ERROR, Verdict


def values(tree: Tree) -> list[Value]:
    """Of every prefix 1 … K of every solution."""
    return [
        Value(twig.branch.id, prefix, twig.nodes[prefix].count(), p_correct)
        for twig in tree.twigs.values()
        for prefix, p_correct in enumerate(tree.posterior(twig).p_correct, 1)
    ]


def preferences(tree: Tree) -> list[Preference]:
    """Every first error found, beside the step after the same prefix that is right most surely."""
    found = []
    for node, rejected in _first_errors(tree).items():
        chosen = [option for option in _options(tree, node) if option.words not in rejected]
        best = max(chosen, key=lambda option: option.value, default=None)
        if best is None or best.value < tree.config.mass:
            continue
        found += [
            Preference(wrong.solution, node.prefix, best.text, wrong.text, best.value, wrong.value)
            for wrong in rejected.values()
            if wrong.value < best.value
        ]
    return found


class _Option(NamedTuple):
    """A step after some prefix; `value` is P(no step up to and with this one is wrong)."""

    solution: object
    text: str
    words: str
    value: float


def _first_errors(tree: Tree) -> dict[Node, dict[str, _Option]]:
    """The wrong steps after each prefix, by their words; of those alike the one in the oldest solution."""
    found: dict[Node, dict[str, _Option]] = defaultdict(dict)
    for twig in tree.twigs.values():
        posterior = tree.posterior(twig)
        at = posterior.first_error
        if at != NO_ERROR and posterior.certainty >= tree.config.mass:
            option = _step(twig, at, posterior.p_correct[at])
            found[twig.nodes[at]].setdefault(option.words, option)
    return found


def _options(tree: Tree, node: Node) -> Iterator[_Option]:
    """How solutions and right rollouts go on after a prefix."""
    for twig in node.twigs:
        if len(twig.nodes) > node.prefix + 1:
            yield _step(twig, node.prefix, tree.posterior(twig).p_correct[node.prefix])
    right = sorted(node.right.items(), key=lambda item: (tree.twig(item[0].solution).number, item[0].sample))
    made = [(solution, pair) for pair, rollout in right if (solution := tree.continued(pair, rollout))]
    evidence = [tree.evidence(solution, Verdict.RIGHT, pair) for solution, pair in made]
    for (solution, _), posterior in zip(made, posteriors(evidence, tree.parameters), strict=True):
        text = solution.steps[node.prefix].text
        yield _Option(None, text, _words(text), posterior.p_correct[node.prefix])


def _step(twig: Twig, index: int, value: float) -> _Option:
    text = twig.branch.solution.steps[index].text
    return _Option(twig.branch.id, text, _words(text), value)


def _words(text: str) -> str:
    """Equal for texts that differ in white space and case only."""
    return " ".join(text.split()).casefold()
