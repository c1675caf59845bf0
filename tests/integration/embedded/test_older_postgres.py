"""The same migrations and refusals on a PostgreSQL that the machine has (Debian 12: version 15)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from annotator.embedded.home import CHECKOUT
from annotator.embedded.postgres import installations, major_version
from tests.fixtures.database import server

CONSTRAINTS = "tests/unit/annotator/test_constraints.py"


def test_migrations_and_constraints_hold_on_an_older_postgres(tmp_path: Path) -> None:
    older = [
        binaries for binaries in installations() if major_version(binaries) < 18 and "pgserver" not in str(binaries)
    ]
    if not older:
        pytest.skip("no older PostgreSQL here (Debian: apt-get install postgresql)")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "STEPWISE_", "COV_"))}
    with server(tmp_path, older[-1]) as postgres:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", CONSTRAINTS],
            cwd=CHECKOUT,
            env={**kept, "DATABASE_URL": postgres.url("postgres"), "CELERY_BROKER_URL": ""},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-4000:]
