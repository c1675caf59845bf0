"""Rows and files for the tests of intake and exports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from annotator import intake
from annotator.models import Intake, Project

DATA = Path(__file__).resolve().parents[5] / "shared" / "data"


def shared(name: str) -> Path:
    """A file of the shared data; the test is skipped where it is not."""
    path = DATA / name
    if not path.exists():
        pytest.skip(f"the shared data are not here: {name}")
    return path


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines() if line.strip()]


def native(row_id: str = "r1", **fields: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": row_id,
        "problem": "What is 2 + 3?",
        "answer": "5",
        "steps": ["2 + 3 is 5.", "So the answer is 5."],
        "source": "test",
    }
    return {name: value for name, value in (row | fields).items() if value is not ...}


def jsonl(*rows: Any) -> bytes:
    return b"".join((row if isinstance(row, bytes) else json.dumps(row).encode()) + b"\n" for row in rows)


def take(project: Project, *rows: Any, format: str = "native", **options: Any) -> Intake:
    """Receive rows and read them at once."""
    received = intake.receive(project, [jsonl(*rows)], format=format, options=options, name="rows.jsonl")
    return intake.read(received.pk)


def counts(read: Intake) -> tuple[int, int, int, int]:
    """Rows read, new, known, refused."""
    return read.rows_read, read.rows_new, read.rows_known, read.rows_refused


def refusals(read: Intake) -> list[tuple[int, str, str]]:
    """Line, field and reason of each."""
    return [(refusal.line, refusal.field, refusal.reason) for refusal in read.refusals.all()]
