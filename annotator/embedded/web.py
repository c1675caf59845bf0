"""Configuration of gunicorn: `gunicorn --config python:annotator.embedded.web annotator.wsgi:application`."""

from __future__ import annotations

import os
from typing import Final

from annotator.embedded.process import die_with_parent

_HOST: Final = os.environ.get("HOST") or "127.0.0.1"
_PORT: Final = os.environ.get("PORT") or "8000"

bind = f"[{_HOST}]:{_PORT}" if ":" in _HOST else f"{_HOST}:{_PORT}"
worker_class = "gthread"
workers = 1
threads = 8
timeout = 60
graceful_timeout = 8
keepalive = 30
control_socket_disable = True
loglevel = "warning"


def post_fork(arbiter: object, worker: object) -> None:
    """A worker that outlives a killed arbiter would hold the port."""
    die_with_parent()
