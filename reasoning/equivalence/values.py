"""The rational value of a text, where it has one."""

from __future__ import annotations

from fractions import Fraction

from reasoning.equivalence.exact import exact_or_none
from reasoning.equivalence.grammar import parse
from reasoning.equivalence.tree import Unreadable


def value_of(text: str) -> Fraction | None:
    """None where the text is no expression, has variables, or its value is irrational or huge."""
    try:
        return exact_or_none(parse(text).tree)
    except Unreadable:
        return None


def is_expression(text: str) -> bool:
    """Can the grammar read it?"""
    try:
        parse(text)
    except Unreadable:
        return False
    return True
