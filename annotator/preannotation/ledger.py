"""What came back → rows. Looks that arrive while one group is being written form the next: one transaction a group."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import TypeVar

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from annotator import changes
from annotator.models import Call, Endpoint, Grade, Judgement, Rollout, Run, Score
from annotator.preannotation.clients import SIMULATED
from reasoning import types
from reasoning.characters import escape
from reasoning.equivalence import GRADER_VERSION
from reasoning.llm import CallRecord

Result = TypeVar("Result")


def judgement_row(run: Run, solution: int, steps: int, parameters: str, said: types.Judgement) -> Judgement:
    return Judgement(
        solution_id=solution,
        run=run,
        model=said.model,
        prompt=said.prompt,
        parameters=parameters,
        sample=said.sample,
        step_count=steps,
        first_error=said.first_error,
        verdicts=list(said.verdicts),
        reason=escape(said.reason),
        prompt_tokens=said.usage.prompt_tokens,
        completion_tokens=said.usage.completion_tokens,
        cost=said.usage.cost,
    )


@dataclass(frozen=True, slots=True)
class GradedRollout:
    """One rollout's row with its first grade, which can be made only once the row has its key; None: ungraded."""

    row: Rollout
    reference: str | None
    stand_in: int | None
    verdict: str
    rule: str

    @property
    def key(self) -> tuple[int, int, str, str, int]:
        row = self.row
        return (row.solution_id, row.prefix, row.model, row.parameters, row.sample)


def graded_rollout(
    run: Run,
    solution: int,
    steps: int,
    parameters: str,
    reference: str | None,
    roll: types.Rollout,
    stand_in: int | None = None,
) -> GradedRollout:
    """`stand_in` is the key of the majority answer that the reference is; without a reference there is no grade."""
    row = Rollout(
        solution_id=solution,
        run=run,
        prefix=roll.prefix,
        step_count=steps,
        model=roll.model,
        parameters=parameters,
        sample=roll.sample,
        text=escape(roll.text),
        answer=None if roll.answer is None else escape(roll.answer),
        seed=roll.seed,
        finish_reason=escape(roll.finish_reason)[:32],
        prompt_tokens=roll.usage.prompt_tokens,
        completion_tokens=roll.usage.completion_tokens,
        cost=roll.usage.cost,
    )
    return GradedRollout(row, None if reference is None else escape(reference), stand_in, roll.verdict, roll.rule[:60])


Look = Judgement | GradedRollout | Score


@dataclass(slots=True)
class _Group:
    looks: list[Look] = field(default_factory=list)
    calls: list[CallRecord] = field(default_factory=list)
    waiting: list[asyncio.Future[None]] = field(default_factory=list)


class Ledger:
    """Writes one run's looks and calls. `store` returns once what it was given is committed."""

    def __init__(self, run: Run, database: Executor) -> None:
        self.run, self._database = run, database
        self.stored = 0
        """Looks that were given to it: each is a reply that was whole."""
        self._group = _Group()
        self._writer: asyncio.Task[None] | None = None

    def note(self, call: CallRecord) -> None:
        """Keep a call's usage; it is written with the next group, at the latest by `close`."""
        self._group.calls.append(call)

    async def store(self, looks: Iterable[Look]) -> None:
        """Write these looks; raises what the database says where the group could not be written."""
        stored = asyncio.get_running_loop().create_future()
        before = len(self._group.looks)
        self._group.looks.extend(looks)
        self.stored += len(self._group.looks) - before
        self._group.waiting.append(stored)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        await stored

    async def close(self) -> None:
        """Write what is left."""
        await self.store(())

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        while self._group.waiting:
            group, self._group = self._group, _Group()
            written = loop.run_in_executor(self._database, write, self.run, group.looks, group.calls)
            await asyncio.wait([written])
            error = written.exception()
            for stored in group.waiting:
                if stored.done():  # whoever waited was cancelled; the rows are kept all the same
                    continue
                if error is None:
                    stored.set_result(None)
                else:
                    stored.set_exception(error)

    async def ask(self, question: Callable[[], Result]) -> Result:
        """Run a function that reads or writes the database, off the event loop and in turn with the groups."""
        return await asyncio.get_running_loop().run_in_executor(self._database, question)


def write(run: Run, looks: list[Look], calls: list[CallRecord]) -> None:
    """One group, one transaction: the rows, the calls and the run's running totals stand or fall together."""
    rollouts = [look for look in looks if isinstance(look, GradedRollout)]
    with transaction.atomic():
        changes.announce_in(run.project_id)
        _stamp(looks)
        # A reply that is already there (a second worker's, after a lapsed hold) is not counted twice.
        Judgement.objects.bulk_create([row for row in looks if isinstance(row, Judgement)], ignore_conflicts=True)
        Score.objects.bulk_create([row for row in looks if isinstance(row, Score)], ignore_conflicts=True)
        _write_rollouts(rollouts)
        Call.objects.bulk_create([_call_row(run, call) for call in calls])
        Run.objects.filter(pk=run.pk).update(
            calls=F("calls") + len(calls),
            rollouts=F("rollouts") + len(rollouts),
            prompt_tokens=F("prompt_tokens") + sum(call.usage.prompt_tokens for call in calls),
            completion_tokens=F("completion_tokens") + sum(call.usage.completion_tokens for call in calls),
            cost=F("cost") + sum(call.usage.cost for call in calls),
        )
        if any(call.replied_model.startswith(SIMULATED) for call in calls):
            Endpoint.objects.filter(runs=run, simulated=False).update(simulated=True)


def _stamp(looks: list[Look]) -> None:
    """With the moment of writing: an export that shows looks must not find one later that came before its cutoff."""
    now = timezone.now()
    for look in looks:
        row = look.row if isinstance(look, GradedRollout) else look
        row.created_at = now


def _write_rollouts(rollouts: list[GradedRollout]) -> None:
    if not rollouts:
        return
    Rollout.objects.bulk_create([each.row for each in rollouts], ignore_conflicts=True)
    wanted = Q()
    for solution in {each.row.solution_id for each in rollouts}:
        prefixes = {each.row.prefix for each in rollouts if each.row.solution_id == solution}
        wanted |= Q(solution=solution, prefix__in=prefixes)
    stored = Rollout.objects.filter(wanted)
    ids = {
        (row.solution_id, row.prefix, row.model, row.parameters, row.sample): row.pk
        for row in stored.only("solution_id", "prefix", "model", "parameters", "sample")
    }
    Grade.objects.bulk_create(
        [
            Grade(
                rollout_id=ids[each.key],
                grader=GRADER_VERSION,
                reference=each.reference,
                stand_in_id=each.stand_in,
                verdict=each.verdict,
                rule=each.rule,
            )
            for each in rollouts
            if each.reference is not None
        ],
        ignore_conflicts=True,
    )


def _call_row(run: Run, call: CallRecord) -> Call:
    assert run.endpoint_id is not None
    return Call(
        endpoint_id=run.endpoint_id,
        run=run,
        ok=call.status == "ok",
        status=call.http_status,
        model=call.replied_model or call.model,
        prompt_tokens=call.usage.prompt_tokens,
        completion_tokens=call.usage.completion_tokens,
        cost=call.usage.cost,
        seconds=call.seconds,
        attempts=call.attempt,
        detail=escape(call.detail),
    )
