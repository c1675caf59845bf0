from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.intake import containers
from annotator.intake.rows import Broken, Found, Unreadable

ROWS = [
    {"id": "a", "steps": ["x", "y"], "n": 1},
    {"id": "b", "steps": [], "n": None},
    {"id": "ç", "steps": ["\n"], "n": 3},
]


def pretty(rows: list[dict[str, Any]]) -> str:
    return "\n".join(json.dumps(row, indent=2) for row in rows)


LAYOUTS = {
    "json lines": lambda rows: "\n".join(map(json.dumps, rows)),
    "json lines with blank ones": lambda rows: "\n\n".join(map(json.dumps, rows)) + "\n\n",
    "json lines, CRLF": lambda rows: "\r\n".join(map(json.dumps, rows)) + "\r\n",
    "json lines with a BOM": lambda rows: "\ufeff" + "\n".join(map(json.dumps, rows)),
    "one array": json.dumps,
    "one array, indented": lambda rows: json.dumps(rows, indent=1),
    "one array with a BOM, CRLF": lambda rows: "\ufeff" + json.dumps(rows, indent=4).replace("\n", "\r\n"),
    "concatenated on one line": lambda rows: "".join(map(json.dumps, rows)),
    "concatenated, indented": pretty,
}


def read(tmp_path: Path, data: bytes, name: str = "rows.json") -> list[Found | Broken]:
    path = tmp_path / name
    path.write_bytes(data)
    return list(containers.values(path))


def values(items: list[Found | Broken]) -> list[Any]:
    return [item.value if isinstance(item, Found) else item.reason for item in items]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_rows_are_the_same_however_they_lie_in_the_file_and_whatever_its_name(tmp_path: Path, layout: str) -> None:
    assert values(read(tmp_path, LAYOUTS[layout](ROWS).encode())) == ROWS


@given(
    rows=st.lists(
        st.dictionaries(
            st.text(), st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text()), min_size=1
        )
        # All lists means a dict of lists; that layout has a test of its own.
        .filter(lambda row: not all(isinstance(value, list) for value in row.values())),
        min_size=1,
        max_size=5,
    ),
    layout=st.sampled_from(sorted(LAYOUTS)),
)
def test_any_objects_come_back_from_any_layout(rows: list[dict[str, Any]], layout: str) -> None:
    found = values(list(containers.values_of(LAYOUTS[layout](rows).encode())))
    assert found == rows


def test_a_dict_of_lists_is_read_as_rows(tmp_path: Path) -> None:
    columns = {name: [row[name] for row in ROWS] for name in ROWS[0]}
    for text in (json.dumps(columns), json.dumps(columns, indent=2)):
        found = read(tmp_path, text.encode())
        assert values(found) == ROWS
        assert [item.line for item in found] == [1, 2, 3]


def test_a_dict_of_lists_of_different_lengths_is_refused(tmp_path: Path) -> None:
    [broken] = read(tmp_path, b'{"id": ["a", "b"], "problem": ["x"]}')
    assert isinstance(broken, Broken)
    assert "differ in length" in broken.reason


def test_parquet_is_known_by_its_first_bytes(tmp_path: Path) -> None:
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(ROWS), tmp_path / "rows.json")
    assert values(list(containers.values(tmp_path / "rows.json"))) == ROWS


def test_a_broken_line_costs_that_line_and_is_named(tmp_path: Path) -> None:
    data = b'{"id": "a"}\n{"id": \n\n{"id": "b"}\nnull,\n'
    found = read(tmp_path, data)
    assert [(item.line, isinstance(item, Found)) for item in found] == [
        (1, True),
        (2, False),
        (4, True),
        (5, True),
        (5, False),
    ]


def test_a_broken_first_line_does_not_hide_that_a_line_is_a_row(tmp_path: Path) -> None:
    first, second = read(tmp_path, b'{"id": "a", \n{"id": "b"}\n')
    assert isinstance(first, Broken)
    assert values([second]) == [{"id": "b"}]


def test_a_broken_row_of_an_array_costs_that_row(tmp_path: Path) -> None:
    found = read(tmp_path, b'[\n{"id": "a"},\n{"id": oops},\n{"id": "c"}\n]')
    assert [(item.line, isinstance(item, Found)) for item in found] == [(1, True), (2, False), (3, True)]


def test_an_array_that_was_cut_off_says_so_after_its_rows(tmp_path: Path) -> None:
    first, last = read(tmp_path, b'[{"id": "a"}, ')
    assert isinstance(first, Found)
    assert isinstance(last, Broken)
    assert "cut off" in last.reason


def test_lone_surrogates_and_raw_control_characters_are_text(tmp_path: Path) -> None:
    data = b'{"a": "\\ud800x"}\n{"a": "\x0crac{1}{2}\t"}\n{"a": "nul \\u0000"}\n{"a": "\xed\xa0\x80"}\n'
    texts = [value["a"] for value in values(read(tmp_path, data))]
    assert texts == ["\ud800x", "\x0crac{1}{2}\t", "nul \x00", "\ud800"]


def test_a_line_that_is_not_utf8_is_refused_with_the_place(tmp_path: Path) -> None:
    good, bad = read(tmp_path, b'{"a": "b"}\n{"a": "caf\xe9"}\n')
    assert isinstance(good, Found)
    assert isinstance(bad, Broken)
    assert "not UTF-8 at byte 11" in bad.reason


def test_nan_is_no_json(tmp_path: Path) -> None:
    _, bad = read(tmp_path, b'{"a": 1}\n{"a": NaN}\n')
    assert isinstance(bad, Broken)
    assert "NaN" in bad.reason


def test_a_row_nested_without_end_is_refused(tmp_path: Path) -> None:
    deep = b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    good, bad = read(tmp_path, b'{"a": 1}\n' + deep + b"\n")
    assert isinstance(good, Found)
    assert isinstance(bad, Broken)


@pytest.mark.parametrize(
    ("start", "word"),
    [(b"\xff\xfe{\x00", "UTF-16"), (b"\x1f\x8b\x08", "gzip"), (b"PK\x03\x04", "zip"), (b"PAR1", "Parquet")],
)
def test_what_is_no_text_is_named(tmp_path: Path, start: bytes, word: str) -> None:
    with pytest.raises(Unreadable, match=word):
        read(tmp_path, start + b"\x00" * 20)


def test_an_array_that_is_not_utf8_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="line 2"):
        read(tmp_path, b'[\n{"a": "\xe9"}]')
