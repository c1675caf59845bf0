"""Runs against the real simulator: what is stored, what a fault leaves behind, what a resumed run pays."""

from __future__ import annotations

import asyncio
import math
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module

import pytest
from django.db import connections
from django.utils import timezone

from annotator import examples, labels, preannotation, runs
from annotator.models import (
    Call,
    Endpoint,
    Grade,
    Judgement,
    Label,
    Project,
    Rollout,
    Routing,
    Run,
    RunItem,
    Solution,
    WorkState,
)
from annotator.preannotation import blame, clients, desk
from annotator.preannotation.ledger import Ledger
from reasoning.errors import EndpointRefused, MalformedReply
from reasoning.evidence.judge import JudgeConfig
from reasoning.llm import Reply, Request
from reasoning.llm.openai_chat import OpenAIChat
from reasoning.simulator.world import SAMPLE_PROBLEMS, SAMPLE_SEED, make_problems, native_rows
from tests.factories import make_annotation, make_endpoint, make_problem, make_project, make_rater, make_solution

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = native_rows(make_problems(SAMPLE_PROBLEMS, SAMPLE_SEED))[:24]


@pytest.fixture
def project(url: str) -> Project:
    """A project whose machines are a simulator that knows all its solutions."""
    judge = make_endpoint("judge", base_url=url, model="simulated/judge", slots=8, completion_price=2.0)
    completer = make_endpoint("completer", base_url=url, model="simulated/completer", slots=8)
    project = make_project(judge=judge, completer=completer, threshold=0.9)
    problems = {}
    for row in ROWS:
        statement = row["problem"]
        if statement not in problems:
            problems[statement] = make_problem(project, statement, answer=row["answer"])
        make_solution(project, problem=problems[statement], steps=row["steps"], own_answer=None)
    return project


def carried_out(project: Project, kind: str, **how: object) -> Run:
    run = runs.start(project, kind, **how)  # type: ignore[arg-type]
    preannotation.advance(run.pk)
    run.refresh_from_db()
    return run


def test_a_judge_run_stores_a_judgement_a_solution_and_routes_each(project: Project) -> None:
    run = carried_out(project, "judge")
    assert (run.state, run.detail) == (WorkState.DONE, "")
    assert Judgement.objects.filter(solution__project=project).count() == len(ROWS)
    assert Routing.objects.filter(superseded_at=None).count() == len(ROWS)
    assert not Solution.objects.filter(project=project, status="new").exists()


def test_a_run_counts_every_call_with_its_tokens_and_money(project: Project) -> None:
    run = carried_out(project, "judge")
    calls = Call.objects.filter(run=run)
    assert run.calls == len(ROWS) == calls.count()
    assert run.completion_tokens == sum(call.completion_tokens for call in calls) > 0
    assert run.cost == pytest.approx(run.completion_tokens * 2.0 / 1e6)


def test_a_rollout_run_grades_what_it_rolls_and_tells_the_simulator_from_the_world(project: Project) -> None:
    run = carried_out(project, "rollouts")
    assert run.state == WorkState.DONE
    assert run.rollouts == Rollout.objects.count() == Grade.objects.count() > len(ROWS)
    assert {"right", "wrong"} <= set(Grade.objects.values_list("verdict", flat=True))
    labels = Label.objects.filter(superseded_at=None)
    assert all(label.provisional and label.settlement.simulated for label in labels.select_related("settlement"))


def test_a_rollout_run_stops_each_solution_at_the_cap(project: Project) -> None:
    carried_out(project, "rollouts", config={"price": 0.0, "cap": 3})
    for solution in Solution.objects.filter(project=project):
        assert solution.rollouts.count() <= 4  # two may be asked for at once


def test_rollouts_skip_what_cannot_be_graded_and_say_why(project: Project) -> None:
    make_solution(project, problem=make_problem(project, "Unanswered.", answer=None))
    make_solution(project, problem=make_problem(project, "Short."), steps=["It is 18."])
    run = carried_out(project, "rollouts")
    assert {group.reason for group in runs.failures(run) if group.skipped} == {
        "the problem has no reference answer",
        "it has a single step: no prefix to roll out",
    }


