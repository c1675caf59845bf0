"""The store is the cache: over runs that are paused, resumed, repeated, of several kinds, no request is sent twice."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from annotator import preannotation, runs
from annotator.models import Project, Rollout, Run, WorkState
from reasoning.simulator.server import Settings, application
from reasoning.simulator.truth import Truth
from reasoning.simulator.world import SAMPLE_PROBLEMS, SAMPLE_SEED, make_problems, native_rows
from tests.factories import make_endpoint, make_problem, make_project, make_solution

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = native_rows(make_problems(SAMPLE_PROBLEMS, SAMPLE_SEED))[:9:3]
# others that begin with the same steps: their draws are their own, or one would count for two
TWINS = [row | {"steps": [*row["steps"][:-1], f"So it is. {row['steps'][-1]}"]} for row in ROWS]


class Overheard:
    """An application, and the bodies of all that was posted to it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.bodies: list[dict[str, Any]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raw = bytearray()

        async def listen() -> Message:
            message = await receive()
            raw.extend(message.get("body", b""))
            return message

        await self.app(scope, listen, send)
        if raw:
            self.bodies.append(json.loads(raw))

    def draws(self) -> Counter[tuple[str, int, int]]:
        """How often each completion was drawn: by what was asked, seed and number. The seed is part of no prompt."""
        found: Counter[tuple[str, int, int]] = Counter()
        for body in self.bodies:
            asked = json.dumps(
                {name: value for name, value in body.items() if name not in ("seed", "n")}, sort_keys=True
            )
            found.update((asked, body.get("seed", -1), index) for index in range(body.get("n", 1)))
        return found


@pytest.fixture
def endpoint() -> Iterator[tuple[str, Overheard]]:
    truth = Truth()
    truth.learn([*ROWS, *TWINS])
    heard = Overheard(application(Settings(truth=truth, latency=0.0)))
    config = uvicorn.Config(heard, port=0, log_level="critical", lifespan="off")
    server, listener = uvicorn.Server(config), config.bind_socket()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1", heard
    server.should_exit = True
    thread.join()
    listener.close()


@pytest.fixture
def project(endpoint: tuple[str, Overheard]) -> Project:
    url, _ = endpoint
    judge = make_endpoint("judge", base_url=url, model="simulated/judge", slots=4)
    completer = make_endpoint("completer", base_url=url, model="simulated/completer", slots=4)
    project = make_project(judge=judge, completer=completer, threshold=0.9)
    for row, twin in zip(ROWS, TWINS, strict=True):
        problem = make_problem(project, row["problem"], answer=row["answer"])
        for each in (row, twin):
            make_solution(project, problem=problem, steps=each["steps"], own_answer=None)
    return project


def advanced(run: Run) -> Run:
    preannotation.advance(run.pk)
    run.refresh_from_db()
    return run


def test_no_request_is_sent_twice_whatever_is_run_paused_and_repeated(
    project: Project, endpoint: tuple[str, Overheard]
) -> None:
    _, heard = endpoint
    everything = {"again": True}
    for kind, config in (("judge", {"votes": 2}), ("rollouts", {"cap": 4}), ("search", {"selections": 3})):
        Project.objects.filter(pk=project.pk).update(token_budget=None)
        spent = sum(run.prompt_tokens + run.completion_tokens for run in Run.objects.filter(project=project))
        Project.objects.filter(pk=project.pk).update(token_budget=spent + 5_000)
        project.refresh_from_db()
        run = advanced(runs.start(project, kind, config=config))
        assert run.state == WorkState.PAUSED
        Project.objects.filter(pk=project.pk).update(token_budget=None)
        project.refresh_from_db()
        runs.resume(run)
        assert advanced(run).state == WorkState.DONE
        asked = len(heard.bodies)
        advanced(runs.start(project, kind, config=config))
        assert len(heard.bodies) == asked or kind == "search"
        advanced(runs.start(project, kind, selection=everything, config=config))
    assert set(heard.draws().values()) == {1}
    rows = Rollout.objects.values_list("solution", "prefix", "sample")
    assert len(rows) == len(set(rows)) > 0


def test_what_is_asked_otherwise_is_asked_anew(project: Project, endpoint: tuple[str, Overheard]) -> None:
    _, heard = endpoint
    for temperature in (0.7, 0.2):
        advanced(runs.start(project, "judge", selection={"again": True}, config={"temperature": temperature}))
    assert [body["temperature"] for body in heard.bodies] == [0.7] * 6 + [0.2] * 6
