"""What the grammar makes and the two evaluators value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction


class Unreadable(Exception):
    """The text is not an expression of the grammar."""


class TooDeep(Unreadable):
    """It is nested so deeply that math-verify's parser, too, would take for ever."""


class NotExact(Exception):
    """The expression has no rational value that is cheap to write out."""


@dataclass(frozen=True, slots=True)
class Node:
    """`kind` is number, constant, variable, call, or one of + * / ^ neg !; `name` belongs to the second to fourth."""

    kind: str
    parts: tuple[Node, ...] = ()
    name: str = ""
    value: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class Expression:
    """A tree, and whether `a/bc` occurs in it, which writers use for both (a/b)c and a/(bc)."""

    tree: Node
    ambiguous: bool

    def names(self) -> set[str]:
        """The variables in it."""
        return names_of(self.tree)

    def calls(self, name: str) -> bool:
        """Is a function of this name called, with one argument?"""
        return any(node.kind == "call" and node.name == name and len(node.parts) == 1 for node in nodes(self.tree))


def nodes(tree: Node) -> Iterator[Node]:
    """The tree and every tree in it."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        waiting += node.parts
        yield node


def names_of(tree: Node) -> set[str]:
    """The variables in a tree."""
    return {node.name for node in nodes(tree) if node.kind == "variable"}


def has_constant(tree: Node, name: str) -> bool:
    return any(node.kind == "constant" and node.name == name for node in nodes(tree))
