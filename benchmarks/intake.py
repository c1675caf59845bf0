"""How long real rows take to come in, come in again, and go out.

Loads native files into an empty project, loads them a second time, which must add nothing, and exports what was
labelled. The database is an embedded PostgreSQL of its own with the settings of `make run` (every commit reaches the
disk), or the one that --database-url names. By default 1,611 rows of ProcessBench, StepVerify and MR-Ben.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.setting import database

DATA: Final = Path(__file__).resolve().parents[2] / "shared" / "data"
FILES: Final = [DATA / f"{name}.public.jsonl" for name in ("processbench", "stepverify", "mr_ben")]
FORMATS: Final = ("native", "trl", "processbench")


@dataclass(frozen=True, slots=True)
class Timed:
    what: str
    rows: int
    new: int
    seconds: float


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.intake", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, help="native rows (default: three files of the shared data)")
    parser.add_argument("--database-url", default="", help="a database to fill")
    parser.add_argument("--json", type=Path, help="write the rows there too")
    options = parser.parse_args(arguments)
    files = options.files or FILES
    if missing := [str(path) for path in files if not path.exists()]:
        print(f"left out, there is no such file: {', '.join(missing)}")
        return
    with database(options.database_url):
        rows = _measure(files)
    print(f"{'':32}{'rows':>8}{'new':>8}{'seconds':>10}{'rows/s':>9}")
    for row in rows:
        print(f"{row.what:32}{row.rows:8}{row.new:8}{row.seconds:10.2f}{row.rows / row.seconds:9.0f}")
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))
    if any(row.new for row in rows if row.what == "second load"):
        sys.exit("the second load added rows")


def _measure(files: Sequence[Path]) -> list[Timed]:
    from annotator import exports, intake
    from annotator.setup import create_project

    project = create_project("intake-benchmark", "Intake benchmark", None)

    def load() -> tuple[int, int]:
        read = [intake.load(path, project, "native") for path in files]
        return sum(each.rows_read for each in read), sum(each.rows_new for each in read)

    def export(format: str) -> tuple[int, int]:
        return exports.make(project, format, {}, None).rows, 0

    timed = [_timed("first load", load), _timed("second load", load)]
    return [*timed, *(_timed(f"export as {name}", partial(export, name)) for name in FORMATS)]


def _timed(what: str, act: Callable[[], tuple[int, int]]) -> Timed:
    start = time.perf_counter()
    rows, new = act()
    return Timed(what, rows, new, time.perf_counter() - start)


if __name__ == "__main__":
    main()
