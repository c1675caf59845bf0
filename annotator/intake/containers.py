"""How rows lie in a file: JSON Lines, one JSON array, a dict of lists, concatenated JSON, Parquet.

The name of the file says nothing (JSON Lines are often called `.json`): its first bytes do. JSON Lines and Parquet are
streamed; the other three are one value and are held whole.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, Final

import orjson

from annotator.intake.rows import EXCERPT, Broken, Found, Unreadable

BOM: Final = b"\xef\xbb\xbf"
_PROBED_LINES: Final = 50
_BETWEEN: Final = " \t\r\n\ufeff,"
_PARQUET: Final = b"PAR1"
_NOT_JSON: Final = {
    b"\xff\xfe": "The file is UTF-16: save it as UTF-8.",
    b"\xfe\xff": "The file is UTF-16: save it as UTF-8.",
    b"\x1f\x8b": "The file is compressed (gzip): unpack it first.",
    b"PK\x03\x04": "The file is compressed (zip): unpack it first.",
    b"\x28\xb5\x2f\xfd": "The file is compressed (zstd): unpack it first.",
}


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


# Lenient where orjson is not: lone surrogates, control characters inside texts, numbers beyond 64 bits.
_DECODER: Final = json.JSONDecoder(strict=False, parse_constant=_no_constant)


def values(path: Path) -> Iterator[Found | Broken]:
    """Every row of the file, or why there is none in a place. Raises Unreadable where it is no such file at all."""
    with path.open("rb") as file:
        head = file.read(4)
        _check_text(head)
        if head == _PARQUET:
            yield from _parquet(path)
            return
        file.seek(0)
        by_lines = _is_lines(file)
        file.seek(0)
        if by_lines:
            yield from _lines(file)
        else:
            yield from _stream(file.read())


def values_of(data: bytes) -> Iterator[Found | Broken]:
    """The rows of the start of a file, for guessing and previews: what is cut off at the end is broken.

    Raises Unreadable, also for Parquet, whose directory stands at its end.
    """
    _check_text(data)
    if data.startswith(_PARQUET):
        raise Unreadable("A Parquet file can be looked at only as a whole.")
    lines = data.removeprefix(BOM).splitlines(keepends=True)
    yield from _lines(lines) if _lines_probe(lines) else _stream(data)


def _check_text(head: bytes) -> None:
    for magic, message in _NOT_JSON.items():
        if head.startswith(magic):
            raise Unreadable(message)


def _is_lines(file: IO[bytes]) -> bool:
    return _lines_probe(itertools.islice(file, _PROBED_LINES))


def _lines_probe(lines: Iterable[bytes]) -> bool:
    """Does any of the first lines hold a whole object? Then a line is a row, even if the first is broken."""
    first = b""
    for raw in lines:
        line = raw.removeprefix(BOM).strip()
        if not line:
            continue
        first = first or line[:1]
        if first == b"[":
            return False
        if raw.removeprefix(BOM)[:1] == b"{":
            parsed = _parse(line, 0)
            if isinstance(parsed[0], Found) and isinstance(parsed[0].value, dict):
                return True
    return first not in {b"{", b"["}


def _lines(file: Iterable[bytes]) -> Iterator[Found | Broken]:
    for number, raw in enumerate(file, start=1):
        line = (raw.removeprefix(BOM) if number == 1 else raw).strip()
        if line:
            for item in _parse(line, number):
                yield from _columns(item)


def _parse(line: bytes, number: int) -> list[Found | Broken]:
    """The value of a line; several where values stand beside each other on it."""
    try:
        return [Found(number, orjson.loads(line))]
    except orjson.JSONDecodeError:
        pass
    try:
        text = line.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        excerpt = line[:EXCERPT].decode("utf-8", "replace")
        return [Broken(number, "", f"is not UTF-8 at byte {error.start + 1} of the line", excerpt)]
    found: list[Found | Broken] = []
    position = 0
    while position < len(text):
        try:
            value, end = _DECODER.raw_decode(text, position)
        except (ValueError, RecursionError) as error:
            return [*found, _broken(number, text, position, error)]
        found.append(Found(number, value))
        position = _skip(text, end, " \t")
    return found


def _stream(data: bytes) -> Iterator[Found | Broken]:
    """Values of one array, or one after the other; the number is the row's. It goes on after a broken one."""
    try:
        text = data.removeprefix(BOM).decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Unreadable(f"The file is not UTF-8 at byte {error.start + 1} (line {line}).") from error
    position, number, in_array = _skip(text, 0, _BETWEEN), 0, False
    while position < len(text):
        if text[position] == ("]" if in_array else "["):
            in_array = not in_array
            position = _skip(text, position + 1, _BETWEEN)
            continue
        number += 1
        try:
            value, position = _DECODER.raw_decode(text, position)
        except (ValueError, RecursionError) as error:
            yield _broken(number, text, position, error)
            position = _next_object(text, position)
        else:
            yield from _columns(Found(number, value))
        position = _skip(text, position, _BETWEEN)
    if in_array:
        yield Broken(number + 1, "", "the array is not closed: the file may have been cut off")


def _skip(text: str, position: int, characters: str) -> int:
    while position < len(text) and text[position] in characters:
        position += 1
    return position


def _next_object(text: str, position: int) -> int:
    """Where the next row may start after a broken one: an object at the start of a line, or after `},`."""
    candidates = [text.find(mark, position + 1) for mark in ("\n{", "\n  {", "\n {", "\n    {", "},{", "}, {", "}\n{")]
    starts = [text.index("{", found) for found in candidates if found >= 0]
    return min(starts, default=len(text))


def _broken(number: int, text: str, position: int, error: Exception) -> Broken:
    reason = "is nested too deeply" if isinstance(error, RecursionError) else f"is not JSON: {error}"
    return Broken(number, "", reason, text[position : position + EXCERPT])


def _columns(item: Found | Broken) -> Iterator[Found | Broken]:
    """The rows of a dict of lists; anything else as it is."""
    if isinstance(item, Broken) or not isinstance(item.value, dict) or not item.value:
        yield item
        return
    columns = item.value
    lists = [column for column in columns.values() if isinstance(column, list)]
    # A row whose only field is a list (a conversation's turns) is a row; a column of such rows is a list of lists.
    alone = len(lists) == 1 and not all(isinstance(cell, list) for cell in lists[0])
    if alone or len(lists) < len(columns):
        yield item
        return
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        yield Broken(item.line, "", f"is a dict of lists that differ in length: {lengths}")
        return
    for number, cells in enumerate(zip(*columns.values(), strict=True), start=1):
        yield Found(number, dict(zip(columns, cells, strict=True)))


def _parquet(path: Path) -> Iterator[Found | Broken]:
    # Imported here: it takes a second, and only workers that meet such a file need it.
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            number = 0
            for batch in file.iter_batches(batch_size=500):
                for row in batch.to_pylist():
                    number += 1
                    yield Found(number, row)
    except (pyarrow.ArrowException, OSError) as error:
        raise Unreadable(f"The file is not readable as Parquet: {error}") from error
