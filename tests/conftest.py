"""Fixtures for all tests; the servers behind them start when the first test asks."""

from __future__ import annotations

import os
import shutil

import pytest

pytest_plugins = [
    "tests.fixtures.database",
    "tests.fixtures.broker",
    "tests.fixtures.simulator",
    "tests.fixtures.stack",
    "tests.fixtures.browser",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by their folder, and put the browser's last: Playwright's event loop stays in the thread for good.

    The longest of those comes first, or one worker of pytest-xdist would wait for the other's at the end.
    """
    for item in items:
        for folder in ("integration", "browser"):
            if f"tests/{folder}/" in item.path.as_posix():
                item.add_marker(folder)
    items.sort(key=_place)


def _place(item: pytest.Item) -> tuple[bool, bool]:
    return item.get_closest_marker("browser") is not None, "live_stack" not in getattr(item, "fixturenames", ())


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.get("STEPWISE_TEST_HOME", "/nonexistent"), ignore_errors=True)
