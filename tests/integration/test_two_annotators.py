"""Programs that label over HTTP as fast as they can, against the real stack; and what of it a restart keeps."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import httpx2
import pytest

from tests.fixtures.broker import eventually
from tests.fixtures.stack import LiveStack, new_stack

pytestmark = pytest.mark.xdist_group("stack")
SLUG = "race"
ROWS = [
    {"id": f"sum/{n}", "problem": f"What is {n} + 1, doubled?", "steps": [f"{n} + 1 = {n + 1}.", f"So {2 * n + 2}."]}
    for n in range(200)
]
RIGHT = {"ratings": [{"index": 0, "rating": 1}, {"index": 1, "rating": 1}], "finish_reason": "solution"}


@pytest.fixture(scope="module")
def stack() -> Iterator[LiveStack]:
    with new_stack(STEPWISE_SAMPLE="0") as fresh:
        fresh.start()
        fresh.wait_ready()
        yield fresh


def api(stack: LiveStack, name: str, scopes: str) -> httpx2.Client:
    """A client with a new token of `name`."""
    token = stack.manage("create_token", name, "--scope", scopes).splitlines()[-1]
    return httpx2.Client(base_url=f"{stack.url}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=60)


@pytest.fixture(scope="module")
def manager(stack: LiveStack) -> Iterator[httpx2.Client]:
    """A manager of a project whose 200 solutions all wait for people."""
    with api(stack, stack.user, "read,intake,manage") as client:
        made = client.post("/projects/", json={"slug": SLUG, "name": "A race", "audit_share": 0})
        assert made.status_code == 201, made.text
        load(client, ROWS)
        routed = client.post(f"/projects/{SLUG}/runs/", json={"kind": "route"})
        assert routed.status_code == 202, routed.text
        finished(client, f"/runs/{routed.json()['id']}/")
        yield client


def load(client: httpx2.Client, rows: list[dict[str, Any]]) -> None:
    sent = client.post(f"/projects/{SLUG}/intake/?format=native", content="\n".join(map(json.dumps, rows)))
    assert sent.status_code == 202, sent.text
    finished(client, f"/intakes/{sent.json()['id']}/")


def finished(client: httpx2.Client, address: str) -> None:
    eventually(lambda: client.get(address).json()["state"] == "done", within=60, what=f"the end of {address}")


def work_through(client: httpx2.Client) -> list[str]:
    """Claim and submit until nothing is free; the solutions in the order they came."""
    done = []
    while (claimed := client.post(f"/projects/{SLUG}/claim/")).status_code == 200:
        work = claimed.json()
        address = f"/assignments/{work['assignment']}/submit/"
        handed_in = client.post(address, json=RIGHT, headers={"Idempotency-Key": work["assignment"]})
        assert handed_in.status_code == 201, handed_in.text
        done.append(work["solution"])
    assert claimed.status_code == 204
    return done


def test_two_annotators_as_fast_as_they_can_never_get_one_solution(stack: LiveStack, manager: httpx2.Client) -> None:
    clients = []
    for name in ("ada", "grace"):
        stack.manage("create_user", name, "--password", "nanoseconds-are-long", "--project", SLUG)
        clients.append(api(stack, name, "label"))
    with ThreadPoolExecutor(len(clients)) as pool:
        one, other = pool.map(work_through, clients)
    for client in clients:
        client.close()
    assert Counter(one + other) == Counter(solution["code"] for solution in settled(manager))
    assert len(one + other) == len(ROWS)
    assert one, "the second took everything"
    assert other, "the first took everything"


def settled(client: httpx2.Client) -> list[dict[str, Any]]:
    """Every settled solution with its labels, as the API shows it."""
    page = client.get(f"/projects/{SLUG}/solutions/?status=settled&page_size=500").raise_for_status().json()
    assert page["next"] is None
    rows: list[dict[str, Any]] = page["results"]
    return rows


def signed_in(stack: LiveStack) -> httpx2.Client:
    """A browser's session, by the form."""
    client = httpx2.Client(base_url=stack.url, timeout=60)
    [csrf] = [value for name, value in client.get("/login/").cookies.items() if "csrf" in name]
    form = {"username": stack.user, "password": stack.password, "csrfmiddlewaretoken": csrf}
    assert client.post("/login/", data=form, headers={"Origin": stack.url}).status_code == 302
    return client


def test_projects_labels_tokens_and_sessions_outlive_a_restart(stack: LiveStack, manager: httpx2.Client) -> None:
    load(manager, [ROWS[0] | {"id": "labelled", "problem": "Labelled already?", "first_error": 1}])
    before = settled(manager)
    assert [label["value"] for label in before[0]["labels"]] == [1, -1]
    with closing(signed_in(stack)) as browser:
        assert stack.stop() == 0
        stack.start()
        stack.wait_ready()
        assert settled(manager) == before
        page = browser.get(f"/projects/{SLUG}/")
    assert page.status_code == 200
    assert "A race" in page.text
