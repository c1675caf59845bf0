"""Exports asked for and told of; their files to the byte."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from annotator import exports, settlement
from annotator.models import Export, ExportFile, Project, Role
from tests import factories as make
from tests.unit.annotator.api.caller import Caller, content, fields_of, json_of, problem_of


@pytest.fixture
def project(db: None) -> Project:
    """One solution that a person labelled."""
    project = make.make_project()
    solution = make.make_solution(project, steps=["One.", "Two."])
    make.make_annotation(solution, make.make_rater(), "1", "-1")
    settlement.settle(solution)
    return project


@pytest.fixture
def file(trainer: Caller, project: Project) -> ExportFile:
    code = asked(trainer, project, format="native")
    exports.build(Export.objects.get(code=code).pk)
    return ExportFile.objects.get(export__code=code, name="train.jsonl")


def asked(caller: Caller, project: Project, **body: Any) -> str:
    answer = json_of(caller.post(f"projects/{project.slug}/exports/", body), 202)
    assert answer.keys() == {"code"}
    return str(answer["code"])


def path_of(file: ExportFile) -> str:
    return f"exports/{file.export.code}/files/{file.name}"


def test_an_export_is_queued_and_once_built_lists_its_files(trainer: Caller, project: Project) -> None:
    code = asked(trainer, project, format="trl")
    queued = json_of(trainer.get(f"exports/{code}/"))
    assert (queued["state"], queued["files"]) == ("queued", [])
    exports.build(Export.objects.get(code=code).pk)
    done = json_of(trainer.get(f"exports/{code}/"))
    assert (done["code"], done["state"], done["rows"], done["format"]) == (code, "done", 1, "trl")
    for file in done["files"]:
        got = content(trainer.get(f"exports/{code}/files/{file['name']}"))
        assert (len(got), hashlib.sha256(got).hexdigest()) == (file["bytes"], file["sha256"])
    assert {"train.jsonl", "manifest.json"} <= {file["name"] for file in done["files"]}


def test_the_promised_choices_are_the_defaults(trainer: Caller, project: Project) -> None:
    choices = json_of(trainer.get(f"exports/{asked(trainer, project, format='trl')}/"))["choices"]
    assert choices.items() >= {"neutral": "positive", "after_error": "drop", "min_source": "machine"}.items()


def test_asked_again_without_a_change_it_is_the_same_export(trainer: Caller, manager: Caller, project: Project) -> None:
    code = asked(trainer, project, format="trl", split={"train": 0.5, "test": 0.5})
    assert asked(manager, project, split="test=0.5,train=0.5", format="trl") == code
    assert asked(trainer, project, format="trl") != code
    make.make_solution(project)
    assert asked(trainer, project, format="trl", split={"train": 0.5, "test": 0.5}) != code


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "format"),
        ({"format": 5}, "format"),
        ({"format": "csv"}, "format"),
        ({"format": "trl\0"}, "format"),
        ({"format": "trl", "neutral": "maybe"}, "neutral"),
        ({"format": "trl", "neutral": ["positive"]}, "neutral"),
        ({"format": "trl", "after_error": 1}, "after_error"),
        ({"format": "trl", "min_source": "\ud800"}, "min_source"),
        ({"format": "trl", "minsource": "human"}, "minsource"),
        ({"format": "trl", "split": {"train": 0.5}}, "split"),
        ({"format": "trl", "split": {"train": 2}}, "split.train"),
        ({"format": "trl", "container": "zip"}, "container"),
    ],
)
def test_a_bad_choice_is_named(body: dict[str, Any], field: str, trainer: Caller, project: Project) -> None:
    assert fields_of(trainer.post(f"projects/{project.slug}/exports/", body)) == [field]
    assert not Export.objects.exists()


def test_exports_are_listed_newest_first(trainer: Caller, project: Project) -> None:
    codes = [asked(trainer, project, format=name) for name in ("native", "trl")]
    listed = json_of(trainer.get(f"projects/{project.slug}/exports/"))["results"]
    assert [row["code"] for row in listed] == codes[::-1]


def test_a_file_comes_whole_with_its_hash_as_its_tag(trainer: Caller, file: ExportFile) -> None:
    response = trainer.get(path_of(file))
    assert response.status_code == 200
    assert content(response) == Path(file.path).read_bytes()
    assert response["ETag"] == f'"{file.sha256}"'
    assert response["Content-Length"] == str(file.bytes)
    assert response["Accept-Ranges"] == "bytes"
    assert response["Content-Type"] == "application/jsonl"
    assert response["Content-Disposition"] == 'attachment; filename="train.jsonl"'


@pytest.mark.parametrize(
    ("wanted", "first", "end"),
    [("bytes=0-9", 0, 10), ("bytes=10-", 10, None), ("bytes=-7", -7, None), ("bytes=5-999999999", 5, None)],
)
def test_a_range_comes_as_that_part(
    wanted: str, first: int, end: int | None, trainer: Caller, file: ExportFile
) -> None:
    whole = Path(file.path).read_bytes()
    response = trainer.get(path_of(file), Range=wanted, **{"Accept-Encoding": "gzip"})
    assert response.status_code == 206
    assert content(response) == whole[first:end]
    start = first % len(whole)
    assert response["Content-Range"] == f"bytes {start}-{start + len(whole[first:end]) - 1}/{len(whole)}"
    assert response["Content-Length"] == str(len(whole[first:end]))
    assert "Content-Encoding" not in response


def test_a_download_that_broke_off_is_resumed(trainer: Caller, file: ExportFile) -> None:
    begun = content(trainer.get(path_of(file)))[:40]
    rest = trainer.get(path_of(file), Range="bytes=40-", **{"If-Range": f'"{file.sha256}"'})
    assert hashlib.sha256(begun + content(rest)).hexdigest() == file.sha256


@pytest.mark.parametrize(
    "headers",
    [
        {"Range": "bytes=0-1,5-6"},
        {"Range": "bytes=9-2"},
        {"Range": "bytes=-"},
        {"Range": "lines=1-2"},
        {"Range": "bytes=5-", "If-Range": '"another"'},
        {"Range": "bytes=5-", "If-Range": "Wed, 21 Oct 2026 07:28:00 GMT"},
    ],
)
def test_a_range_that_cannot_be_kept_to_gets_the_whole(
    headers: dict[str, str], trainer: Caller, file: ExportFile
) -> None:
    response = trainer.get(path_of(file), **headers)
    assert response.status_code == 200
    assert len(content(response)) == file.bytes


@pytest.mark.parametrize("wanted", ["bytes=100000000-", "bytes=-0"])
def test_a_range_beyond_the_end_answers_416_and_the_length(wanted: str, trainer: Caller, file: ExportFile) -> None:
    response = trainer.get(path_of(file), Range=wanted)
    problem_of(response, 416)
    assert response["Content-Range"] == f"bytes */{file.bytes}"


def test_who_has_the_file_is_not_sent_it_again(trainer: Caller, file: ExportFile) -> None:
    for tag in (f'"{file.sha256}"', f'W/"{file.sha256}"', f'"other", "{file.sha256}"', "*"):
        response = trainer.get(path_of(file), **{"If-None-Match": tag})
        assert (response.status_code, content(response)) == (304, b"")
        assert response["ETag"] == f'"{file.sha256}"'
    assert trainer.get(path_of(file), **{"If-None-Match": '"other"'}).status_code == 200


def test_a_file_comes_squeezed_where_that_is_asked_for(trainer: Caller, file: ExportFile) -> None:
    response = trainer.get(path_of(file), **{"Accept-Encoding": "br, gzip;q=0.5"})
    assert response["Content-Encoding"] == "gzip"
    assert gzip.decompress(content(response)) == Path(file.path).read_bytes()
    assert response["ETag"] == f'"{file.sha256}"'
    assert "Accept-Encoding" in response["Vary"]
    for refused in ("gzip;q=0", "identity", "notgzip"):
        assert "Content-Encoding" not in trainer.get(path_of(file), **{"Accept-Encoding": refused})


def test_head_tells_what_get_would_and_sends_nothing(trainer: Caller, file: ExportFile) -> None:
    response = trainer.call("HEAD", path_of(file))
    assert (response.status_code, content(response)) == (200, b"")
    assert (response["ETag"], response["Content-Length"]) == (f'"{file.sha256}"', str(file.bytes))


def test_a_file_that_there_is_not_is_not_found(trainer: Caller, file: ExportFile) -> None:
    for name in ("none.jsonl", "..", "..%2F..%2Fsecret-key", "%00"):
        problem_of(trainer.get(f"exports/{file.export.code}/files/{name}"), 404)
    Path(file.path).unlink()
    problem_of(trainer.get(path_of(file)), 404)


def test_files_of_other_projects_are_not_there(outsider: Caller, project: Project, file: ExportFile) -> None:
    problem_of(outsider.get(path_of(file)), 404)
    reviewer = Caller(make.make_person(project=project, role=Role.REVIEWER))
    problem_of(reviewer.get(path_of(file)), 403)


def test_texts_with_lone_surrogates_reach_the_trainer_exactly(trainer: Caller, project: Project) -> None:
    texts = ["\ud800 \0", "fine"]
    solution = make.make_solution(project, steps=texts)
    make.make_annotation(solution, make.make_rater(), "1", "1")
    settlement.settle(solution)
    code = asked(trainer, project, format="native")
    exports.build(Export.objects.get(code=code).pk)
    lines = content(trainer.get(f"exports/{code}/files/train.jsonl")).decode().splitlines()
    assert texts in [json.loads(line)["steps"] for line in lines]
