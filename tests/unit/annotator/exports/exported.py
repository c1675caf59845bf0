"""Exports made and looked into."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from annotator import exports
from annotator.models import Export, ExportFile, Project, WorkState


def made(project: Project, format: str, **choices: Any) -> Export:
    export = exports.make(project, format, choices, None)
    assert export.state == WorkState.DONE, export.detail
    return export


def bytes_of(export: Export, name: str) -> bytes:
    return Path(ExportFile.objects.get(export=export, name=name).path).read_bytes()


def rows_of(export: Export, part: str = "train") -> list[dict[str, Any]]:
    return [json.loads(line) for line in bytes_of(export, f"{part}.jsonl").splitlines()]


def manifest_of(export: Export) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(bytes_of(export, "manifest.json"))
    return manifest
