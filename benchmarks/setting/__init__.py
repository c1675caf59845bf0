"""What benchmarks of the app run in: a migrated database that Django is pointed at, and a folder for files."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def database(url: str = "") -> Iterator[None]:
    """`url`, or an embedded server of the benchmark's own that ends with the block.

    Goes through the environment, so that processes started inside the block find the same database.
    """
    from annotator.embedded.home import Home
    from annotator.embedded.postgres import Postgres, choose_binaries

    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="stepwise-bench-")))
        if not url:
            home = Home(folder)
            home.run.mkdir()
            binaries = choose_binaries(home.postgres)
            Postgres(home.postgres, folder, binaries).prepare()
            postgres = Postgres(home.postgres, home.socket_folder(home.postgres), binaries)
            stack.enter_context(postgres.running())
            postgres.create_database("stepwise")
            url = postgres.url("stepwise")
        os.environ.update(DATABASE_URL=url, STEPWISE_HOME=str(folder), DJANGO_SETTINGS_MODULE="annotator.settings")
        set_up()
        from django.core.management import call_command
        from django.db import connections

        call_command("migrate", verbosity=0)
        try:
            yield
        finally:
            connections.close_all()


def set_up() -> None:
    """Load Django once the environment says where its database is."""
    import django

    django.setup()
