"""How fast annotators claim and submit, how long a claim takes, and whether anybody gets what another has.

Each annotator claims a solution of 8 steps, rates its steps and submits, without a pause, through `annotator.queue`:
database, settlement and all, but no HTTP. The database is an embedded PostgreSQL of its own with the settings of
`make run` (every commit reaches the disk), or the one that --database-url names. Annotators are threads in as many
processes as there are processors. Cases come from --cases: solutions in the queue, annotators, leases that others hold.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing.synchronize import Barrier as ProcessBarrier
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.setting import database, set_up

if TYPE_CHECKING:
    from annotator.models import Project

CASES: Final = Path(__file__).parent / "cases" / "queue.json"
STEPS: Final = 8
SOLUTIONS: Final = """
WITH problem AS (
    INSERT INTO annotator_problem (code, project_id, statement, answer, key, created_at)
    VALUES ('bench', %(project)s, 'What is 9 + 9?', '18', 'bench', now()) RETURNING id
), solution AS (
    INSERT INTO annotator_solution (code, project_id, problem_id, source, source_id, content_hash, text, step_count,
        generator, meta, status, created_at)
    SELECT 's' || lpad(number::text, 11, '0'), %(project)s, problem.id, 'bench', number::text, number::text,
        repeat('x', %(steps)s * 40), %(steps)s, 'bench', '{}', 'queued', now()
    FROM problem, generate_series(1, %(count)s) AS number RETURNING id
), step AS (
    INSERT INTO annotator_step (solution_id, index, start, "end")
    SELECT solution.id, index, index * 40, (index + 1) * 40
    FROM solution, generate_series(0, %(steps)s - 1) AS index
)
INSERT INTO annotator_slot (project_id, solution_id, number, purpose, state, priority)
SELECT %(project)s, solution.id, 1, 'label', 'free', random() FROM solution
"""


@dataclass(frozen=True, slots=True)
class Case:
    solutions: int
    annotators: int
    leases: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    solutions: int
    annotators: int
    leases: int
    cycles: int
    cycles_per_second: float
    claim_ms_p50: float
    claim_ms_p95: float
    submit_ms_p50: float
    duplicates: int


@dataclass(frozen=True, slots=True)
class Worked:
    """What one annotator did: solutions by pk, and how long each claim and submit took, in seconds."""

    done: list[int]
    claims: list[float]
    submits: list[float]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.queue", description=__doc__)
    parser.add_argument("--cases", type=Path, default=CASES, help="JSON list of {solutions, annotators, leases?}")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each case works")
    parser.add_argument("--database-url", default="", help="a database to fill, emptied before each case")
    parser.add_argument("--json", type=Path, help="also write the rows here")
    options = parser.parse_args(arguments)
    cases = [Case(**case) for case in json.loads(options.cases.read_text())]
    with database(options.database_url):
        rows = []
        print(f"{'solutions':>9} {'leases':>7} {'annotators':>10} {'cycles/s':>9} {'claim p50':>10} {'p95':>8} "
              f"{'submit p50':>11} {'duplicates':>11}")  # fmt: skip
        for case in cases:
            row = measure(case, options.seconds)
            rows.append(row)
            print(f"{row.solutions:>9} {row.leases:>7} {row.annotators:>10} {row.cycles_per_second:>9.1f} "
                  f"{row.claim_ms_p50:>7.1f} ms {row.claim_ms_p95:>5.1f} ms {row.submit_ms_p50:>8.1f} ms "
                  f"{row.duplicates:>11}", flush=True)  # fmt: skip
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    if any(row.duplicates for row in rows):
        raise SystemExit("some solution was given to two annotators")


def measure(case: Case, seconds: float) -> Row:
    """One case on a fresh queue."""
    from django.db import connections

    project = _fill(case)
    connections.close_all()  # a forked or spawned worker must not share ours
    processes = min(case.annotators, os.cpu_count() or 1)
    shares = [case.annotators // processes + (i < case.annotators % processes) for i in range(processes)]
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(processes)
    with context.Pool(processes, initializer=_begin, initargs=(barrier,)) as pool:
        asked = [pool.apply_async(_work_process, (project.pk, share, seconds)) for share in shares]
        worked = [each for result in asked for each in result.get(timeout=seconds + 300)]
    done = Counter(pk for each in worked for pk in each.done)
    claims = sorted(took for each in worked for took in each.claims)
    submits = [took for each in worked for took in each.submits]
    cycles = done.total()
    return Row(
        case.solutions,
        case.annotators,
        case.leases,
        cycles,
        sum(len(each.done) / sum(each.claims + each.submits) for each in worked if each.done),
        1000 * statistics.median(claims),
        1000 * claims[int(0.95 * (len(claims) - 1))],
        1000 * statistics.median(submits),
        cycles - len(done),
    )


def _fill(case: Case) -> Project:
    """An empty database with one project, its queue, and leases that others hold."""
    from django.db import connection

    from annotator import queue
    from annotator.models import Project, Rater

    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE annotator_project, annotator_rater CASCADE")
        project = Project.objects.create(slug="bench", name="Bench", lease_minutes=24 * 60)
        cursor.execute(SOLUTIONS, {"project": project.pk, "count": case.solutions + case.leases, "steps": STEPS})
        cursor.execute("VACUUM ANALYZE")
    holder = Rater.objects.create()
    for _ in range(case.leases):
        queue.claim(project, holder)
    return project


_barrier: ProcessBarrier | None = None


def _begin(barrier: ProcessBarrier) -> None:
    global _barrier
    _barrier = barrier
    set_up()


def _work_process(project: int, annotators: int, seconds: float) -> list[Worked]:
    from annotator.models import Project, Rater

    row = Project.objects.get(pk=project)
    raters = [Rater.objects.create() for _ in range(annotators)]
    assert _barrier is not None
    _barrier.wait()
    with ThreadPoolExecutor(annotators) as pool:
        return list(pool.map(lambda rater: _work(row, rater, seconds), raters))


def _work(project: Any, rater: Any, seconds: float) -> Worked:
    from django.db import connection

    from annotator import queue

    ratings = tuple(queue.RatingInput(index, "1") for index in range(STEPS))
    good = queue.Submission(ratings, "solution", seconds=30.0)
    bad_at = random.Random(rater.pk)
    worked = Worked([], [], [])
    connection.ensure_connection()
    end = time.monotonic() + seconds
    while (start := time.perf_counter()) and time.monotonic() < end:
        assignment = queue.claim(project, rater)
        claimed = time.perf_counter()
        if assignment is None:
            break
        wrong = bad_at.randrange(2 * STEPS)
        bad = queue.Submission((*ratings[:wrong], queue.RatingInput(wrong, "-1")), "found_error", seconds=30.0)
        queue.submit(assignment.code, rater, bad if wrong < STEPS else good, key=f"{rater.pk}-{assignment.pk}")
        worked.done.append(assignment.solution_id)
        worked.claims.append(claimed - start)
        worked.submits.append(time.perf_counter() - claimed)
    connection.close()
    return worked


if __name__ == "__main__":
    main()
