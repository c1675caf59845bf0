"""`python -m annotator.worker`: the Celery worker with its scheduler, as the embedded stack runs them.

The pool processes and the scheduler are forked from one process that has imported everything, so that they share its
memory; and Celery's command line, which takes a second and 10 MiB to import, is left out. On machines of their own,
`celery -A annotator.celery worker` and `celery -A annotator.celery beat` do the same.
"""

from __future__ import annotations

import gc
import sys
from typing import Final

from annotator.celery import app

POOL: Final = 4
"""A judge's run and a completer's each take a process for minutes; intakes, exports and tests need others meanwhile."""


def main() -> int:
    """Work until a signal says stop."""
    app.loader.import_default_modules()
    gc.collect()
    gc.freeze()  # else the first collection in a child writes to, and so copies, every page that holds an object
    worker = app.Worker(
        pool="prefork",
        concurrency=POOL,
        optimization="fair",
        beat=True,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        quiet=True,
    )
    worker.start()
    return int(worker.exitcode or 0)


if __name__ == "__main__":
    sys.exit(main())
