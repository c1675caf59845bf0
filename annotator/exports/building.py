"""Write the rows, the card and the manifest of one export into a folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from annotator.exports import manifest
from annotator.exports.choices import Choices
from annotator.exports.counting import Counts, consider
from annotator.exports.files import CONTAINERS, RowFile, Written, written
from annotator.exports.formats import Writer, writer_of
from annotator.exports.items import BATCH, Item
from annotator.exports.splits import part_of
from annotator.models import Export
from reasoning.statements import normalised

HOLD_SECONDS: Final = 120.0
"""An export whose worker was killed is handed on after this long; the hold is renewed with every batch."""


class Cancelled(Exception):
    """Somebody cancelled the export, or another worker took it over."""


def write(export: Export, folder: Path) -> tuple[list[Written], Counts]:
    """All files of an export, the manifest last. Raises Cancelled, OSError."""
    writer = writer_of(export.format)
    choices = Choices.parse(export.choices, writer.defaults, writer.allowed)
    counts = Counts()
    parts = _Parts(folder, writer, choices)
    try:
        for item in writer.items(export.project, export.snapshot.cutoff, texts=True, looks=choices.evidence == "keep"):
            if counts.solutions % BATCH == 0:
                _tell(export, counts)
            if not _fits(item, writer, choices):
                counts.solutions += 1
                counts.left_out["its text holds lone surrogates, which readers of this format refuse"] += 1
                continue
            goes_out, labels = consider(item, writer, choices, counts)
            if goes_out:
                parts.write(item, writer.row(item, labels))
    finally:
        parts.close()
    content = manifest.manifest(export, writer, choices, counts, parts.described())
    (folder / "README.md").write_text(manifest.card(content, writer), encoding="utf-8")
    files = [written(folder / "README.md"), *(written(file.path) for file in parts.files.values())]
    files.sort(key=lambda file: file.name)
    (folder / "manifest.json").write_bytes(manifest.as_bytes(content, files))
    return [*files, written(folder / "manifest.json")], counts


class _Parts:
    """One file a part of the split, made when its first row comes."""

    def __init__(self, folder: Path, writer: Writer, choices: Choices) -> None:
        self._folder, self._writer, self._choices = folder, writer, choices
        self.files: dict[str, RowFile] = {}
        self._rows: dict[str, int] = {}
        self._problems: dict[str, set[int]] = {}

    def write(self, item: Item, row: dict[str, Any]) -> None:
        name = part_of(item.problem, self._choices.split)
        self._open(name).write(row)
        self._rows[name] += 1
        self._problems[name].add(hash(normalised(item.problem)))

    def _open(self, name: str) -> RowFile:
        if name not in self.files:
            path = self._folder / f"{name}.{self._choices.container}"
            self.files[name] = CONTAINERS[self._choices.container](path, self._writer.columns)
            self._rows[name], self._problems[name] = 0, set()
        return self.files[name]

    def close(self) -> None:
        if not self.files:
            self._open(self._choices.split[0][0])
        for file in self.files.values():
            file.close()

    def described(self) -> list[dict[str, Any]]:
        """In the order of the split; a part without rows has no file, for readers refuse empty ones."""
        return [
            {"name": name, "file": self.files[name].path.name, "rows": self._rows[name], "problems": len(seen)}
            for name, _ in self._choices.split
            if name in self.files and (seen := self._problems[name]) is not None
        ]


def _tell(export: Export, counts: Counts) -> None:
    if not (export.hold(HOLD_SECONDS) and export.held_rows.update(rows=counts.rows)):
        raise Cancelled


def _fits(item: Item, writer: Writer, choices: Choices) -> bool:
    """Can its texts be written where lone surrogates cannot stand? JSON Lines hold them as escapes."""
    texts = [item.problem, item.text, item.generator, item.source_id or ""]
    texts += [item.pair.chosen, item.pair.rejected, item.pair.rest] if item.pair else []
    if choices.container == "parquet":
        others = (item.answer, item.source, item.kept, item.meta, item.annotators, item.evidence)
        texts += [json.dumps(other, ensure_ascii=False) for other in others]
    elif not writer.strict:
        return True
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        return False
    return True
