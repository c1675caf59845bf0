"""Answers that are words: choices, statements, closed phrases, free text."""

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

_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_EXCLUSIVE: Final = (
    "infinity|plus infinity|positive infinity|\\infty|+\\infty,-infinity|minus infinity|negative infinity|-\\infty",
    "yes|true|correct|valid,no|false|incorrect|invalid",
    "north,south,east,west,northeast,northwest,southeast,southwest",
    "odd|odd function|odd number,even|even function|even number,neither,both",
    "left,right,up,down",
    "red,orange,yellow,green,blue,purple,black,white,brown,gray|grey,pink",
    "increasing|increases,decreasing|decreases,constant",
    "convergent|converges|converge,divergent|diverges|diverge",
    "absolutely convergent|converges absolutely,conditionally convergent|converges conditionally",
    "rational,irrational",
    "positive,negative",
    "always|always true,sometimes|sometimes true,never|never true",
    "prime,composite",
    "clockwise,counterclockwise|anticlockwise|counter clockwise|anti clockwise",
    "acute|acute triangle,obtuse|obtuse triangle,right triangle",
    "linear,quadratic,cubic",
    "continuous,discontinuous",
    "finite,infinite",
    "possible,impossible|not possible",
    "maximum|max,minimum|min",
    "horizontal,vertical",
    "inside,outside",
    "heads,tails",
    "win,lose,draw|tie",
)
"""Closed lists: what stands between commas excludes one another, what stands between bars says the same."""
_GROUPS: Final[tuple[tuple[frozenset[str], ...], ...]] = (
    *(tuple(frozenset(names.split("|")) for names in row.split(",")) for row in _EXCLUSIVE),
    tuple(frozenset({day, day[:3], {"tue": "tues", "thu": "thurs", "wed": "weds"}.get(day[:3], day)}) for day in _DAYS),
    tuple(frozenset({month, month[:3]}) | ({"sept"} if month[0:3] == "sep" else set()) for month in MONTHS),
)
_NOT_A_NUMBER: Final = frozenset(
    [
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
_NONE: Final = "no solution|no solutions|no real solution|no real solutions"
_EMPTY_SET: Final = r"\emptyset|∅|empty set|\varnothing|\lbrace \rbrace"
_ALIKE: Final = tuple(
    frozenset(group.split("|"))
    for group in (
        f"{_NONE}|{_EMPTY_SET}|none|no such value|no value",
        "infinitely many|infinitely many solutions|infinite",
        "undefined|does not exist|dne|not defined",
        "cannot be determined|can not be determined|not enough information|insufficient information",
        "impossible|not possible",
    )
)
_NOUGHT: Final = frozenset(_NONE.split("|"))
"""Against a number they differ, but zero may count the solutions."""
_LEADING: Final = re.compile(r"(?P<word>yes|no)\s*[,.;:]\s*\S.*", re.IGNORECASE | re.DOTALL)
_SUBJECT: Final = re.compile(
    r"^(?:it|this|that|the (?:series|sequence|limit))(?: is|'s|(?= (?:con|di)verges))\s+", re.IGNORECASE
)
_STATEMENTS: Final = re.compile(r"(?:I{1,3}|IV|V)(?:(?:,| and|, and|,? &) (?:I{1,3}|IV|V))*(?: only)?")
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


def by_statements(answer: str, reference: str) -> Equivalence | None:
    """ "I and II only" against "I, II": which of the numbered statements hold."""
    sides = [_STATEMENTS.fullmatch(side) for side in (answer, reference)]
    if sides[0] is None or sides[1] is None:
        return None
    left, right = (set(re.findall("[IV]+", side[0])) for side in sides if side)
    return Equivalence(Relation.EQUAL if left == right else Relation.UNEQUAL, "statements")


def by_phrase(answer: str, reference: str) -> Equivalence | None:
    """Closed lists of words: the same or another of one list decides; so does "no solution" against a number."""
    left, right = _fold(_head(answer)), _fold(_head(reference))
    for alike in _ALIKE:
        if left in alike and right in alike:
            return Equivalence(Relation.EQUAL, "phrase")
    for group in _GROUPS:
        found = [next((place for place, names in enumerate(group) if side in names), None) for side in (left, right)]
        if None not in found:
            return Equivalence(Relation.EQUAL if found[0] == found[1] else Relation.UNEQUAL, "phrase")
    for phrase, other in ((left, reference), (right, answer)):
        if phrase in _NOT_A_NUMBER | _NOUGHT and _NUMBER.fullmatch(other):
            counted = phrase in _NOUGHT and not other.strip("0.")
            return Equivalence(Relation.UNKNOWN if counted else Relation.UNEQUAL, "phrase")
    return None


def _head(text: str) -> str:
    """The yes or no of "Yes, it is prime", the word of "It is impossible"."""
    match = _LEADING.fullmatch(text)
    return match["word"] if match else _SUBJECT.sub("", text)


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
