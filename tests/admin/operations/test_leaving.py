"""A server that is to end finishes what was begun, and answers those that had just come."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from admin.operations.drain import STATE, Drain
from admin.operations.serving import LeavingServer, listening

pytestmark = pytest.mark.anyio

ASKED = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@dataclass
class Running:
    """A server with an application that answers when it may."""

    server: LeavingServer
    place: tuple[str, int]
    drain: Drain
    may: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """A connection that ends with the `with`."""
        reader, writer = await asyncio.open_connection(*self.place)
        try:
            yield reader, writer
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def closed(self) -> None:
        """Wait until nobody is let in any more."""
        while self.server.servers[0].is_serving():  # noqa: ASYNC110 - the server has no event for it
            await asyncio.sleep(0)


@asynccontextmanager
async def running(linger: float) -> AsyncIterator[Running]:
    drain = Drain()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            scope["state"][STATE] = drain
            for answer in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{answer}.complete"})
            return
        run.asked.set()
        await run.may.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    place = listening("127.0.0.1", 0)
    served = asyncio.Event()
    config = uvicorn.Config(app, log_config=None, log_level="critical", lifespan="on", timeout_graceful_shutdown=20)
    server = LeavingServer(config, linger=linger, told=served.set)
    run = Running(server, place.getsockname(), drain)
    task = asyncio.create_task(server._serve([place]))
    await served.wait()
    yield run
    async with asyncio.timeout(30):
        await task


async def test_a_request_that_was_begun_is_finished() -> None:
    async with running(0) as run, run.connection() as (reader, writer):
        writer.write(ASKED)
        await run.asked.wait()
        run.server.should_exit = True
        await run.closed()
        assert run.drain.begun
        run.may.set()
        assert (await reader.read()).endswith(b"ok")  # and the connection ends


async def test_who_had_just_come_is_answered() -> None:
    async with running(0.01) as run, run.connection() as (reader, writer):
        run.may.set()
        run.server.should_exit = True
        await run.closed()
        writer.write(ASKED)
        assert b"200 OK" in await reader.readline()


async def test_while_it_lingers_others_are_still_answered() -> None:
    async with running(60) as run:
        run.may.set()
        begun = asyncio.Event()
        run.drain.then(begun.set)
        run.server.should_exit = True
        await begun.wait()
        async with run.connection() as (reader, writer):
            writer.write(ASKED)
            assert b"200 OK" in await reader.readline()
        run.server.force_exit = True  # a second interrupt makes it short


def test_a_place_that_is_taken_is_no_place() -> None:
    with listening("127.0.0.1", 0) as taken, pytest.raises(OSError, match="in use"):
        listening(*taken.getsockname())


async def test_a_hang_up_ends_a_server_as_a_request_to_end_does() -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    hung_up = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        async with running(0) as run:
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL
            with run.server.capture_signals():
                os.kill(os.getpid(), signal.SIGHUP)
                assert run.server.should_exit
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        with LeavingServer(run.server.config).capture_signals():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN  # nohup
    finally:
        signal.signal(signal.SIGTERM, before)
        signal.signal(signal.SIGHUP, hung_up)
    assert heard == [signal.SIGTERM]
