"""Answers that are words: choices, closed phrases, dates, free text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from reasoning.equivalence.outcome import Equivalence, Relation

_BARE: Final = re.compile(r"[A-Ja-j]")
_MARKED: Final = re.compile(
    r"(?:(?:choice|option)[\s_\\]*)\(?(?P<a>[A-Ja-j])\)?(?:\s*[(:,.-].*)?"
    r"|\((?P<b>[A-Ja-j])\)(?:[\s:.](?P<b_value>.*))?|(?P<c>[A-J])[.):](?:\s(?P<c_value>.*))?"
    r"|(?P<d>[A-J]) \([a-zA-Z]{2}.*\)",
    re.IGNORECASE | re.DOTALL,
)
_SEVERAL: Final = re.compile(r"\(?[A-J]\)?(?:\s*(?:,|;|&|and)\s*\(?[A-J]\)?)+|[A-F]{2,6}")

_GROUPS: Final[tuple[tuple[frozenset[str], ...], ...]] = (
    (
        frozenset({"infinity", "plus infinity", "positive infinity", "\\infty", "+\\infty"}),
        frozenset({"-infinity", "minus infinity", "negative infinity", "-\\infty"}),
    ),
    (frozenset({"yes", "true", "correct", "valid"}), frozenset({"no", "false", "incorrect", "invalid"})),
    tuple(
        frozenset({word, word[:3]})
        for word in ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
    ),
    tuple(
        frozenset({word, word[:3]})
        for word in [
            "january",
            "february",
            "march",
            "april",
            "may",
            "june",
            "july",
            "august",
            "september",
            "october",
            "november",
            "december",
        ]
    ),
    tuple(
        frozenset({word})
        for word in ["north", "south", "east", "west", "northeast", "northwest", "southeast", "southwest"]
    ),
    tuple(frozenset({word}) for word in ["odd", "even", "neither", "both"]),
    tuple(frozenset({word}) for word in ["left", "right", "up", "down"]),
    tuple(
        frozenset({word})
        for word in ["red", "orange", "yellow", "green", "blue", "purple", "black", "white", "brown", "gray", "pink"]
    ),
    tuple(frozenset({word}) for word in ["increasing", "decreasing", "constant"]),
)
_NOT_A_NUMBER: Final = frozenset(
    [
        "no solution",
        "no solutions",
        "no real solution",
        "no real solutions",
        "infinitely many",
        "infinitely many solutions",
        "infinite",
        "infinity",
        "undefined",
        "cannot be determined",
        "can not be determined",
        "not enough information",
        "does not exist",
        "dne",
        "impossible",
        "indeterminate",
        "diverges",
        "yes",
        "no",
        "true",
        "false",
        "no answer",
        "insufficient information",
    ]
)
_ALIKE: Final = tuple(
    frozenset(group.split("|"))
    for group in (
        (
            "no solution|no solutions|no real solution|no real solutions"
            r"|\emptyset|∅|empty set|\varnothing|\lbrace \rbrace"
        ),
        "infinitely many|infinitely many solutions|infinite",
        "undefined|does not exist|dne",
        "cannot be determined|can not be determined|not enough information|insufficient information",
    )
)
_OPAQUE: Final = re.compile(
    r"\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}|\d{1,2}:\d{2}(?:[:.]\d+)*\s*(?:[ap]\.?m\.?)?|\d{1,2}:\d{2}\s*(?:[ap]\.?m\.?)|\d+(?:\.\d+){2,}.*|https?://\S+",
    re.IGNORECASE,
)
_NUMBER: Final = re.compile(r"[-+$]?\d[\d,.]*%?")
_WORDY: Final = re.compile(r"[a-zA-Z]{2,}|[^\W\d_a-zA-Z]{2,}")
_NAMES: Final = re.compile(r"\b(?:pi|sqrt|sin|cos|tan|ln|log|exp|abs)\b")
_MATHS: Final = re.compile(r"[\d\\^=+*/<>|{}_]")


@dataclass(frozen=True, slots=True)
class Choice:
    letters: frozenset[str]
    marked: bool
    """Written as a choice ("(B)", "Option B"), not just as a letter, which may be a variable."""
    text: str
    value: str = ""
    """What stands behind the letter: 12 in "(C) 12"."""


def choice(text: str) -> Choice | None:
    """The letters of a multiple-choice answer, in capitals, or None."""
    if _BARE.fullmatch(text):
        return Choice(frozenset(text.upper()), marked=False, text=text)
    if _SEVERAL.fullmatch(text):
        letters = re.findall(r"[A-J]", text)
        return (
            Choice(frozenset(letters), marked=False, text="".join(letters))
            if len(set(letters)) == len(letters)
            else None
        )
    match = _MARKED.fullmatch(text)
    if match is None:
        return None
    letter = next(match[name] for name in "abcd" if match[name])
    value = match["b_value"] or match["c_value"] or ""
    return Choice(frozenset(letter.upper()), marked=True, text=text, value=value.strip())


def by_choice(answer: str, reference: str) -> Equivalence | None:
    left, right = choice(answer), choice(reference)
    if left is None or right is None:
        known, other = (left, reference) if left is not None else (right, answer)
        if known is None:
            return None
        unclear = known.marked or (known.text.isupper() and _NUMBER.fullmatch(other) is not None)
        return Equivalence(Relation.UNKNOWN, "choice") if unclear else None
    if left.letters != right.letters:
        variables = not (left.marked or right.marked) and any(side.text.islower() for side in (left, right))
        return Equivalence(
            Relation.UNKNOWN if variables and left.text.isupper() != right.text.isupper() else Relation.UNEQUAL,
            "choice",
        )
    sure = left.marked or right.marked or (left.text.isupper() == right.text.isupper())
    return Equivalence(Relation.EQUAL if sure else Relation.UNKNOWN, "choice")


def by_phrase(answer: str, reference: str) -> Equivalence | None:
    """Closed lists of words: the same or another of one list decides; so does "no solution" against a number."""
    left, right = _fold(answer), _fold(reference)
    for alike in _ALIKE:
        if left in alike and right in alike:
            return Equivalence(Relation.EQUAL, "phrase")
    for group in _GROUPS:
        found = [next((place for place, names in enumerate(group) if side in names), None) for side in (left, right)]
        if None not in found:
            return Equivalence(Relation.EQUAL if found[0] == found[1] else Relation.UNEQUAL, "phrase")
    for phrase, other in ((left, reference), (right, answer)):
        if phrase in _NOT_A_NUMBER and _NUMBER.fullmatch(other):
            return Equivalence(Relation.UNEQUAL, "phrase")
    return None


def by_label(answer: str, reference: str) -> Equivalence | None:
    """Dates, times, addresses and version numbers are labels: only the same spelling is known to be the same."""
    if not (_OPAQUE.fullmatch(answer) or _OPAQUE.fullmatch(reference)):
        return None
    same = answer.casefold() == reference.casefold()
    return Equivalence(Relation.EQUAL if same else Relation.UNKNOWN, "label")


def by_same_text(answer: str, reference: str) -> Equivalence | None:
    """Free text that is the same but for case, punctuation and articles."""
    same = is_wordy(answer) and is_wordy(reference) and _fold(answer) == _fold(reference)
    return Equivalence(Relation.EQUAL, "text") if same else None


def by_text(answer: str, reference: str) -> Equivalence | None:
    """Free text that is not the same cannot be told."""
    if not (is_wordy(answer) or is_wordy(reference)):
        return None
    return Equivalence(Relation.UNKNOWN, "text")


def is_wordy(text: str) -> bool:
    return bool(_WORDY.search(_NAMES.sub("", text))) and not _MATHS.search(text)


def _fold(text: str) -> str:
    words = re.sub(r"[.,;:!?'\"()\[\]]+|(?<=\w)-+|-+$", " ", text.casefold()).split()
    return " ".join(word for word in words if word not in ("the", "a", "an")) or text.casefold()
