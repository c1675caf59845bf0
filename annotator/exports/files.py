"""The files of an export while they are written: hashed as they grow."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import orjson

_ROW_GROUP: Final = 1000


@dataclass(frozen=True, slots=True)
class Written:
    """One finished file."""

    name: str
    bytes: int
    sha256: str


class RowFile(Protocol):
    """Takes rows, one by one."""

    path: Path

    def write(self, row: Mapping[str, Any]) -> None: ...

    def close(self) -> None: ...


def line_of(row: Mapping[str, Any]) -> bytes:
    """One line of JSON. What UTF-8 cannot hold (lone surrogates) goes out as `\\ud800` escapes."""
    try:
        return orjson.dumps(row) + b"\n"
    except TypeError:
        return json.dumps(row, separators=(",", ":")).encode() + b"\n"


class JsonLines:
    def __init__(self, path: Path, columns: Mapping[str, str]) -> None:
        self.path = path
        self._file = path.open("wb")

    def write(self, row: Mapping[str, Any]) -> None:
        self._file.write(line_of(row))

    def close(self) -> None:
        self._file.close()


class Parquet:
    """Typed columns, zstd, a row group a thousand rows. Objects, for which it has no type, are JSON text."""

    def __init__(self, path: Path, columns: Mapping[str, str]) -> None:
        # Imported here: it takes a second, and only exports of this kind need it.
        import pyarrow
        import pyarrow.parquet

        types = {
            "string": pyarrow.string(),
            "json": pyarrow.string(),
            "bool": pyarrow.bool_(),
            "int64": pyarrow.int64(),
            "list<string>": pyarrow.list_(pyarrow.string()),
            "list<bool>": pyarrow.list_(pyarrow.bool_()),
            "list<int64>": pyarrow.list_(pyarrow.int64()),
        }
        self.path = path
        self._columns = columns
        self._schema = pyarrow.schema([(name, types[kind]) for name, kind in columns.items()])
        self._table = pyarrow.Table
        self._writer = pyarrow.parquet.ParquetWriter(path, self._schema, compression="zstd")
        self._rows: list[dict[str, Any]] = []

    def write(self, row: Mapping[str, Any]) -> None:
        self._rows.append({name: _cell(row.get(name), kind) for name, kind in self._columns.items()})
        if len(self._rows) >= _ROW_GROUP:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(self._table.from_pylist(self._rows, schema=self._schema))
            self._rows.clear()

    def close(self) -> None:
        self._flush()
        self._writer.close()


def _cell(value: Any, kind: str) -> Any:
    if value is None or not (kind == "json" or (kind == "string" and not isinstance(value, str))):
        return value
    return json.dumps(value, ensure_ascii=False)


CONTAINERS: Final[dict[str, type[JsonLines] | type[Parquet]]] = {"jsonl": JsonLines, "parquet": Parquet}


def written(path: Path) -> Written:
    """Size and hash of a finished file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    return Written(path.name, path.stat().st_size, digest.hexdigest())
