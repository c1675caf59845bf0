"""What only a real connection shows: one pool for all calls, and what becomes of connections that break."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from reasoning.errors import EndpointUnavailable, MalformedReply
from reasoning.llm import Endpoint, Message, Request
from reasoning.llm.openai_chat import OpenAIChat
from reasoning.llm.retries import RetryPolicy

ASK = Request((Message("user", "hello"),))
BODY = b'{"model": "m", "choices": [{"message": {"content": "42"}, "finish_reason": "stop"}]}'
GOOD = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(BODY), BODY)

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def read_request(reader: asyncio.StreamReader) -> bool:
    """Whether another whole request came."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return False
    length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    await reader.readexactly(length)
    return True


@asynccontextmanager
async def listening(talk: Talk):
    """The base URL of a server that treats each connection as `talk` does, and how many connections came."""
    connections: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        await talk(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield f"http://127.0.0.1:{port}/v1", connections


def says(raw: bytes) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await read_request(reader):
            writer.write(raw)
            await writer.drain()

    return talk


async def goes_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await read_request(reader):
        writer.write(GOOD)


async def test_all_calls_share_one_pool_that_is_as_wide_as_the_slots_and_kept_alive():
    async with (
        listening(goes_on) as (url, connections),
        OpenAIChat(Endpoint(url, "m", slots=3)) as client,
    ):
        await asyncio.gather(*(client.complete(ASK) for _ in range(30)))
    assert len(connections) == 3


@pytest.mark.parametrize(
    ("raw", "error", "words"),
    [
        (b"", EndpointUnavailable, "no connection: Server disconnected"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{", MalformedReply, "cut off"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{", MalformedReply, "cut off"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", MalformedReply, "not HTTP"),
        (b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}", MalformedReply, "cut off"),
    ],
)
async def test_a_connection_that_breaks_ends_as_its_error_and_not_as_a_time_limit(raw, error, words):
    async with (
        listening(says(raw)) as (url, _),
        OpenAIChat(Endpoint(url, "m"), policy=RetryPolicy(attempts=1)) as client,
    ):
        with pytest.raises(error, match=words):
            await client.complete(ASK)


async def test_a_connection_that_the_server_closed_meanwhile_is_replaced_without_a_failed_attempt():
    records = []
    async with (
        listening(says(GOOD)) as (url, connections),
        OpenAIChat(Endpoint(url, "m", slots=1), on_call=records.append) as client,
    ):
        for _ in range(3):
            await client.complete(ASK)
            await asyncio.sleep(0.01)
    assert len(connections) == 3
    assert [record.status for record in records] == ["ok"] * 3
