"""No rule without something to dress: every class that a stylesheet names occurs in a template, a script or code."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILT = re.compile("(is|by)-")
"""Put together by templates from a rating and from who gave it."""
OTHERS = re.compile("(katex|htmx|u)-")
"""Of KaTeX, htmx and uPlot."""


def test_every_class_of_the_stylesheets_is_used() -> None:
    sheets = "".join(path.read_text() for path in (ROOT / "static/css").glob("*.css"))
    selectors = "".join(re.findall(r"([^{}]*)\{", re.sub(r"/\*.*?\*/|url\([^)]*\)", "", sheets, flags=re.DOTALL)))
    classes = set(re.findall(r"\.([a-zA-Z][\w-]*)", selectors))
    users = [
        *(ROOT / "templates").rglob("*.html"),
        *(ROOT / "static/js").glob("*.js"),
        *(ROOT / "annotator").rglob("*.py"),
    ]
    words = set(re.findall(r"[\w-]+", "".join(path.read_text() for path in users)))
    assert len(classes) > 100
    assert not {name for name in classes - words if not BUILT.match(name) and not OTHERS.match(name)}
