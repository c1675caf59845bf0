"""Bodies as clients really send them, through gunicorn."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from annotator.models import Intake, Project, Role
from tests import factories as make

ROW = b'{"id": "%d", "problem": "1 + 1?", "steps": ["1 + 1 = 2 \xc3\xa9%%26"], "answer": "2"}\n'


@pytest.fixture
def project(web: str) -> Project:
    return make.make_project()


@pytest.fixture
def token(project: Project) -> str:
    return make.make_token(make.make_person(project=project, role=Role.MANAGER, staff=True))


def pieces(rows: int) -> Iterator[bytes]:
    return (ROW % number for number in range(rows))


def post(
    url: str, path: str, token: str, body: Iterable[bytes] | bytes, chunked: bool, content_type: str
) -> tuple[int, dict[str, Any]]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": content_type}
    if chunked:
        headers["Transfer-Encoding"] = "chunked"
    connection.request("POST", path, body, headers, encode_chunked=chunked)
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    return response.status, answer


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "a/b"]
)
@pytest.mark.parametrize("chunked", [True, False])
def test_a_file_arrives_byte_for_byte(chunked: bool, content_type: str, web: str, project: Project, token: str) -> None:
    whole = b"".join(pieces(5000))
    path = f"/api/v1/projects/{project.slug}/intake/?format=native"
    status, answer = post(web, path, token, pieces(5000) if chunked else whole, chunked, content_type)
    assert status == 202, answer
    kept = Intake.objects.get(code=answer["id"])
    with open(kept.path, "rb") as file:
        assert file.read() == whole


def test_a_refused_file_leaves_the_connection_usable(web: str, project: Project, token: str) -> None:
    """What was not read of the body must not be taken for the next request."""
    connection = http.client.HTTPConnection(urlsplit(web).netloc, timeout=60)
    headers = {"Authorization": f"Bearer {token}", "Transfer-Encoding": "chunked"}
    path = f"/api/v1/projects/{project.slug}/intake/?format=nonsense"
    connection.request("POST", path, pieces(50), headers, encode_chunked=True)
    first = connection.getresponse()
    assert (first.status, first.headers["Content-Type"]) == (422, "application/problem+json")
    first.read()
    connection.request("GET", f"/api/v1/projects/{project.slug}/", headers={"Authorization": f"Bearer {token}"})
    assert connection.getresponse().status == 200
    connection.close()


def test_json_may_come_in_chunks_too(web: str, token: str) -> None:
    body = json.dumps({"slug": "chunked", "name": "Chunked"}).encode()
    status, answer = post(web, "/api/v1/projects/", token, [body[:9], body[9:]], True, "application/json")
    assert (status, answer.get("slug")) == (201, "chunked"), answer


@pytest.mark.parametrize("head", ["Transfer-Encoding: chunked\r\n\r\n20\r\n", "Content-Length: 1000\r\n\r\n"])
def test_a_body_that_breaks_off_leaves_nothing(head: str, web: str, project: Project, token: str) -> None:
    split = urlsplit(web)
    with socket.create_connection((split.hostname, split.port), timeout=30) as client:
        path = f"/api/v1/projects/{project.slug}/intake/?format=native"
        client.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n{head}half".encode())
        client.shutdown(socket.SHUT_WR)
        assert b" 400 " in client.recv(4096).splitlines()[0]
    assert not Intake.objects.exists()
