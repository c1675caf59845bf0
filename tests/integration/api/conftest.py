"""The web process as `make run` starts it, on the tests' own database."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from annotator.embedded.home import CHECKOUT, LOOPBACK
from tests.fixtures.broker import ended_by, eventually
from tests.fixtures.database import current_url
from tests.fixtures.stack import free_port


@pytest.fixture(scope="session")
def _gunicorn(broker: str, django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("web") / "web.log"
    port = free_port()
    url = f"http://{LOOPBACK}:{port}"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "gunicorn",
                "--config",
                "python:annotator.embedded.web",
                "annotator.wsgi:application",
            ],
            cwd=CHECKOUT,
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "annotator.settings",
                "DATABASE_URL": current_url(),
                "CELERY_BROKER_URL": broker,
                "PORT": str(port),
            },
            stdout=output,
            stderr=output,
        )
    with ended_by(process, signal.SIGTERM):
        try:
            eventually(lambda: answers(url), within=60, what="the web server's answer")
        except pytest.fail.Exception:
            pytest.fail(f"gunicorn does not answer:\n{log.read_text()[-4000:]}")
        yield url
        Path(log).unlink()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture
def web(_gunicorn: str, transactional_db: None) -> str:
    """Address of a gunicorn over the test's database; rows must be committed for it to see them."""
    return _gunicorn
