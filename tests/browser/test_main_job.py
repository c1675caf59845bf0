"""The main job on the real stack: solutions in, machines look, a person reads the doubtful ones, training rows out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect

from reasoning.simulator.world import SAMPLE_PROBLEMS, SAMPLE_SEED, make_problems, native_rows
from reasoning.types import NO_ERROR
from tests.browser.pages import Annotator, Manager, Trainer, Work
from tests.fixtures.broker import eventually
from tests.fixtures.stack import LiveStack

NAME, SLUG = "School maths", "school-maths"
PLACE = f"/projects/{SLUG}"
ROWS = native_rows(make_problems(SAMPLE_PROBLEMS, SAMPLE_SEED)[:12], labels=False)
"""Of problems that the built-in simulator knows; nothing in them tells where the errors are."""
BROKEN = {"id": "broken", "problem": "A row without steps."}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "school maths.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in [*ROWS, BROKEN]))
    return path


def test_the_main_job(
    live_stack: LiveStack,
    page: Page,
    another_page: Callable[[], Page],
    file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    manager = Manager(page, live_stack.url)
    manager.sign_in(live_stack.user, live_stack.password)
    load_and_let_machines_look(manager, file)

    annotator = Annotator(another_page(), live_stack.url)
    annotator.sign_in_first("ann", manager.add_person(SLUG, "ann", "annotator"))
    annotator.begin(NAME)
    done = [annotator.label(wrong_after=0), annotator.label(wrong_after=None), annotator.label(wrong_after=1)]

    trainer = Trainer(another_page(), live_stack.url)
    trainer.sign_in_first("tess", manager.add_person(SLUG, "tess", "trainer"))
    token = trainer.make_token("training cluster", "read", "export")
    with httpx2.Client(base_url=live_stack.url, headers={"Authorization": f"Bearer {token}"}) as api:
        labelled = labelled_by_people(api)
        assert {(each["source_id"], each["settlement"]["first_error"]) for each in labelled} == {
            (work.name, work.first_error) for work in done
        }
        export = made(api, "trl")
        rows = read(download(api, export, tmp_path), tmp_path)
    assert by_text(rows) == by_text(as_trl(solution, done) for solution in labelled)

    trainer.open(f"{PLACE}/exports/")
    trainer.open(f"{PLACE}/exports/{export['code']}/")
    expect(trainer.page.locator(".files")).to_contain_text(export["files"][0]["sha256"])
    look_at_what_came_of_it(manager)


def load_and_let_machines_look(manager: Manager, file: Path) -> None:
    manager.make_project(NAME)
    assert manager.load(file) == {
        "rows read": f"{len(ROWS) + 1}",
        "new": f"{len(ROWS)}",
        "known already": "0",
        "refused": "1",
    }
    expect(manager.page.locator("table", has_text="Reason")).to_contain_text("steps is missing")
    expect(manager.page.get_by_role("link", name=f"{len(ROWS)} solutions of this file")).to_be_visible()
    expect(manager.page.get_by_role("link", name="Let machines look")).to_be_visible()

    assert manager.new_run(SLUG, "Judge")["solutions"] == f"{len(ROWS)}"
    assert manager.start("Try on five")["done"] == "5 of 5"
    assert manager.new_run(SLUG, "Judge")["solutions"] == f"{len(ROWS) - 5}"
    assert manager.start("Start")["done"] == f"{len(ROWS) - 5} of {len(ROWS) - 5}"
    assert manager.new_run(SLUG, "Rollouts")["solutions"] == f"{len(ROWS)}"
    ended = manager.start("Start")
    assert ended["done"] == f"{len(ROWS)} of {len(ROWS)}"
    assert int(ended["rollouts"].replace(",", "")) > 0


def look_at_what_came_of_it(manager: Manager) -> None:
    """The manager's pages, with sentences and plots that tell what happened."""
    page = manager.page
    for place in ("/", f"{PLACE}/", f"{PLACE}/runs/", f"{PLACE}/intake/", f"{PLACE}/settings/", f"{PLACE}/solutions/"):
        manager.open(place)
    page.locator("a.cover").first.click()
    expect(page.get_by_role("heading", name="Steps")).to_be_visible()
    manager.open(page.url.removeprefix(manager.base))
    manager.open(f"{PLACE}/quality/")
    expect(page.locator("#progress .answer")).to_contain_text("3 by people")
    expect(page.locator("#people .answer")).to_contain_text("3")
    answers = page.locator(".question .answer")
    assert all(text.strip().endswith(".") for text in answers.all_inner_texts())
    expect(answers).to_have_count(page.locator(".question h2").count())
    expect(page.locator("#progress canvas")).to_be_visible()
    expect(page.locator("#positions canvas")).to_be_visible()


# --- the trainer's program -------------------------------------------------------------------------------------------


def labelled_by_people(api: httpx2.Client) -> list[dict[str, Any]]:
    """All settled solutions of the project, page by page."""
    found: list[dict[str, Any]] = []
    address: str | None = f"/api/v1{PLACE}/solutions/?status=settled&page_size=2"
    while address:
        reply = api.get(address).raise_for_status().json()
        found += reply["results"]
        address = reply["next"]
    assert all(solution["settlement"]["source"] == "human" for solution in found)
    return found


def made(api: httpx2.Client, format: str) -> dict[str, Any]:
    """An export of the labels as they stand, once it is done."""
    asked = api.post(f"/api/v1{PLACE}/exports/", json={"format": format})
    assert asked.status_code == 202, asked.text
    address = f"/api/v1/exports/{asked.json()['code']}/"
    eventually(lambda: api.get(address).json()["state"] == "done", what="the end of the export")
    export: dict[str, Any] = api.get(address).raise_for_status().json()
    return export


def download(api: httpx2.Client, export: dict[str, Any], folder: Path) -> list[Path]:
    """All files of the export as the API serves them, each held against its hash; those with rows."""
    paths = []
    for file in export["files"]:
        reply = api.get(f"/api/v1/exports/{export['code']}/files/{file['name']}").raise_for_status()
        assert hashlib.sha256(reply.content).hexdigest() == file["sha256"]
        assert reply.headers["ETag"] == f'"{file["sha256"]}"'
        assert len(reply.content) == file["bytes"]
        paths.append(folder / file["name"])
        paths[-1].write_bytes(reply.content)
    return [path for path in paths if path.suffix == ".jsonl"]


def read(paths: list[Path], folder: Path) -> list[dict[str, Any]]:
    """The rows as a training program gets them."""
    import datasets  # reads its environment when it is imported

    loaded = datasets.load_dataset("json", data_files=[str(path) for path in paths], cache_dir=str(folder / "cache"))
    return list(loaded["train"])


def as_trl(solution: dict[str, Any], done: list[Work]) -> dict[str, Any]:
    """The row that the annotator's keys ask for."""
    [first_error] = [work.first_error for work in done if work.name == solution["source_id"]]
    steps = [step["text"] for step in solution["steps"]]
    kept = steps if first_error == NO_ERROR else steps[: first_error + 1]
    labels = [index != first_error for index in range(len(kept))]
    return {"prompt": solution["problem"]["statement"], "completions": kept, "labels": labels}


def by_text(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (row["prompt"], row["completions"]))
