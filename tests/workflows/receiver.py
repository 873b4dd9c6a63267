"""Another system on this machine: takes calls and answers what it was told to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from workflows.calling import HttpCaller


@dataclass(frozen=True, slots=True)
class Received:
    """A call that came in."""

    line: str
    headers: dict[str, str]
    body: str

    @property
    def json(self) -> Any:
        """Return what it says."""
        return json.loads(self.body)


@dataclass
class Receiver:
    """What came in, and what is answered: the next of `answers`, then 204, once it is `answering`."""

    port: int = 0
    calls: list[Received] = field(default_factory=list)
    answers: list[bytes] = field(default_factory=list)
    answering: asyncio.Event | None = None

    @property
    def url(self) -> str:
        """Return its address, by a name."""
        return f"http://crm.exemple.fr:{self.port}/in?from=maille"

    def caller(self) -> HttpCaller:
        """Return a way out that finds this receiver under every name."""

        async def here(_: str, __: int) -> list[str]:
            return ["127.0.0.1"]

        return HttpCaller(permitted=lambda address: address == "127.0.0.1", find=here, timeout=5)

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one call."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii").split("\r\n")
        headers = {name.lower(): text for name, text in (line.split(": ", 1) for line in head[1:] if line)}
        body = await reader.readexactly(int(headers["content-length"]))
        self.calls.append(Received(head[0], headers, body.decode()))
        if self.answering is not None:
            await self.answering.wait()
        writer.write(self.answers.pop(0) if self.answers else b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()
        writer.close()


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """Open a receiver on a free port."""
    receiver = Receiver()
    server = await asyncio.start_server(receiver.take, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    yield receiver
    server.close()
    await server.wait_closed()
