"""A worker in service: mails leave beside the rest, and stopping takes no longer than it must."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiosmtpd.smtp import SMTP

from models.actor import Actor
from tests.networks import SMALL, edited
from tests.workflows.conftest import MakeStage, Stage
from workflows import outbox, worker
from workflows.mail import SendError, SmtpTransport

pytestmark = pytest.mark.anyio

AT_ONCE = edited(SMALL, ("    undo: 10m\n", ""))


@asynccontextmanager
async def serving(stage: Stage) -> AsyncIterator[asyncio.Event]:
    """Have the worker serve until the block ends."""
    stop = asyncio.Event()
    task = asyncio.ensure_future(stage.worker.serve(stop))
    try:
        yield stop
    finally:
        stop.set()
        async with asyncio.timeout(10):
            await task


async def until(stage: Stage, holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something holds, looking again after each read of the store."""
    async with asyncio.timeout(10):
        while not await holds():
            await stage.tenant.store.read(outbox.next_due)


@pytest.fixture
async def hanging(make_stage: MakeStage) -> AsyncIterator[tuple[Stage, Actor, asyncio.Event]]:
    """A network whose mail server takes the text and then says nothing until the event is set."""
    stage, answers = await make_stage(AT_ONCE), asyncio.Event()

    async def wait(_: SMTP) -> None:
        await answers.wait()

    stage.mailbox.on_text = wait
    yield stage, await stage.person("Lea", "distributor"), answers
    answers.set()


async def test_a_mail_server_that_hangs_holds_no_automation_up(
    hanging: tuple[Stage, Actor, asyncio.Event],
) -> None:
    stage, lea, answers = hanging

    async def sending() -> bool:
        return ("sending",) in await stage.rows("_mail", "state")

    async def both_ran() -> bool:
        return len(await stage.rows("_run", "id", where="state = 'done'")) == 2

    async def all_sent() -> bool:
        return await stage.rows("_mail", "state") == [("sent",), ("sent",)]

    async with serving(stage):
        await stage.call(lea, await stage.lead(lea))
        await until(stage, sending)
        await stage.call(lea, await stage.lead(lea, email="ida@exemple.fr"))
        await until(stage, both_ran)
        answers.set()
        await until(stage, all_sent)
    assert len(stage.mailbox.letters) == 2


async def test_stopping_leaves_mails_that_were_not_begun_as_they_were(
    hanging: tuple[Stage, Actor, asyncio.Event],
) -> None:
    stage, lea, answers = hanging
    for name in ("paul", "ida"):
        await stage.call(lea, await stage.lead(lea, email=f"{name}@exemple.fr"))

    async def sending() -> bool:
        return ("sending",) in await stage.rows("_mail", "state")

    async with serving(stage) as stop:
        await until(stage, sending)
        stop.set()
        answers.set()
    assert sorted(await stage.rows("_mail", "state")) == [("sent",), ("waiting",)]
    assert await stage.rows("_outbox", "attempts", "worker", where="kind = 'mail' AND state = 'ready'") == [(0, None)]


async def test_a_mail_server_that_says_nothing_keeps_no_worker_from_stopping(
    hanging: tuple[Stage, Actor, asyncio.Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "GRACE", 0.05)
    stage, lea, _ = hanging
    await stage.call(lea, await stage.lead(lea))

    async def sending() -> bool:
        return ("sending",) in await stage.rows("_mail", "state")

    async with serving(stage):
        await until(stage, sending)
    assert await stage.rows("_mail", "state") == [("sending",)]
    stage.clock.forward(outbox.LEASE)
    await stage.worker.run_due()
    assert await stage.rows("_mail", "state") == [("unknown",)]


@pytest.mark.parametrize("greeting", [b"\xff\xfe\x00 not a mail server\r\n" * 3, b"220 " + b"x" * 200_000, b""])
async def test_what_is_no_mail_server_is_told_as_such(greeting: bytes) -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(SendError) as caught:
        async with SmtpTransport(f"smtp://127.0.0.1:{port}").open():
            pass
    assert not caught.value.permanent
    assert not caught.value.uncertain
    server.close()
    await server.wait_closed()