def test_what_gets_no_rollouts_goes_to_people_at_once(project: Project) -> None:
    unanswered = make_solution(project, problem=make_problem(project, "Unanswered.", answer=None), own_answer=None)
    carried_out(project, "rollouts")
    unanswered.refresh_from_db()
    assert unanswered.status == "queued"


def test_looking_again_asks_for_further_votes_beside_the_earlier_ones(project: Project) -> None:
    carried_out(project, "judge")
    run = carried_out(project, "judge", selection={"again": True, "limit": 5})
    assert run.calls == 5
    assert sorted(Judgement.objects.filter(run=run).values_list("sample", flat=True)) == [1] * 5


def test_what_the_judge_does_not_know_leaves_no_judgement_and_goes_to_people(project: Project) -> None:
    stranger = make_solution(project, problem=make_problem(project, "A problem that the simulator never saw."))
    run = carried_out(project, "judge")
    assert not stranger.judgements.exists()
    assert RunItem.objects.get(run=run, solution=stranger).detail == "the judge says that it cannot tell"
    stranger.refresh_from_db()
    assert stranger.status == "queued"


SHAPE = "JSON of another shape"
FAULTS = {
    "a wrong key": ({"model": "simulated/fault-401"}, "Incorrect API key provided"),
    "a rate limit": ({"model": "simulated/fault-429"}, "Rate limit reached"),
    "a broken server": ({"model": "simulated/fault-500"}, "The server had an error"),
    "an endpoint that is away": ({"base_url": "http://127.0.0.1:9/v1"}, "connection"),
    "garbage for JSON": ({"model": "simulated/fault-json"}, "broken; the last: "),
    SHAPE: ({"model": "simulated/fault-schema"}, "broken; the last: "),
}


def test_an_endpoint_that_turns_to_garbage_pauses_the_run_and_what_was_not_tried_goes_first(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blame, "IN_A_ROW", 6)
    assert project.judge is not None
    carried_out(project, "judge", selection={"limit": 2})
    run = runs.start(project, "judge", selection={"again": True}, config={"votes": 1})
    RunItem.objects.filter(run=run, solution__in=Judgement.objects.values("solution")).update(state="done")
    Endpoint.objects.filter(pk=project.judge.pk).update(model="simulated/fault-json", slots=1)
    preannotation.advance(run.pk)
    run.refresh_from_db()
    assert run.state == WorkState.PAUSED
    assert "looks in a row were broken; the last: the reply is not JSON" in run.detail
    tried = set(RunItem.objects.filter(run=run, state="failed").values_list("solution", flat=True))
    assert 6 <= len(tried) < len(ROWS) - 2
    assert not Label.objects.filter(solution__in=tried).exists()

    runs.resume(run)
    preannotation.advance(run.pk)
    again = set(RunItem.objects.filter(run=run, state="failed").values_list("solution", flat=True))
    assert not tried & again

    Endpoint.objects.filter(pk=project.judge.pk).update(model="simulated/judge")
    runs.resume(run)
    preannotation.advance(run.pk)
    run.refresh_from_db()
    assert (run.state, run.detail) == (WorkState.DONE, "")


# A completer's reply has no shape of its own, so that fault is the judge's alone.
@pytest.mark.parametrize(
    ("kind", "fault"),
    [(kind, fault) for kind in ("judge", "rollouts") for fault in FAULTS if (kind, fault) != ("rollouts", SHAPE)],
)
def test_a_fault_pauses_the_run_with_its_words_leaves_no_label_and_resumes(
    project: Project, url: str, kind: str, fault: str
) -> None:
    change, words = FAULTS[fault]
    endpoint = project.judge if kind == "judge" else project.completer
    Endpoint.objects.filter(pk=endpoint.pk).update(**change)  # type: ignore[union-attr]
    run = carried_out(project, kind)
    assert run.state == WorkState.PAUSED
    assert words in run.detail
    assert not Label.objects.exists()
    assert not Judgement.objects.exists()
    assert not Rollout.objects.exists()

    Endpoint.objects.filter(pk=endpoint.pk).update(base_url=url, model=f"simulated/{endpoint.kind}")  # type: ignore[union-attr]
    runs.resume(run)
    preannotation.advance(run.pk)
    run.refresh_from_db()
    assert run.state == WorkState.DONE
    assert runs.progress(run).done == len(ROWS)


