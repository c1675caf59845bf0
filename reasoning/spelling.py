"""One spelling for what is written in many ways: Unicode, LaTeX dress, spacing, wrappers, closing stops."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import Final

_LONGEST: Final = 20_000
_ROUNDS: Final = 64

BOXED: Final = re.compile(r"\\(?:boxed|fbox)\s*\{")
_BRACE: Final = re.compile(r"\\\\|\\[{}]|[{}]")
_SPACES: Final = re.compile(r"\s+")
_PLAIN: Final = re.compile(r"-?\d+(?:\.\d+)?")

_SUPERSCRIPTS: Final = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_SUBSCRIPTS: Final = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_BASES: Final = {"two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9", "ten": "10", "twelve": "12", "sixteen": "16"}  # fmt: skip  # noqa: E501
_GREEK: Final = {
    pair[0]: f"\\{pair[2:]} "
    for pair in (
        "α alpha", "β beta", "γ gamma", "δ delta", "ε epsilon", "ζ zeta", "η eta", "θ theta", "ι iota",
        "κ kappa", "λ lambda", "μ mu", "ν nu", "ξ xi", "ρ rho", "σ sigma", "τ tau", "φ phi", "χ chi", "ψ psi",
        "ω omega", "ϕ phi", "ϵ epsilon", "Δ Delta", "Γ Gamma", "Λ Lambda", "Σ Sigma", "Θ Theta", "Φ Phi",
        "Ψ Psi",
    )
}  # fmt: skip
_Replacement = str | Callable[[re.Match[str]], str]
_Table = tuple[tuple[re.Pattern[str], _Replacement], ...]


def _table(*rows: tuple[str, _Replacement]) -> _Table:
    return tuple((re.compile(pattern), replacement) for pattern, replacement in rows)


def _fraction(match: re.Match[str]) -> str:
    return f"\\frac{{{match[1].translate(_SUPERSCRIPTS)}}}{{{match[2].translate(_SUBSCRIPTS)}}}"


def _repeated(match: re.Match[str]) -> str:
    r"""0.1666... → 0.1\overline{6}: the last digits stand there at least three times."""
    return f"{match['start']}\\overline{{{match['cycle']}}}"


_UNICODE: Final = _table(
    (r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]", ""),
    (r"(?<=\d)[\u00a0\u2007-\u2009\u202f](?=\d{3}(?!\d))", ""),
    (r"[−–—﹣－‐‑]", "-"),
    (r"×|✕", r"\\times "),
    (r"÷", r"\\div "),
    (r"[·⋅∙]", r"\\cdot "),
    (r"π", r"\\pi "),
    (r"(?<![\w)\]}])³√|∛", r"\\sqrt[3]√"),
    (r"(?<![\w)\]}])⁴√|∜", r"\\sqrt[4]√"),
    (r"(?<=\])√(\d+(?:\.\d+)?)", r"{\1}"),
    (r"(?<=\])√", ""),
    (r"√(?=\d)(\d+(?:\.\d+)?)", r"\\sqrt{\1}"),
    (r"√", r"\\sqrt "),
    (r"∞", r"\\infty "),
    (r"≤|⩽", r"\\le "),
    (r"≥|⩾", r"\\ge "),
    (r"≠", r"\\ne "),
    (r"≈", r"\\approx "),
    (r"≡", r"\\equiv "),
    (r"∪", r"\\cup "),
    (r"∩", r"\\cap "),
    (r"∖", r"\\setminus "),
    (r"∈", r"\\in "),
    (r"±|∓", r"\\pm "),
    (r"∶", ":"),
    (r"([ℝℤℚℕℂ])", lambda match: f"\\mathbb{{{unicodedata.normalize('NFKC', match[1])}}}"),
    (r"[‘’′]", "'"),
    (r"[“”]", '"'),
    (r"([⁰¹²³⁴⁵⁶⁷⁸⁹]{1,9})[⁄/]([₀-₉]{1,9})", _fraction),
    (r"[⁄∕]", "/"),
    (r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]+", lambda match: "^{" + match[0].translate(_SUPERSCRIPTS) + "}"),
    (r"[₀-₉]+", lambda match: "_{" + match[0].translate(_SUBSCRIPTS) + "}"),
    (
        r"(?:\d[\u0304\u0305])+",
        lambda match: "\\overline{" + "".join(char for char in match[0] if char.isdigit()) + "}",
    ),
    (r"(?<=[\d\s])[µμ](?=[a-zA-ZΩ])", "\u00b5"),
    (r"[αβγδεζηθικλμνξρστφχψωϕϵΔΓΛΣΘΦΨ]", lambda match: _GREEK[match[0]]),
    (r"º", "°"),
    (r"…", "..."),
)
_LATEX: Final = _table(
    (r"(?<!\\)\$((?:[^$\\]|\\.)+)\$(?![\d$.])", r" \1 "),
    (r"(?<=\d)\\[,;: ](?=\d{3}(?!\d))", ""),
    (r"\\langle(?![a-zA-Z])", "("),
    (r"\\rangle(?![a-zA-Z])", ")"),
    (r"\\[lr]?vert(?![a-zA-Z])", "|"),
    (r"\\leq(?:slant)?(?![a-zA-Z])", r"\\le "),
    (r"\\geq(?:slant)?(?![a-zA-Z])", r"\\ge "),
    (r"\\neq(?![a-zA-Z])", r"\\ne "),
    (r"\\mp(?![a-zA-Z])", r"\\pm"),
    (r"\\(?:[dtc]|nice|s|flat)frac(?![a-zA-Z])", r"\\frac"),
    (r"\{([^{}]*)\\over(?![a-zA-Z])([^{}]*)\}", r"\\frac{\1}{\2}"),
    (r"\\[dt]binom(?![a-zA-Z])", r"\\binom"),
    (r"(?:\{\}\s*)?[_^]\s*\{?\s*(\w{1,4})\s*\}?\s*C\s*_\s*\{?\s*(\w{1,4})\s*\}?", r"\\binom{\1}{\2}"),
    (r"\{,\}", ","),
    (r"\\(?:left|right|[bB]igg?[lr]?|displaystyle|textstyle|limits|strut|nonumber|notag)(?![a-zA-Z])\.?", ""),
    (r"(?<!\\)\\!", ""),
    (r"(?<!\\)\\\{", r"\\lbrace "),
    (r"(?<!\\)\\\}", r"\\rbrace "),
    (r"(?<!\\)\\[,;: ]|\\q?quad(?![a-zA-Z])|\\thinspace(?![a-zA-Z])|\\hspace\{[^{}]*\}", " "),
    (r"\^\s*(?:\{\s*\\circ\s*\}|\\circ(?![a-zA-Z]))|\\degree(?![a-zA-Z])", "°"),
    (r"\^\s*(?:\{\s*\\prime\s*\}|\\prime(?![a-zA-Z]))", "'"),
    (r"(?<!\\)\\%", "%"),
    (r"\\\$|\\textdollar(?![a-zA-Z])", "$"),
    (r"\\(?:color|[hv]?phantom|label|tag)\s*\{[^{}]*\}|\\textcolor\s*\{[^{}]*\}", ""),
    (r"\\(?:ldots|dots|cdots)(?![a-zA-Z])", "..."),
    (r"\\begin\{cases\}([^&]*=[^&]*)\\end\{cases\}", lambda match: ", ".join(filter(None, (row.strip(" ,") for row in match[1].split("\\\\"))))),  # noqa: E501
    (r"\\colon(?![a-zA-Z])", ":"),
    (r"\\(?:mathbb\s*|)([RZQNC])(?![a-zA-Z])", r"\\mathbb{\1}"),
    (r"(\d{0,12}\.\d{0,30})\\dot\s*\{?(\d)\}?(?:(\d{0,30})\\dot\s*\{?(\d)\}?)?", r"\1\\overline{\2\3\4}"),
    (r"\\overline\s*(?=\d)(\d)", r"\\overline{\1}"),
    (r"(?<=[\d.])\\bar(?![a-zA-Z])", r"\\overline"),
    (r"(?<=[\d\s])\\mu\s*(?=[a-zA-Z]|\\Omega)", "\u00b5"),
    (r"(?<=[\dkM\s\u00b5])\\Omega(?![a-zA-Z])", "Ω"),
    (r"_\{\s*(two|three|four|five|six|seven|eight|nine|ten|twelve|sixteen)\s*\}", lambda match: f"_{{{_BASES[match[1]]}}}"),  # noqa: E501
    (r"^(?:\\\\|\\(?:therefore|implies|Rightarrow|to)(?![a-zA-Z])|\s)+", ""),
)  # fmt: skip
_ASCII: Final = _table(
    (r"^&\s*", ""),
    (r"(?<![\w.])(\d{1,4})C(\d{1,4})(?!\w)", r"\\binom{\1}{\2}"),
    (r"^(?:=(?!=)|\\approx(?![a-zA-Z])|(?:about|approximately|roughly)(?=\s[-+$\d.\\]))\s*", ""),
    (r"^\](?P<inside>[^\[\]]*)\[$", r"(\1)"),
    (r"^\[(?P<inside>[^\[\]]*)\[$", r"[\1)"),
    (r"^\](?P<inside>[^\[\]]*)\]$", r"(\1]"),
    (r"^<([^<>=]*,[^<>=]*)>$", r"(\1)"),
    (r"<=", r"\\le "),
    (r">=", r"\\ge "),
    (r"!=", r"\\ne "),
    (r"\+/-", r"\\pm "),
    (r"~", " "),
    (r"(?<![\w.'])\d{1,3}(?:['_]\d{3})+(?![\w'])", lambda match: re.sub("['_]", "", match[0])),
    (r"(?<=\d)\s*[xX]\s*(?=10\s*(?:\^|\*\*))", r"\\times "),
    (r"(?<=\d)\^(?:o(?![a-zA-Z])|\{\s*o\s*\})", "°"),
    (r"(?<![\w.)])(\d*\.|0\.\d+)\((\d+)\)", r"\1\\overline{\2}"),
    (r"(?<![\w.])(?P<start>\d{0,12}\.\d{0,30}?)(?P<cycle>\d{1,12}?)(?P=cycle){2,}\.{3}", _repeated),
    (r"([(\[,] ?[-+]? ?|^[-+]?)inf(?:inity)?(?= ?(?:[)\],]|$))", r"\1\\infty "),
    (r"^(?:#|[Nn]o\.|[Nn]umber(?=\s))\s*(?=\d)", ""),
    (r"^(?i:(?:(?:the|my|our) )?(?:final |correct )?(?:answer|option|choice)(?: is:?|:)\s+)(?=\S)", ""),
    (r"(?i)^([0-9A-F]+)\s*\(?\s*(?:in )?base[\s-]*(\d+|two|three|eight|ten|sixteen)\s*\)?$", lambda match: f"{match[1]}_{{{_BASES.get(match[2].lower(), match[2])}}}"),  # noqa: E501
    (r"\s+", " "),
)  # fmt: skip
_DRESS: Final = re.compile(
    r"\\(?:text|textbf|textit|textrm|textsf|texttt|textnormal|emph|mathrm|mathbf|mathit|mathsf|mathtt|mathnormal|mbox"
    r"|hbox|underline|bm|boldsymbol|rm|bf|it|operatorname\*?)\s*\{"
)
_SWITCH: Final = re.compile(
    r"\\(?:math(?:rm|bf|it|sf)(?!\s*\{)|bf|rm|it|sf|tt|bfseries|normalfont|small|large|Large|huge)(?![a-zA-Z])\s*"
)
_WRAPPINGS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"\$\$((?:[^$\\]|\\.)*)\$\$",
        r"\$((?:[^$\\]|\\.)+)\$",
        r"\\\(((?:(?!\\\().)*)\\\)",
        r"\\\[((?:(?!\\\[).)*)\\\]",
        r"\*\*([^*]*)\*\*",
        r"`([^`]*)`",
        r'"([^"]*)"',
        r"\\begin\{(?:aligned|align\*?|gathered|gather\*?|split|equation\*?)\}\s*&?((?:(?!\\\\|&|\\begin).)*)\\end\{\w+\*?\}",
    )
)
_VULGAR: Final = re.compile(r"(\d+)\u2044(\d+)")
_KEPT: Final = frozenset("Ω\u00b5")
"""Letters that NFKC would make Greek variables of; units need them."""


def normalise(text: str) -> str:
    """One spelling of an answer: Unicode, LaTeX spacing, sizes, wrappers and closing stops settled; case is kept.

    It changes no meaning. Idempotent. Beyond 20,000 code points only the ends are trimmed.
    """
    text = text.strip()
    if len(text) > _LONGEST or _PLAIN.fullmatch(text):
        return text
    for _ in range(_ROUNDS):
        settled = _settle(text)
        if settled == text:
            break
        text = settled
    return text


def closing(text: str, start: int) -> int | None:
    """Where the brace that was opened just before `start` closes, or None."""
    depth = 1
    for brace in _BRACE.finditer(text, start):
        depth += {"{": 1, "}": -1}.get(brace[0], 0)
        if depth == 0:
            return brace.start()
    return None


def _settle(text: str) -> str:
    text = _SPACES.sub(" ", text).rstrip("\\ ")  # first, for no pattern may meet a long run of spaces
    for wrapping in _WRAPPINGS:
        match = wrapping.fullmatch(text)
        if match:
            text = match[1].strip()
    if not text.isascii():
        text = _spelled(text, _UNICODE)
        text = "".join(
            char if char in _KEPT else _VULGAR.sub(r" \\frac{\1}{\2}", unicodedata.normalize("NFKC", char))
            for char in text
        )
    if "\\" in text or "$" in text or "{" in text:
        text = _SWITCH.sub("", _undressed(_spelled(text, _LATEX)))
    text = _spelled(text, _ASCII).strip()
    box = BOXED.match(text)
    if box and closing(text, box.end()) == len(text) - 1:
        text = text[box.end() : -1].strip()
    return text if text.endswith("...") else text.rstrip(".,;:").rstrip()


def _spelled(text: str, table: Iterable[tuple[re.Pattern[str], _Replacement]]) -> str:
    for pattern, replacement in table:
        text = pattern.sub(replacement, text)
    return text


def _undressed(text: str) -> str:
    r"""What stands in `\text{…}`, `\mathrm{…}` and their like, without them. One level a call."""
    parts, done = [], 0
    while (match := _DRESS.search(text, done)) is not None:
        end = closing(text, match.end())
        if end is None:
            break
        parts += [text[done : match.start()], " ", text[match.end() : end], " "]
        done = end + 1
    return "".join(parts) + text[done:]
