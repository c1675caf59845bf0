"""Settings of the tests: the project's own, over a home and servers of their own."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

_HOME = Path(os.environ.setdefault("STEPWISE_TEST_HOME", tempfile.mkdtemp(prefix="sw-")))
_OURS = ("STEPWISE_TEST_", "STEPWISE_TEST")

# What a developer's shell sets for `make run` must not reach the tests; an outside database is asked for by its URL.
for _name in list(os.environ):
    if _name.startswith("STEPWISE_") and not _name.startswith(_OURS):
        del os.environ[_name]
for _name in ("HOST", "PORT", "OPENAI_BASE_URL", "OPENAI_API_KEY"):
    os.environ.pop(_name, None)

TEST_BROKER_SOCKET = _HOME / f"broker-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}" / "broker.sock"
os.environ["STEPWISE_HOME"] = str(_HOME / "home")
os.environ["STEPWISE_PLAIN_STATIC"] = "1"
# Nobody listens there until a test asks for the `broker`; until then sending a task fails at once, as in a bad hour.
_OUTSIDE = os.environ.setdefault("STEPWISE_TEST_BROKER_URL", os.environ.get("CELERY_BROKER_URL", ""))
os.environ["CELERY_BROKER_URL"] = _OUTSIDE or f"redis+socket://{TEST_BROKER_SOCKET}"
# Playwright keeps an event loop in the thread of the tests, where Django would refuse its ORM.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

from annotator.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ALLOWED_HOSTS = ["*"]
