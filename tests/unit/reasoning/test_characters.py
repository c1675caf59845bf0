from hypothesis import given
from hypothesis import strategies as st

from reasoning.characters import MARK, escape, unescape

any_text = st.text(alphabet=st.one_of(st.characters(), st.sampled_from(["\x00", "\ud800", "\udfff", MARK, "0", "F"])))


@given(any_text)
def test_any_text_comes_back_exactly(text: str) -> None:
    assert unescape(escape(text)) == text


@given(any_text)
def test_what_is_escaped_can_be_held_by_postgresql(text: str) -> None:
    held = escape(text)
    held.encode("utf-8")
    assert "\x00" not in held


@given(st.text(alphabet=st.characters(exclude_characters=[MARK, "\x00"], exclude_categories=["Cs"])))
def test_plain_text_is_unchanged(text: str) -> None:
    assert escape(text) == text


def test_the_escape_is_readable() -> None:
    assert escape("a\x00b\ud83d") == f"a{MARK}0000b{MARK}D83D"


def test_a_stray_mark_in_stored_text_stands_for_itself() -> None:
    assert unescape(f"{MARK}zz") == f"{MARK}zz"
