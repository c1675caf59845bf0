"""Files in: what is accepted, what is kept, what is told of it."""

from __future__ import annotations

import hashlib
import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from annotator import intake
from annotator.models import Event, Intake, Project, Solution
from tests import factories as make
from tests.unit.annotator.api.caller import Caller, fields_of, json_of, problem_of

ROWS = b'{"id": "a", "problem": "1 + 1?", "steps": ["1 + 1 = 2"], "answer": "2", "first_error": -1}\n'


def path_of(project: Project, **options: str) -> str:
    query = "&".join(f"{name}={value}" for name, value in {"format": "native", **options}.items())
    return f"projects/{project.slug}/intake/?{query}"


def received(caller: Caller, project: Project, content: bytes, **options: str) -> Intake:
    answer = json_of(caller.send(path_of(project, **options), content), 202)
    assert answer["id"] == answer["code"]
    return Intake.objects.get(code=answer["id"])


@pytest.mark.parametrize(
    "content_type",
    [
        "application/octet-stream",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json",
        "application/x-ndjson",
        "text/plain; charset=latin-1",
        "",
    ],
)
def test_a_file_is_kept_byte_for_byte_whatever_its_type(content_type: str, manager: Caller, project: Project) -> None:
    content = ROWS + "é%26=+\u2028".encode() + b"\0\xff"
    answer = json_of(manager.send(path_of(project, name="a.jsonl"), content, content_type), 202)
    kept = Intake.objects.get(code=answer["id"])
    assert Path(kept.path).read_bytes() == content
    assert (kept.name, kept.bytes, kept.sha256) == ("a.jsonl", len(content), hashlib.sha256(content).hexdigest())
    assert kept.created_by == manager.person


def test_a_file_larger_than_any_form_may_be_is_kept(manager: Caller, project: Project, settings: Any) -> None:
    content = ROWS * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE // len(ROWS) + 2)
    assert received(manager, project, content).bytes == len(content) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE


def test_an_intake_tells_its_state_counts_and_refusals(manager: Caller, project: Project) -> None:
    broken = b'{"id": "b", "problem": "1 + 2?"}\nno json\n'
    kept = received(manager, project, ROWS + ROWS + broken)
    before = json_of(manager.get(f"intakes/{kept.code}/"))
    assert (before["state"], before["counts"]) == ("queued", {"read": 0, "new": 0, "known": 0, "refused": 0})
    intake.read(kept.pk)
    after = json_of(manager.get(f"intakes/{kept.code}/"))
    assert (after["state"], after["detail"]) == ("done", "")
    assert after["counts"] == {"read": 4, "new": 1, "known": 1, "refused": 2}
    assert [refusal["line"] for refusal in after["refusals"]] == [3, 4]
    assert all(refusal["reason"] and refusal["excerpt"] for refusal in after["refusals"])
    assert after["refusals"][0]["field"] == "steps"


def test_a_failed_intake_says_why(manager: Caller, project: Project) -> None:
    kept = received(manager, project, b"\n")
    intake.read(kept.pk)
    told = json_of(manager.get(f"intakes/{kept.code}/"))
    assert told["state"] == "failed"
    assert told["detail"]


def test_options_go_with_the_file(manager: Caller, project: Project) -> None:
    kept = received(manager, project, ROWS, source="mine", splitter="lines", **{"as": "evidence"})
    assert kept.options.items() >= {"source": "mine", "splitter": "lines", "labels_as": "evidence"}.items()


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"format": ""}, "format"),
        ({"format": "csv"}, "format"),
        ({"format": "%00"}, "format"),
        ({"splitter": "none"}, "options.splitter"),
        ({"as": "truth"}, "options.as"),
        ({"container": "zip"}, "options.container"),
        ({"sorce": "x"}, "options.sorce"),
        ({"source": "x" * 121}, "options.source"),
        ({"source": "%00"}, "source"),
        ({"name": "a%00b"}, "name"),
    ],
)
def test_a_bad_option_is_named_and_no_file_kept(
    options: dict[str, str], field: str, manager: Caller, project: Project, files: Path
) -> None:
    assert fields_of(manager.send(path_of(project, **options), ROWS)) == [field]
    assert not Intake.objects.exists()
    assert not [path for path in files.rglob("*") if path.is_file()]


def test_a_file_without_a_byte_is_refused(manager: Caller, project: Project, files: Path) -> None:
    assert fields_of(manager.send(path_of(project), b"")) == ["file"]
    assert not list(files.glob("intake/*"))


def test_a_body_that_breaks_off_is_not_taken_for_a_file(manager: Caller, project: Project, files: Path) -> None:
    broken = {"wsgi.input": BytesIO(ROWS[:20]), "CONTENT_LENGTH": str(len(ROWS))}
    response = manager.client.generic("POST", f"/api/v1/{path_of(project)}", b"", "text/plain", **broken)  # type: ignore[arg-type]
    assert "20 of" in problem_of(response, 400)["detail"]
    assert not Intake.objects.exists()
    assert not list(files.glob("intake/*"))


def test_a_chunked_body_asks_for_a_server_that_ends_it(manager: Caller, project: Project) -> None:
    """gunicorn does: tests/integration/api. Another one might never end, for nothing says how long it is."""
    response = manager.call("POST", path_of(project), headers={"Transfer-Encoding": "chunked"})
    problem_of(response, 411)


def test_an_archived_project_takes_no_file(manager: Caller, project: Project) -> None:
    project.archive()
    problem_of(manager.send(path_of(project), ROWS), 409)


def test_intakes_are_listed_newest_first(manager: Caller, project: Project) -> None:
    first, second = received(manager, project, ROWS), received(manager, project, ROWS)
    listed = json_of(manager.get(f"projects/{project.slug}/intake/"))["results"]
    assert [row["code"] for row in listed] == [second.code, first.code]


def test_a_withdrawn_intake_says_so_and_takes_its_solutions_along(manager: Caller, project: Project) -> None:
    kept = received(manager, project, ROWS)
    intake.read(kept.pk)
    assert json_of(manager.post(f"intakes/{kept.code}/withdraw/"))["withdrawn"] is True
    assert not Solution.objects.live().exists()
    assert Event.objects.get(kind="intake.withdrawn").actor == manager.person
    problem_of(manager.post(f"intakes/{kept.code}/withdraw/"), 409)


def test_a_refusal_quotes_what_was_sent_exactly(manager: Caller, project: Project) -> None:
    row = json.dumps({"problem": "\ud800 and \0 and \u241b", "steps": 5}).encode()
    kept = received(manager, project, row)
    intake.read(kept.pk)
    [refusal] = json_of(manager.get(f"intakes/{kept.code}/"))["refusals"]
    assert "\u241b" in refusal["excerpt"]


def test_an_intake_of_another_project_is_not_there(outsider: Caller, project: Project) -> None:
    problem_of(outsider.get(f"intakes/{make.make_intake(project).code}/"), 404)
