"""Trees made from trees: another reading of a convention, terms left out."""

from __future__ import annotations

from fractions import Fraction
from functools import reduce
from typing import Final

from reasoning.equivalence.exact import exact_or_none
from reasoning.equivalence.tree import Node, nodes

_CIRCULAR: Final = frozenset({"sin", "cos", "tan", "cot", "sec", "csc"})
_DEGREE: Final = Node("/", (Node("constant", name="pi"), Node("number", value=Fraction(180))))


def renamed(node: Node, name: str, other: str) -> Node:
    """The tree with another letter for a variable."""
    parts = tuple(renamed(part, name, other) for part in node.parts)
    return Node(node.kind, parts, other if node.kind == "variable" and node.name == name else node.name, node.value)


def with_base(node: Node, base: int) -> Node:
    """`log` read as the logarithm to this base, where none is written; without this it is the natural one."""
    parts = tuple(with_base(part, base) for part in node.parts)
    if node.kind == "call" and node.name == "log" and len(parts) == 1:
        parts = (parts[0], Node("number", value=Fraction(base)))
    return Node(node.kind, parts, node.name, node.value)


def has_bare_angle(tree: Node) -> bool:
    """Is the sine or its like taken of a plain number, as in cos 60, which may mean degrees?"""
    return any(_is_bare_angle(node) for node in nodes(tree))


def _is_bare_angle(node: Node) -> bool:
    return node.kind == "call" and node.name in _CIRCULAR and bool(exact_or_none(node.parts[0]))


def in_degrees(node: Node) -> Node:
    """The tree with the plain angles of sines and their like taken for degrees."""
    parts = tuple(in_degrees(part) for part in node.parts)
    if _is_bare_angle(node):
        parts = (Node("*", (parts[0], _DEGREE)),)
    return Node(node.kind, parts, node.name, node.value)


def without_common_terms(left: Node, right: Node) -> tuple[Node, Node] | None:
    """Both sums less what stands in both; None where nothing does."""
    first, second = _terms(left), _terms(right)
    common = 0
    for term in list(first):
        if term in second:
            first.remove(term)
            second.remove(term)
            common += 1
    return (_sum(first), _sum(second)) if common else None


def _sum(terms: list[Node]) -> Node:
    return reduce(lambda total, term: Node("+", (total, term)), terms, Node("number"))


def _terms(tree: Node) -> list[Node]:
    waiting, found = [tree], []
    while waiting:
        node = waiting.pop()
        if node.kind == "+":
            waiting += node.parts
        else:
            found.append(node)
    return found