def test_a_spent_budget_pauses_the_run_and_raising_it_resumes_without_paying_twice(project: Project) -> None:
    project.token_budget = 8_000
    project.save()
    run = carried_out(project, "judge")
    assert run.state == WorkState.PAUSED
    assert run.detail.startswith("out of budget")
    before = set(Judgement.objects.values_list("pk", flat=True))
    assert 0 < len(before) < len(ROWS)
    assert run.prompt_tokens + run.completion_tokens <= 8_000

    project.token_budget = None
    project.save()
    runs.resume(run)
    preannotation.advance(run.pk)
    run.refresh_from_db()
    assert run.state == WorkState.DONE
    assert run.calls == Judgement.objects.count() == len(ROWS)
    assert before <= set(Judgement.objects.values_list("pk", flat=True))


def test_a_second_run_without_a_selection_looks_only_at_what_is_new(project: Project) -> None:
    carried_out(project, "judge")
    new = make_solution(project, problem=make_problem(project, "Yet another problem."))
    run = runs.start(project, "judge")
    assert list(run.items.values_list("solution_id", flat=True)) == [new.pk]


def test_a_cancelled_run_does_nothing_and_cannot_be_resumed(project: Project) -> None:
    run = runs.start(project, "judge")
    runs.cancel(run)
    preannotation.advance(run.pk)
    assert not Judgement.objects.exists()
    run.refresh_from_db()
    with pytest.raises(runs.control.Conflict):
        runs.resume(run)


def test_an_endpoint_serves_one_run_at_a_time_and_the_next_says_for_whom_it_waits(project: Project) -> None:
    first = runs.start(project, "judge")
    second = runs.start(project, "judge", selection={"again": True, "limit": 2})
    preannotation.advance(second.pk)
    second.refresh_from_db()
    assert second.state == WorkState.QUEUED
    assert first.code in second.detail
    preannotation.advance(first.pk)
    preannotation.advance(second.pk)
    second.refresh_from_db()
    assert second.state == WorkState.DONE


def test_a_run_held_by_a_living_worker_is_left_alone(project: Project) -> None:
    run = runs.start(project, "judge")
    assert Run.objects.get(pk=run.pk).hold(60)
    assert run.pk not in Run.unattended()
    preannotation.advance(run.pk)
    assert not Judgement.objects.exists()


def test_the_test_button_shows_the_endpoints_own_answer(project: Project) -> None:
    assert project.judge is not None
    preannotation.answer_test(project.judge.pk)
    project.judge.refresh_from_db()
    assert project.judge.test_ok is True
    assert project.judge.simulated is True
    assert "simulated/" in project.judge.test_answer


def test_the_test_button_shows_the_endpoints_own_complaint() -> None:
    endpoint = make_endpoint("judge", base_url="http://127.0.0.1:9/v1")
    preannotation.answer_test(endpoint.pk)
    endpoint.refresh_from_db()
    assert endpoint.test_ok is False
    assert "connection" in endpoint.test_answer


def test_a_routing_run_asks_nobody_and_decides_again(project: Project) -> None:
    carried_out(project, "judge")
    calls = Call.objects.count()
    project.threshold = 1.0
    project.save()
    run = carried_out(project, "route")
    assert run.state == WorkState.DONE
    assert Call.objects.count() == calls
    assert not Label.objects.filter(superseded_at=None, source="machine").exists()


def test_another_judge_is_asked_though_the_first_has_spoken(project: Project, url: str) -> None:
    carried_out(project, "judge")
    second = "simulated/fault-429*1"  # refuses once, then answers under this name
    project.judge = make_endpoint("judge", base_url=url, model=second, slots=8)
    project.save(update_fields=["judge"])
    run = carried_out(project, "judge")
    assert run.total == Judgement.objects.filter(model=second).count() == len(ROWS)


