"""Lists come in pages, by one rule: as many rows as were asked for, and as few queries however many those are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotator.models import Export, Fit, Project, Snapshot
from tests import factories as make
from tests.unit.annotator.api.caller import Caller, fields_of, json_of


def _solution(project: Project, number: int) -> None:
    solution = make.make_solution(problem=make.make_problem(project, answer=None if number % 2 else "18"))
    make.make_judgement(solution, -1)
    make.make_rollouts(solution, 1, right=1, wrong=1)
    make.make_score(solution, [0.5] * solution.step_count)
    make.make_posterior(solution, [1 / (solution.step_count + 1)] * (solution.step_count + 1))
    make.make_annotation(solution, make.make_rater(), "1", "-1")


def _run(project: Project, number: int) -> None:
    run = make.make_run(project, "search", endpoint=make.make_endpoint("completer"))
    run.items.create(solution=make.make_solution(project), state="failed", detail=f"reason {number}")


def _preference(project: Project, number: int) -> None:
    make.make_preference(make.make_solution(project), make.make_run(project, "search"))


def _export(project: Project, number: int) -> None:
    snapshot = Snapshot.objects.create(project=project, cutoff=timezone.now())
    made = Export.objects.create(project=project, snapshot=snapshot, format="trl", choices_hash="x", choices={})
    made.files.create(name="train.jsonl", bytes=1, sha256=f"{number:064}", path="")


ROWS: Final[dict[str, Callable[[Project, int], Any]]] = {
    "projects/": lambda project, number: make.make_project(judge=make.make_endpoint(), completer=make.make_endpoint()),
    "projects/{slug}/solutions/": _solution,
    "projects/{slug}/preferences/": _preference,
    "projects/{slug}/runs/": _run,
    "projects/{slug}/fits/": lambda project, number: Fit.objects.create(project=project, state="failed"),
    "projects/{slug}/intake/": lambda project, number: make.make_intake(project),
    "projects/{slug}/exports/": _export,
}
"""Every list that comes in pages, and how to add a row to it."""


@pytest.mark.parametrize("path", ROWS)
def test_a_list_takes_as_many_queries_however_many_its_rows(path: str, project: Project, admin: Caller) -> None:
    taken = []
    json_of(admin.get("projects/"))  # the token's first use is written down
    for number in (0, 1, 2, 3, 4, 5):
        ROWS[path](project, number)
        if number in (1, 5):
            with CaptureQueriesContext(connection) as queries:
                listed = json_of(admin.get(path.format(slug=project.slug)))["results"]
            assert len(listed) > number
            taken.append([query["sql"] for query in queries])
    assert len(taken[0]) == len(taken[1]), taken[1]


@pytest.mark.parametrize("path", ROWS)
@pytest.mark.parametrize("size", ["abc", "0", "-1", "", "1.5", "1e3", "١", "00", " 1", "0x10", "True"])
def test_a_page_size_that_is_no_number_from_1_is_named(path: str, size: str, project: Project, admin: Caller) -> None:
    assert fields_of(admin.get(f"{path.format(slug=project.slug)}?page_size={quote(size)}")) == ["page_size"]


@pytest.mark.parametrize("size", ["500", "501", "0501", "9" * 5000])
def test_more_than_a_page_may_hold_is_a_page_that_is_full(size: str, project: Project, admin: Caller) -> None:
    Fit.objects.bulk_create(Fit(project=project, state="failed") for _ in range(501))
    listed = json_of(admin.get(f"projects/{project.slug}/fits/?page_size={size}"))
    assert len(listed["results"]) == 500
    assert len(json_of(admin.get(listed["next"]))["results"]) == 1


@pytest.mark.parametrize("cursor", ["abc", "%00", "cD1hYmM=", quote("cD0" + "9" * 30), "é"])
def test_a_cursor_that_no_page_gave_is_named(cursor: str, project: Project, admin: Caller) -> None:
    assert fields_of(admin.get(f"projects/{project.slug}/fits/?cursor={cursor}")) == ["cursor"]
