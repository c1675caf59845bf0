"""A slow network: requests that are kept back until the test lets them go."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route


class Held:
    """Requests to an address that the network keeps back until `release`, and what the page asked since."""

    def __init__(self, page: Page, address: str) -> None:
        self.kept: list[Route] = []
        self.asked: list[str] = []
        """The last part of every address, in the order of the requests."""
        self._page = page
        self._open = False
        page.route(address, self._keep)
        page.on("request", lambda request: self.asked.append(request.url.rstrip("/").rsplit("/", 1)[-1]))

    def _keep(self, route: Route) -> None:
        if self._open:
            route.continue_()
        else:
            self.kept.append(route)

    def wait(self) -> None:
        """Until the first request is kept back."""
        for _ in range(1500):
            if self.kept:
                return
            self._page.wait_for_timeout(20)
        pytest.fail(f"nothing was asked: {self.asked}")

    def release(self) -> None:
        self._open = True
        for route in self.kept:
            route.continue_()
