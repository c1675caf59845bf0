"""Texts are shown exactly; long ones fold; programs keep monospace."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from annotator.templatetags.texts import exact, hidden_lines, looks_like_code
from reasoning.characters import escape


class Reader(HTMLParser):
    """What a browser's parser makes of it: references resolved, carriage returns of the source normalised away."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""

    def handle_data(self, data: str) -> None:
        self.text += data


def shown(text: str) -> str:
    reader = Reader()
    source = str(exact(text))
    assert "\r" not in source
    reader.feed(f"<div>{source}</div>")
    reader.close()
    return reader.text


@given(st.text())
def test_every_character_is_shown(text: str) -> None:
    assert shown(text) == escape(text)


def test_markup_is_text() -> None:
    assert exact("<script>") == "&lt;script&gt;"


def test_what_utf8_cannot_carry_is_shown_as_stored() -> None:
    assert exact("\ud800\x00") == "␛D800␛0000"


def test_folding_counts_wrapped_lines() -> None:
    assert hidden_lines("\n".join(["line"] * 400)) == 380
    assert hidden_lines("\n".join(["line"] * 24)) == 0
    assert hidden_lines("x" * 88_000) == 88_000 // 75 + 1 - 20
    assert hidden_lines("") == 0


def test_programs_are_told_from_prose() -> None:
    assert looks_like_code(["def f(x):", "    return x + 1", "print(f(1))"])
    assert not looks_like_code(["x = 5", "y = 7", "So x + y = 12."])
    assert not looks_like_code(["import $x$ from \\(y\\)", "    indented"])
    assert not looks_like_code(["", " "])
