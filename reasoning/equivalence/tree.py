"""What the grammar makes and the two evaluators value."""

from __future__ import annotations

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
        found: set[str] = set()
        open_nodes = [self.tree]
        while open_nodes:
            node = open_nodes.pop()
            open_nodes += node.parts
            if node.kind == "variable":
                found.add(node.name)
        return found

    def calls(self, name: str) -> bool:
        """Is a function of this name called, with one argument?"""
        open_nodes = [self.tree]
        while open_nodes:
            node = open_nodes.pop()
            open_nodes += node.parts
            if node.kind == "call" and node.name == name and len(node.parts) == 1:
                return True
        return False
