"""The same migrations and refusals on a PostgreSQL that the machine has (Debian 12: version 15)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from annotator.embedded.home import CHECKOUT
from annotator.embedded.postgres import WHEEL, installations, major_version
from tests.fixtures.database import server
from tests.fixtures.stack import new_stack

CONSTRAINTS = "tests/unit/annotator/test_constraints.py"


def oldest() -> Path:
    """Binaries of the oldest PostgreSQL that was installed on the machine; skips where there is none."""
    older = [path for path in installations() if major_version(path) < 18 and WHEEL not in str(path)]
    if not older:
        pytest.skip("no older PostgreSQL here (Debian: apt-get install postgresql)")
    return older[-1]


def test_migrations_and_constraints_hold_on_an_older_postgres(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "STEPWISE_", "COV_"))}
    with server(tmp_path, oldest()) as postgres:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", CONSTRAINTS],
            cwd=CHECKOUT,
            env={**kept, "DATABASE_URL": postgres.url("postgres"), "CELERY_BROKER_URL": ""},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-4000:]


@pytest.mark.xdist_group("stack")
def test_the_stack_runs_on_servers_from_outside(tmp_path: Path, broker: str) -> None:
    with server(tmp_path, oldest()) as postgres:
        postgres.create_database("outside")
        outside = {"DATABASE_URL": postgres.url("outside"), "CELERY_BROKER_URL": broker}
        with new_stack(STEPWISE_SAMPLE="0", **outside) as stack:
            stack.start()
            stack.wait_ready()
            assert not (stack.home / "postgres").exists()
            assert not (stack.home / "broker").exists()
            assert stack.stop() == 0
        assert postgres.answers()
