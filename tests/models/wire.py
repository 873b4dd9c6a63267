"""A wire to PostgreSQL on which the answers are counted: each is a round trip that somebody waited for."""

from __future__ import annotations

import asyncio
import struct
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.poolers import SOCKET, host_of

READY = b"Z"
"""What each answer of the server ends with."""


@dataclass
class Wire:
    """Passes everything on, both ways, and counts."""

    url: str
    server: Path
    trips: int = 0
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Connect a client."""
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        answers, questions = await asyncio.open_unix_connection(self.server)
        back = asyncio.create_task(self._back(answers, writer))
        with closing(writer), closing(questions), suppress(ConnectionError, asyncio.CancelledError):
            while said := await reader.read(65536):
                questions.write(said)
        back.cancel()
        await asyncio.gather(back, return_exceptions=True)

    async def _back(self, answers: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await answers.readexactly(5)
                writer.write(head + await answers.readexactly(struct.unpack("!i", head[1:])[0] - 4))
                self.trips += head[:1] == READY


@asynccontextmanager
async def wired(url: str) -> AsyncIterator[Wire]:
    """Put a wire before a server for a while."""
    with tempfile.TemporaryDirectory(prefix="wire") as name:
        wire = Wire(f"postgresql://postgres@/postgres?host={name}&sslmode=disable", Path(host_of(url)) / SOCKET)
        server = await asyncio.start_unix_server(wire.serve, Path(name) / SOCKET)
        try:
            yield wire
        finally:
            server.close()
            for task in wire.tasks:
                task.cancel()
            await asyncio.gather(*wire.tasks, return_exceptions=True)
