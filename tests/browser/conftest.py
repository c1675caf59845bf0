"""Signing in without the form, and themes, for tests that drive a browser against Django's live server."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from annotator.models import Person


@pytest.fixture
def sign_in(page: Page, live_server: LiveServer) -> Callable[[Person], Page]:
    """`sign_in(person)`: the page, with that person's session; addresses are relative to the server."""

    def sign(person: Person) -> Page:
        client = Client()
        client.force_login(person)
        name = settings.SESSION_COOKIE_NAME
        page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
        return page

    return sign


@pytest.fixture(scope="session")
def base_url(live_server: LiveServer) -> str:
    """`page.goto("/projects/…")` goes to the live server."""
    return str(live_server.url)
