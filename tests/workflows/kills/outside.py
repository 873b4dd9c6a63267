"""The world outside: a mail server and two other systems on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiosmtpd.smtp import SMTP

from tests.workflows.conftest import Mailbox
from tests.workflows.kills.play import Outside
from tests.workflows.receiver import receiving


@asynccontextmanager
async def outside() -> AsyncIterator[Outside]:
    """Open them on free ports."""
    box, loop = Mailbox(), asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(box, hostname="test", enable_SMTPUTF8=True, loop=loop), "127.0.0.1", 0
    )
    box.url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}?from=office@reseau.example&starttls=never"
    async with receiving() as calls, receiving() as texts:
        yield Outside(box, calls, texts)
    server.close()
    await server.wait_closed()
