"""Find the final answer in a text, or None: never a guess.

An answer is what the writer marked as one (`\\boxed{…}`, `#### …`, `<answer>…</answer>`, "The answer is …", "Answer: …")
or a last line that is a bare number, formula or choice. The mark that stands last in the text wins.
"""  # noqa: E501

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from reasoning.spelling import BOXED, closing

LONGEST: Final = 400
"""Code points; what follows "The answer is" and is longer is prose, not an answer."""

_TAG: Final = re.compile(r"<answer>(?P<a>(?:(?!<answer>)[\s\S])*?)</answer>", re.IGNORECASE)
_HASHES: Final = re.compile(r"####(?!#)[ \t]*(?P<a>[^\r\n#][^\r\n]*)")
_HEADING: Final = re.compile(
    r"^#{1,6}[ \t]*(?:final[ \t]+)?answer[ \t]*:?[ \t]*(?:\r\n|\n|\r)\s*(?P<a>[^\r\n]+)", re.IGNORECASE | re.MULTILINE
)
_COLON: Final = re.compile(
    r"(?:^|(?<=[.!?] ))[ \t>*_#]*(?:(?:the[ \t]+)?(?:final[ \t]+|correct[ \t]+|rewritten[ \t]+)?answer|solution|ans|A|respuesta|antwort|r[ée]ponse|risposta|resposta|ответ|答案|答え|정답|답)[ \t]*[*_]*[ \t]*[:：][ \t*_]*(?P<a>[^\r\n]+)",  # noqa: E501
    re.IGNORECASE | re.MULTILINE,
)
_SENTENCE: Final = re.compile(
    r"\b(?:the|our|my|final|correct|rewritten)[ \t]+(?:correct[ \t]+)?(?:answers?|option|choice)(?:[ \t]+choice)?[ \t]*"
    r"(?:is|are|=|equals|(?:should|must|would)[ \t]+be)[ \t]*:?[ \t*_]*(?P<a>[^\r\n]+)",
    re.IGNORECASE,
)
_DISPLAYED: Final = re.compile(
    r"\banswer[ \t]*(?:is|=|:)[ \t:*_]*(?:\r\n|\n|\r)\s*(?P<a>\\\[[^$]{1,400}?\\\]|\$\$[^$]{1,400}\$\$)", re.IGNORECASE
)
_FOREIGN: Final = re.compile(
    r"(?:\b(?:la respuesta(?: final| correcta)? es|die antwort (?:ist|lautet)|la réponse(?: finale)? est"
    r"|la risposta(?: finale)? è|a resposta(?: final)? é)\b|答案(?:是|为|為)|答えは|정답은)[ \t]*[:：]?[ \t*_]*"
    r"(?P<a>[^\r\n。]+)",
    re.IGNORECASE,
)
"""The same sentence in Spanish, German, French, Italian, Portuguese, Chinese, Japanese, Korean."""
_MARKS: Final = (_TAG, _HASHES, _HEADING, _COLON, _SENTENCE, _DISPLAYED, _FOREIGN)

_NO_ANSWER: Final = frozenset(
    {"", "none", "n/a", "na", "null", "nan", "unknown", "?", "-", "...", "…", "tbd", "not given", "n.a"}
)
_NOT_AN_ANSWER: Final = re.compile(
    r"(?:not|n't|correct|incorrectly|wrongly|stated|incorrect|wrong|right|that|what|whatever|because|given|obtained|found|as follows|based|therefore|unclear|"  # noqa: E501
    r"reasonable|in the|one of|also|still|now|then|to be|supposed|expected|simply the|just the|the same|going to)\b",
    re.IGNORECASE,
)
_TAIL: Final = re.compile(
    r"[.!](?:[*_]*)(?:\s+[A-Z\\].*)?$|,?\s+(?:because|since|so that|which|where|as we)\b.*$|\s*I hope it is correct.*$"
)
_MATHS_SPAN: Final = re.compile(
    r"(?:\$\$(?P<a>[^$]+)\$\$|\$(?P<b>[^$]+)\$|\\\((?P<c>.+?)\\\)|\\\[(?P<d>[\s\S]+?)\\\])[.,;!]?(?=\s|$)"
)
_NUMBERISH: Final = r"[-+−]?[$€£¥]?[ ]?(?:\d[\d,]*(?:\.\d+)?|\.\d+)(?:[ ]?/[ ]?\d+)?[ ]?(?:%|°|\\%)?"
_STATED: Final = re.compile(
    rf"^[^=]*(?:\b(?:is|are|equals|was|be)|=)[ ]*(?P<a>{_NUMBERISH}(?:[ ]+[a-zA-Z]+)?|\$[^$]+\$)$"
)
_BARE: Final = re.compile(
    rf"(?:[*_]{{0,2}}(?:{_NUMBERISH})[*_]{{0,2}}|\${{1,2}}[^$\r\n]{{1,200}}\${{1,2}}|\\\([^\r\n]{{1,200}}\\\)|\([A-J]\)|[A-J]|\\d?frac\{{[^{{}}]+\}}\{{[^{{}}]+\}})\.?"
)
_VALUE: Final = re.compile(
    rf"(?:(?:so|thus|hence|therefore),? )?the value of (?:the )?(?:unknown )?(?:variable )?[a-z] is (?P<a>{_NUMBERISH})\.?(?: [A-Z][^.=]*\.)?",  # noqa: E501
    re.IGNORECASE,
)
_PROSE: Final = re.compile(r"(?:\S+\s+){3,}\S*[.!?:]$")


