"""axe-core against a page, in both themes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Page

AXE: Final = Path(__file__).with_name("axe.min.js")
THEMES: Final = ("light", "dark")
_RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def assert_accessible(page: Page, *, themes: tuple[str, ...] = THEMES) -> None:
    """No violation of WCAG 2.2 AA or axe's best practices on the page as it stands, in each theme.

    axe runs through the browser's debugger, so the page's content policy stays in force for the page itself.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    for theme in themes:
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
        options = {"runOnly": {"type": "tag", "values": _RULES}, "resultTypes": ["violations"]}
        found: list[dict[str, Any]] = page.evaluate("options => axe.run(document, options)", options)["violations"]
        assert not found, f"{page.url} ({theme}):\n" + "\n".join(map(_in_words, found))


def _in_words(violation: dict[str, Any]) -> str:
    nodes = [f"    {node['html'][:160]}\n      {node['failureSummary']}" for node in violation["nodes"][:4]]
    return f"  {violation['id']}: {violation['help']} ({len(violation['nodes'])})\n" + "\n".join(nodes)
