from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP

from models.clock import SetClock
from models.tenant import open_tenant
from tests.workflows.conftest import Mailbox
from tests.workflows.dying import START
from workflows import outbox
from workflows.mail import SmtpTransport
from workflows.worker import Worker

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.anyio, pytest.mark.slow]


async def start(path: Path, url: str) -> asyncio.subprocess.Process:
    """Start a process that makes its change, and return it when the change is committed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.workflows.dying", str(path), url, stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    assert process.stdout is not None
    async with asyncio.timeout(60):
        assert await process.stdout.readline() == b"committed\n"
    return process


async def kill(process: asyncio.subprocess.Process) -> None:
    """Kill the process as a power cut would."""
    process.send_signal(signal.SIGKILL)
    assert await process.wait() == -signal.SIGKILL


async def after_restart(path: Path, mailbox: Mailbox) -> list[tuple[str, int]]:
    """Open the network again a while later, work twice, and return the state of its mails and the letters that came."""
    clock = SetClock(START)
    tenant = await open_tenant(path, "small", clock=clock)
    try:
        for _ in range(2):
            clock.forward(outbox.LEASE * 15)
            await Worker(tenant, SmtpTransport(mailbox.url)).run_due()
        states = await tenant.store.read(lambda tx: tx.rows('SELECT "state" FROM "_mail"'))
        return [(row[0], len(mailbox.letters)) for row in states]
    finally:
        await tenant.close()


async def test_kill_9_after_the_commit_and_before_anything_else(tmp_path: Path, mailbox: Mailbox) -> None:
    process = await start(tmp_path / "n.sqlite", "")
    await kill(process)
    assert await after_restart(tmp_path / "n.sqlite", mailbox) == [("sent", 1)]


async def test_kill_9_while_the_mail_server_is_being_reached(tmp_path: Path, mailbox: Mailbox) -> None:
    reached = asyncio.Event()

    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.set()
        await asyncio.sleep(0)
        hanging.append(writer)

    hanging: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    process = await start(tmp_path / "n.sqlite", f"smtp://127.0.0.1:{port}?starttls=never")
    async with asyncio.timeout(30):
        await reached.wait()
    await kill(process)
    for writer in hanging:
        writer.close()
    server.close()
    await server.wait_closed()
    assert await after_restart(tmp_path / "n.sqlite", mailbox) == [("sent", 1)]


async def test_kill_9_in_the_middle_of_the_text_is_told_and_not_guessed(tmp_path: Path, mailbox: Mailbox) -> None:
    reached, never = asyncio.Event(), asyncio.Event()

    async def hang(_: SMTP) -> None:
        reached.set()
        await never.wait()

    mailbox.on_text = hang
    process = await start(tmp_path / "n.sqlite", mailbox.url)
    async with asyncio.timeout(30):
        await reached.wait()
    await kill(process)
    mailbox.on_text = None
    assert await after_restart(tmp_path / "n.sqlite", mailbox) == [("unknown", 0)]
    never.set()