def find(text: str) -> str | None:
    """The final answer that the text itself marks, trimmed but otherwise as written, or None."""
    best: tuple[int, str] | None = None
    for end, raw in (*_boxed(text), *_marked(text)):
        answer = _clean(raw)
        if answer is not None and (best is None or end >= best[0]):
            best = (end, answer)
    if best is not None:
        return best[1]
    lines = text.strip().splitlines()
    last = lines[-1].strip() if lines else ""
    if len(last) > LONGEST:
        return None
    value = _VALUE.fullmatch(last)
    return value["a"] if value else _clean(last) if _BARE.fullmatch(last) else None


def reference(answer: object, solution: str | None = None) -> str | None:
    """The reference answer of a row whose answer field may be a number, a whole worked solution, or no answer at all.

    A field that marks an answer yields that; a short one is the answer itself; a sentence ("Let's think step by step.")
    is none, and then `solution`, the row's worked reference solution, is searched by `find`. Booleans are no answers.
    """
    if isinstance(answer, int | float) and not isinstance(answer, bool):
        return repr(answer)
    if isinstance(answer, str) and answer.strip():
        marked = find(answer)
        if marked is not None:
            return marked
        if _is_short(answer.strip()):
            return answer.strip()
    return find(solution) if solution else None


def _is_short(text: str) -> bool:
    """Is it an answer itself: no junk, few lines, none of them a sentence?"""
    lines = text.splitlines()
    if text.casefold().strip(".") in _NO_ANSWER or len(lines) > 8:
        return False
    return all(len(line) <= LONGEST // 2 and not _PROSE.search(line.strip()) for line in lines)


def _boxed(text: str) -> Iterator[tuple[int, str]]:
    """The last box that is closed, with the offset of its end; braces nest, a box in a box yields the inner one."""
    for match in reversed(list(BOXED.finditer(text))[-8:]):
        end = closing(text, match.end())
        if end is not None:
            yield end + 1, text[match.end() : end]
            return


def _marked(text: str) -> Iterator[tuple[int, str]]:
    """The last two of every other kind of mark: the very last may be no answer ("the answer is correct")."""
    for pattern in _MARKS:
        for match in list(pattern.finditer(text))[-2:]:
            yield match.end("a"), match["a"]


def _clean(raw: str) -> str | None:
    answer = raw.strip().strip("*_").strip()
    if len(answer) > 2 * LONGEST:
        return None
    inner = _TAG.fullmatch(answer) or _SENTENCE.match(answer)
    answer = inner["a"].strip() if inner else answer
    if "\\boxed" in answer or _NOT_AN_ANSWER.match(answer):
        return None
    if answer.endswith("?"):
        return None
    span = _MATHS_SPAN.match(answer)
    if span and not re.match(r"\s*[a-zA-Z(]", answer[span.end() :]):
        answer = _bare(span)
    elif "\n" not in answer:
        answer = _TAIL.sub("", answer, count=1).strip().strip("*_").strip()
        stated = _STATED.match(answer)
        answer = stated["a"].strip() if stated else answer
        answer = _bare(_MATHS_SPAN.fullmatch(answer)) or answer
    if len(answer) > LONGEST or answer.endswith(":") or answer.casefold().strip(".:") in _NO_ANSWER:
        return None
    return answer


def _bare(span: re.Match[str] | None) -> str:
    """What stands between the marks of a formula."""
    return next(part for part in span.groups() if part is not None).strip() if span else ""
