"""Whose fault a failed look is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from annotator.preannotation.blame import IN_A_ROW, SMALL, Blame
from reasoning.errors import (
    BudgetExceeded,
    EndpointError,
    EndpointRefused,
    EndpointUnavailable,
    InvalidInput,
    MalformedReply,
)
from reasoning.llm.retries import CircuitOpen


def looking(error: Exception | None = None) -> tuple[Callable[[], Awaitable[object]], list[int]]:
    """A small look that comes back whole, or fails; and a list that grows by one with each."""
    asked: list[int] = []

    async def look() -> object:
        asked.append(1)
        await asyncio.sleep(0)
        if error is not None:
            raise error
        return "whole"

    return look, asked


def blame(error: Exception | None = None) -> tuple[Blame, list[int]]:
    found = Blame()
    found.look, asked = looking(error)
    return found, asked


def test_what_nobody_has_a_reason_to_refuse_has_steps() -> None:
    assert [step.text for step in SMALL.steps] == ["2 + 3 is 5.", "The answer is 5."]


@pytest.mark.parametrize("error", [EndpointRefused("400: too long", status=400), EndpointUnavailable("timed out")])
def test_what_a_sound_endpoint_refuses_or_never_answers_is_the_solutions_fault(error: EndpointError) -> None:
    found, asked = blame()
    assert asyncio.run(found.of(error)) == str(error)
    assert len(asked) == 1


@pytest.mark.parametrize(
    "answer", [EndpointRefused("401: wrong key"), MalformedReply("no JSON"), BudgetExceeded("spent"), InvalidInput("x")]
)
def test_what_an_unsound_endpoint_refuses_is_raised_again(answer: Exception) -> None:
    found, _ = blame(answer)
    error = EndpointRefused("400: no such parameter", status=400)
    with pytest.raises(EndpointRefused) as raised:
        asyncio.run(found.of(error))
    assert raised.value is error


def test_a_circuit_that_is_open_is_the_endpoints_and_it_is_not_asked() -> None:
    found, asked = blame()
    with pytest.raises(CircuitOpen):
        asyncio.run(found.of(CircuitOpen("not asked")))
    assert not asked


@pytest.mark.parametrize("error", [MalformedReply("no JSON"), InvalidInput("a separator in the text")])
def test_a_garbled_reply_and_a_text_that_cannot_be_sent_ask_nobody(error: EndpointError | InvalidInput) -> None:
    found, asked = blame()
    assert asyncio.run(found.of(error)) == str(error)
    assert not asked


def test_an_endpoint_that_was_found_sound_is_trusted_for_a_while() -> None:
    found, asked = blame()

    async def refuse(times: int) -> None:
        for _ in range(times):
            await found.of(EndpointRefused("400: too long"))
            if found.ended(whole=False):
                await found.sound()

    asyncio.run(refuse(IN_A_ROW - 1))
    assert len(asked) == 1
    asyncio.run(refuse(IN_A_ROW))
    assert len(asked) == 2


def test_many_failures_in_a_row_want_the_endpoint_asked_and_a_whole_look_or_a_sound_answer_ends_the_row() -> None:
    found, _ = blame()
    assert [found.ended(whole=False) for _ in range(IN_A_ROW)] == [False] * (IN_A_ROW - 1) + [True]
    assert not found.ended(whole=True)
    assert found.in_a_row == 0
    for _ in range(IN_A_ROW):
        found.ended(whole=False)
    assert asyncio.run(found.sound())
    assert found.in_a_row == 0


def test_of_many_who_ask_at_once_one_asks_the_endpoint() -> None:
    found, asked = blame()

    async def all_at_once() -> list[str]:
        return await asyncio.gather(*(found.of(EndpointUnavailable("timed out")) for _ in range(8)))

    assert asyncio.run(all_at_once()) == ["timed out"] * 8
    assert len(asked) == 1


def test_nobody_is_trusted_who_was_never_asked() -> None:
    assert not asyncio.run(Blame().sound())
