"""`python -m annotator.worker`: the Celery worker with its scheduler, as the embedded stack runs them.

Two pool processes and the scheduler are forked from one process that has imported everything, so that they share its
memory; and Celery's command line, which takes a second and 10 MiB to import, is left out. On machines of their own,
`celery -A annotator.celery worker` and `celery -A annotator.celery beat` do the same.
"""

from __future__ import annotations

import gc
import sys

from annotator.celery import app


def main() -> int:
    """Work until a signal says stop."""
    app.loader.import_default_modules()
    gc.collect()
    gc.freeze()  # else the first collection in a child writes to, and so copies, every page that holds an object
    worker = app.Worker(
        pool="prefork",
        concurrency=2,
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
