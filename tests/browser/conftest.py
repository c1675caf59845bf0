"""Signing in without the form, and themes, for tests that drive a browser against Django's live server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import get_ident
from urllib.request import urlopen

import pytest
from django.conf import settings
from django.core.signals import request_finished, request_started
from django.test import Client
from playwright.sync_api import Page, Request, Response
from pytest_django.live_server_helper import LiveServer

from annotator.models import Person
from tests.fixtures.broker import eventually

_busy: set[int] = set()
"""Threads of the live server that are answering a request."""


@request_started.connect
def _begins(**_: object) -> None:
    _busy.add(get_ident())


@request_finished.connect
def _ends(**_: object) -> None:
    _busy.discard(get_ident())


@pytest.fixture
def sign_in(page: Page, live_server: LiveServer) -> Iterator[Callable[[Person], Page]]:
    """`sign_in(person)`: the page, with that person's session; addresses are relative to the server."""
    # Not the set's own methods: Playwright keeps its bookkeeping on what it is handed.
    asked: set[Request] = set()

    def begins(request: Request) -> None:
        asked.add(request)

    def fails(request: Request) -> None:
        asked.discard(request)

    def ends(response: Response) -> None:
        asked.discard(response.request)

    page.on("request", begins)
    page.on("requestfailed", fails)
    page.on("response", ends)

    def sign(person: Person) -> Page:
        client = Client()
        client.force_login(person)
        name = settings.SESSION_COOKIE_NAME
        page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
        return page

    yield sign
    # A draft that is being saved must not meet the emptying of its table: that is a deadlock.
    page.context.set_offline(False)
    eventually(lambda: not asked or page.wait_for_timeout(20), what="the end of what the page asked")
    page.goto("about:blank")
    urlopen(f"{live_server.url}/healthz").close()  # whatever the page sent on leaving came before this
    eventually(lambda: not _busy, what="the end of the server's last answers")


@pytest.fixture(scope="session")
def base_url(live_server: LiveServer) -> str:
    """`page.goto("/projects/…")` goes to the live server."""
    return str(live_server.url)