def test_nobody_pays_for_a_look_at_what_was_withdrawn(project: Project) -> None:
    run = runs.start(project, "judge")
    Solution.objects.filter(project=project).update(withdrawn_at=timezone.now())
    preannotation.advance(run.pk)
    run.refresh_from_db()
    assert (run.state, run.calls) == (WorkState.DONE, 0)
    assert [(group.reason, group.count) for group in runs.failures(run)] == [("it was withdrawn", len(ROWS))]


def test_a_pause_between_hold_and_start_stands(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    run = runs.start(project, "judge")
    hold = Run.hold

    def hold_and_be_paused(self: Run, seconds: float = 60.0) -> bool:
        held = hold(self, seconds)
        Run.objects.filter(pk=run.pk).update(state=WorkState.PAUSED)
        return held

    monkeypatch.setattr(Run, "hold", hold_and_be_paused)
    preannotation.advance(run.pk)
    run.refresh_from_db()
    assert (run.state, run.calls, run.held_until) == (WorkState.PAUSED, 0, None)


def settle(solution: Solution, first_error: int) -> None:
    """As a person who read it blind."""
    values = labels.values_before(first_error, solution.step_count)
    annotation = make_annotation(solution, make_rater(), *(str(values[index]) for index in sorted(values)))
    labels.conclude([labels.Conclusion(solution, "human", first_error, values, annotations=[annotation])])


def test_a_judge_is_shown_examples_and_a_resumed_run_shows_the_same(project: Project) -> None:
    for solution, row in zip(Solution.objects.order_by("pk"), ROWS, strict=True):
        settle(solution, row["first_error"])
    run = runs.start(project, "judge", config={"examples": 2})
    shown = run.config["shown"]
    told = examples.values(run.config)
    assert [each.first_error == -1 for each in told] == [False, True]
    assert runs.estimate(project, "judge", {}, {"examples": 2}).basis.endswith("with 2 examples that people settled")

    Run.objects.filter(pk=run.pk).update(state=WorkState.PAUSED)
    changed = Solution.objects.get(code=shown[0]["solution"])
    labels.conclude([labels.Conclusion(changed, "adjudicated", -1, {0: 1})])
    Solution.objects.filter(code=shown[1]["solution"]).update(withdrawn_at=timezone.now())
    runs.resume(run)
    preannotation.advance(run.pk)
    run.refresh_from_db()
    assert (run.state, run.detail, run.config["shown"]) == (WorkState.DONE, "", shown)
    assert set(run_prompts(run)) == {JudgeConfig(examples=told).prompt} != {JudgeConfig().prompt}
    bare = carried_out(project, "judge", selection={"again": True, "limit": 1}, config={"examples": 0})
    assert set(run_prompts(bare)) == {JudgeConfig().prompt}
    assert bare.prompt_tokens < run.prompt_tokens / run.calls


def run_prompts(run: Run) -> list[str]:
    return list(Judgement.objects.filter(run=run).values_list("prompt", flat=True))


def test_what_a_model_judged_is_not_judged_again_because_it_would_be_shown_others(project: Project) -> None:
    carried_out(project, "judge")
    for solution, row in zip(Solution.objects.order_by("pk"), ROWS, strict=True):
        settle(solution, row["first_error"])
    assert runs.start(project, "judge", config={"examples": 2}).total == 0


def refuse(monkeypatch: pytest.MonkeyPatch, *statements: str) -> None:
    """The endpoint takes nothing that holds one of these: it says that it is too long."""
    complete = OpenAIChat.complete

    async def read(self: OpenAIChat, request: Request) -> Reply:
        if any(statement in str(request.messages) for statement in statements):
            raise EndpointRefused("400: This model's maximum context length is 4096 tokens", status=400)
        return await complete(self, request)

    monkeypatch.setattr(OpenAIChat, "complete", read)


@pytest.mark.parametrize("kind", ["judge", "rollouts", "search"])
def test_solutions_that_the_endpoint_refuses_fail_alone_however_many_stand_together(
    project: Project, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(blame, "IN_A_ROW", 3)
    *refused, taken = project.problems.order_by("pk")
    refuse(monkeypatch, *(problem.statement for problem in refused))
    run = carried_out(project, kind, config={"selections": 1} if kind == "search" else {})
    left = run.total - run.items.filter(solution__problem=taken).count()
    unit = "problems" if kind == "search" else "solutions"
    assert (run.state, run.detail) == (WorkState.DONE, f"{left} {unit} could not be looked at")
    [group] = runs.failures(run)
    assert (group.count, group.skipped) == (left, False)
    assert "maximum context length" in group.reason
    assert not Solution.objects.filter(project=project, status="new").exists()

    runs.resume(run)
    preannotation.advance(run.pk)
    run.refresh_from_db()
    assert (run.state, runs.progress(run).failed) == (WorkState.DONE, left)


def test_a_run_that_brings_nothing_ends_where_the_endpoint_is_sound(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, *project.problems.values_list("statement", flat=True))
    run = carried_out(project, "judge")
    assert (run.state, runs.progress(run).failed) == (WorkState.DONE, len(ROWS))


def test_an_endpoint_that_refuses_everything_pauses_the_run_and_fails_no_solution(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, "")
    run = carried_out(project, "judge")
    assert (run.state, run.detail) == (WorkState.PAUSED, "400: This model's maximum context length is 4096 tokens")
    assert runs.progress(run).waiting == len(ROWS)


def held_until(run: Run) -> object:
    """As any other worker reads it, in a connection of its own."""
    try:
        return Run.objects.values_list("held_until", flat=True).get(pk=run.pk)
    finally:
        connections.close_all()


async def kept_by_its_worker(run: Run) -> bool:
    """Is the hold renewed, and again, while this waits?"""
    seen = {await asyncio.to_thread(held_until, run)}
    for _ in range(200):
        await asyncio.sleep(0.01)
        seen.add(await asyncio.to_thread(held_until, run))
        if len(seen) > 3:
            return True
    return False


def test_a_run_is_kept_while_the_endpoint_is_asked_whether_it_is_at_fault(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = []
    run = runs.start(project, "judge")

    async def garble(self: OpenAIChat, request: Request) -> Reply:
        if "What is 2 + 3?" in str(request.messages):
            kept.append(await kept_by_its_worker(run))
        raise MalformedReply("no JSON")

    monkeypatch.setattr(OpenAIChat, "complete", garble)
    monkeypatch.setattr(blame, "IN_A_ROW", 1000)
    monkeypatch.setattr(import_module("annotator.preannotation.advance"), "RENEW_EVERY", 0.01)
    preannotation.advance(run.pk)
    run.refresh_from_db()
    assert (run.state, run.detail) == (WorkState.PAUSED, "every reply was broken; the last: no JSON")
    assert kept == [True]


def test_a_run_whose_turn_is_over_is_kept_until_nothing_is_out(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = []
    run = runs.start(project, "judge")
    advance = import_module("annotator.preannotation.advance")
    complete = OpenAIChat.complete

    async def outlast_the_turn(self: OpenAIChat, request: Request) -> Reply:
        monkeypatch.setattr(advance, "monotonic", lambda: math.inf)
        kept.append(await kept_by_its_worker(run))
        return await complete(self, request)

    monkeypatch.setattr(OpenAIChat, "complete", outlast_the_turn)
    monkeypatch.setattr(advance, "RENEW_EVERY", 0.01)
    preannotation.advance(run.pk)
    run.refresh_from_db()
    assert set(kept) == {True}
    assert (run.state, runs.progress(run).done) == (WorkState.RUNNING, len(kept))
    assert len(kept) < len(ROWS)


def test_what_ended_is_marked_though_whoever_was_at_it_is_cancelled(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runs.start(project, "judge")
    monkeypatch.setattr(desk, "CLOSE_AT_ONCE", 5)

    async def cancelled_in_between() -> None:
        with ThreadPoolExecutor(max_workers=1) as database:
            ledger = Ledger(run, database)
            async with OpenAIChat(clients.address_of(run.endpoint)) as client:  # type: ignore[arg-type]
                work = desk.Desk(run, client, ledger)
                for item in await work.waiting():
                    work.end(item.pk, "failed", "no JSON")
                first = asyncio.create_task(work.close_ended())
                await asyncio.sleep(0)
                first.cancel()
                await asyncio.wait([first])
                await work.close_ended()
            database.submit(connections.close_all)

    asyncio.run(cancelled_in_between())
    assert runs.progress(run).failed == len(ROWS)
