"""A program drives a project through the API alone: file in, machines look, a person labels, file out."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from annotator.models import Project, Role, join
from reasoning.simulator.world import SAMPLE_PROBLEMS, SAMPLE_SEED, make_problems, native_rows
from tests import factories as make
from tests.fixtures.broker import eventually
from tests.unit.annotator.api.caller import Caller, content, json_of

ROWS = native_rows(make_problems(SAMPLE_PROBLEMS, SAMPLE_SEED), labels=False)[:6]


def ended(caller: Caller, path: str) -> dict[str, Any]:
    """The answer once its work has ended well."""
    eventually(lambda: json_of(caller.get(path))["state"] not in ("queued", "running"), what=path)
    told: dict[str, Any] = json_of(caller.get(path))
    assert told["state"] == "done", told
    return told


def test_the_main_job_through_the_api_alone(worker: Path, url: str) -> None:
    judge = make.make_endpoint("judge", base_url=url, model="simulated/judge", simulated=True)
    admin = Caller(make.make_person(staff=True))
    settings = {"slug": "job", "name": "Job", "judge": judge.name, "threshold": 1.0, "audit_share": 0}
    project = json_of(admin.post("projects/", settings), 201)
    assert project["simulated"] is True

    body = b"".join(json.dumps(row).encode() + b"\n" for row in ROWS)
    code = json_of(admin.send("projects/job/intake/?format=native", body), 202)["id"]
    assert ended(admin, f"intakes/{code}/")["counts"] == {"read": 6, "new": 6, "known": 0, "refused": 0}

    run = json_of(admin.post("projects/job/runs/", {"kind": "judge"}), 202)["id"]
    told = ended(admin, f"runs/{run}/")
    assert (told["progress"]["done"], told["cost"]["calls"], told["simulated"]) == (6, 6, True)

    annotator = Caller(make.make_person())
    assert annotator.person is not None
    join(annotator.person, Project.objects.get(slug="job"), Role.ANNOTATOR)
    labelled = 0
    while (claim := annotator.post("projects/job/claim/")).status_code == 200:
        work = json_of(claim)
        ratings = [{"index": step["index"], "rating": 1} for step in work["steps"]]
        done = {"ratings": ratings, "finish_reason": "solution"}
        json_of(
            annotator.post(f"assignments/{work['assignment']}/submit/", done, **{"Idempotency-Key": work["solution"]}),
            201,
        )
        labelled += 1
    assert labelled > 0

    export = json_of(admin.post("projects/job/exports/", {"format": "trl"}), 202)["code"]
    out = ended(admin, f"exports/{export}/")
    assert out["rows"] == labelled
    [train] = [file for file in out["files"] if file["name"] == "train.jsonl"]
    got = content(admin.get(f"exports/{export}/files/train.jsonl"))
    assert hashlib.sha256(got).hexdigest() == train["sha256"]
    assert all(set(json.loads(line)["labels"]) == {True} for line in got.splitlines())


def test_from_a_file_to_pairs_of_steps_through_the_api_alone(worker: Path, url: str) -> None:
    completer = make.make_endpoint("completer", base_url=url, model="simulated/completer", simulated=True)
    admin = Caller(make.make_person(staff=True))
    settings = {"slug": "trees", "name": "Trees", "completer": completer.name, "threshold": 0.9, "audit_share": 0}
    json_of(admin.post("projects/", settings), 201)
    body = b"".join(json.dumps(row).encode() + b"\n" for row in ROWS)
    ended(admin, f"intakes/{json_of(admin.send('projects/trees/intake/?format=native', body), 202)['id']}/")
    problems = len({row["problem"] for row in ROWS})

    asked = {"kind": "search", "config": {"selections": 3}}
    assert json_of(admin.post("projects/trees/runs/estimate/", asked))["solutions"] == problems
    run = json_of(admin.post("projects/trees/runs/", asked), 202)["id"]
    told = ended(admin, f"runs/{run}/")
    assert told["progress"]["done"] == problems
    assert told["yielded"]["solutions"] > 0

    pairs = json_of(admin.get(f"projects/trees/preferences/?run={run}"))["results"]
    assert len(pairs) == told["yielded"]["preferences"] > 0
    assert all(pair["simulated"] and pair["chosen_value"] > pair["rejected_value"] for pair in pairs)
    solutions = json_of(admin.get("projects/trees/solutions/?page_size=500"))["results"]
    forks = [each for each in solutions if each["forked_from"]]
    assert len(forks) == told["yielded"]["solutions"]
    assert {fork["forked_from"] for fork in forks} <= {each["code"] for each in solutions}

    again = json_of(admin.post("projects/trees/exports/", {"format": "step_dpo", "min_source": "provisional"}), 202)
    out = ended(admin, f"exports/{again['code']}/")
    rows = [json.loads(line) for line in content(admin.get(f"exports/{again['code']}/files/train.jsonl")).splitlines()]
    assert out["rows"] == len(rows) > 0
    assert all(row["full_rejected"].startswith(row["rejected"]) for row in rows)
    assert sum(row["full_chosen"] != row["chosen"] for row in rows) >= len(rows) / 2


@pytest.mark.django_db
def test_health_says_what_works(worker: Path, client: Client) -> None:
    assert client.get("/healthz").status_code == 200
    eventually(lambda: client.get("/readyz").status_code == 200, what="readiness")
    assert client.get("/readyz").json() == {"status": "ready", "database": "ok", "broker": "ok", "worker": "ok"}
    assert b"stepwise_http_requests_total" in client.get("/metrics").content


def test_metrics_are_for_this_machine_or_with_the_token(client: Client, db: None, settings: Any) -> None:
    settings.METRICS_TOKEN = "open"
    elsewhere = {"REMOTE_ADDR": "192.0.2.1"}
    assert client.get("/metrics", **elsewhere).status_code == 403  # type: ignore[arg-type]
    allowed = client.get("/metrics", headers={"Authorization": "Bearer open"}, **elsewhere)  # type: ignore[arg-type]
    assert allowed.status_code == 200
