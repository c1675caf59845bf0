"""What the programs say: all of it into rotated files, what matters to the terminal too."""

from __future__ import annotations

import json
import logging
import re
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

FILE_BYTES: Final = 5 * 2**20
OLD_FILES: Final = 3

ALARM: Final = re.compile(r'"level": "(warning|error|critical)"|\b(WARNING|ERROR|CRITICAL|FATAL)\b|^Traceback')
"""What a line of a Python program looks like that somebody should see."""


def say(text: str) -> None:
    """One message of the supervisor to whoever watches the terminal."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


class Journal:
    """The log of one program: `folder/NAME.log`, and lines that match `alarm` on the terminal with its name."""

    def __init__(self, folder: Path, name: str, alarm: re.Pattern[str]) -> None:
        self.path = folder / f"{name}.log"
        self.last_line = "it said nothing"
        self._name = name
        self._alarm = alarm
        self._partial = b""
        self._file = RotatingFileHandler(self.path, maxBytes=FILE_BYTES, backupCount=OLD_FILES, errors="replace")

    def feed(self, data: bytes) -> None:
        """Take what the program wrote, in whatever pieces it comes; an empty piece is its end."""
        *lines, self._partial = (self._partial + data).split(b"\n")
        if not data and self._partial:
            lines, self._partial = [self._partial], b""
        for line in lines:
            self._write(line.decode(errors="replace"))

    def _write(self, line: str) -> None:
        self._file.emit(logging.makeLogRecord({"msg": line}))
        if line.strip():
            self.last_line = _brief(line)
        if self._alarm.search(line):
            say(f"{self._name:>9} | {_brief(line)}")

    def close(self) -> None:
        self._file.close()


def _brief(line: str) -> str:
    """A JSON line in words; any other line as it is, cut to a readable length."""
    try:
        entry = json.loads(line)
    except ValueError:
        return line.strip()[:300]
    if not isinstance(entry, dict):
        return line.strip()[:300]
    cause = str(entry.pop("exception", "")).strip().splitlines()[-1:]
    hidden = {"level", "timestamp", "event", "logger"}
    details = [f"{name}={value}" for name, value in entry.items() if name not in hidden]
    return " ".join([f"{entry.get('level', '')}: {entry.get('event', '')}", *details, *cause])[:300]
