"""Poolers before the PostgreSQL of the tests: PgBouncer where there is one, and one of our own that is stricter."""

from __future__ import annotations

import asyncio
import os
import struct
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from models.address import Pooled

PGBOUNCER = "MAILLE_PGBOUNCER"
"""Where the program stands in the environment that is used instead of our own (`make pgbouncer`)."""
SOCKET = ".s.PGSQL.5432"
KNOWN = {"user", "database", "client_encoding", "timezone", "application_name"}
"""What a client may say when it connects: PgBouncer refuses all else."""
CANCEL, ENCRYPT, PROTOCOL = 80877102, 80877103, 196608

SERVED = """
[databases]
* = host={host} port=5432 user=postgres
[pgbouncer]
listen_addr =
unix_socket_dir = {folder}
listen_port = 5432
auth_type = any
pool_mode = transaction
default_pool_size = {size}
server_round_robin = 1
logfile = {folder}/log
"""


def host_of(url: str) -> str:
    """Return the folder of a server's socket."""
    return parse_qs(urlsplit(url).query)["host"][0]


@asynccontextmanager
async def pooled(url: str, size: int = 3) -> AsyncIterator[Pooled]:
    """Put a pooler before a server for a while: it lends `size` connections, for one transaction each."""
    with tempfile.TemporaryDirectory(prefix="pool") as name:
        folder, program = Path(name), os.environ.get(PGBOUNCER)
        await asyncio.to_thread(folder.chmod, 0o777)
        address = Pooled(f"postgresql://postgres@/postgres?host={folder}", url)
        if program is None:
            async with Lender(Path(host_of(url)) / SOCKET, size).at(folder / SOCKET):
                yield address
        else:
            async with _pgbouncer(program, folder, url, size):
                yield address


@asynccontextmanager
async def _pgbouncer(program: str, folder: Path, url: str, size: int) -> AsyncIterator[None]:
    settings = folder / "pgbouncer.ini"
    settings.write_text(SERVED.format(host=host_of(url), folder=folder, size=size))
    # It refuses to be root, and the server's socket is its owner's alone.
    user = await asyncio.to_thread(Path(host_of(url)).owner) if os.geteuid() == 0 else None
    process = await asyncio.create_subprocess_exec(program, "-q", str(settings), user=user)
    try:
        async with asyncio.timeout(20):
            while not await asyncio.to_thread((folder / SOCKET).exists):
                assert process.returncode is None, "PgBouncer did not start"
        yield
    finally:
        process.terminate()
        await process.wait()


def _said(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def _error(code: str, text: str) -> bytes:
    parts = (b"SFATAL", b"VFATAL", b"C" + code.encode(), b"M" + text.encode(), b"")
    return _said(b"E", b"".join(part + b"\0" for part in parts))


@dataclass
class _Line:
    """One end of a conversation in PostgreSQL's protocol."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def message(self) -> tuple[bytes, bytes]:
        """Return the kind of the next message, and all of it."""
        head = await self.reader.readexactly(5)
        return head[:1], head + await self.reader.readexactly(struct.unpack("!i", head[1:])[0] - 4)

    async def opening(self) -> tuple[int, Mapping[str, str]]:
        """Return what a client begins with."""
        (length,) = struct.unpack("!i", await self.reader.readexactly(4))
        body = await self.reader.readexactly(length - 4)
        words = body[4:].rstrip(b"\0").decode("latin-1").split("\0")
        return struct.unpack("!i", body[:4])[0], dict(zip(words[::2], words[1::2], strict=False))


@dataclass
class Lender:
    """Lends connections in turn, so that nobody has the same one twice in a row; nothing is reset between."""

    server: Path
    size: int
    free: asyncio.Queue[_Line] = field(default_factory=asyncio.Queue)
    greeting: bytes = b""
    ended: bool = False
    clients: set[asyncio.Task[None]] = field(default_factory=set)

    @asynccontextmanager
    async def at(self, path: Path) -> AsyncIterator[None]:
        """Lend at a socket."""
        for _ in range(self.size):
            await self._connect()
        server = await asyncio.start_unix_server(self._serve, path)
        try:
            yield
        finally:
            server.close()
            self.ended = True
            while self.clients:
                for client in self.clients:
                    client.cancel()
                await asyncio.wait(self.clients)
            while not self.free.empty():
                self.free.get_nowait().writer.close()

    async def _connect(self) -> None:
        line = _Line(*await asyncio.open_unix_connection(self.server))
        words = b"user\0postgres\0database\0postgres\0TimeZone\0UTC\0\0"
        line.writer.write(struct.pack("!ii", len(words) + 8, PROTOCOL) + words)
        greeting, kind = b"", b""
        while kind != b"Z":
            kind, message = await line.message()
            greeting += message
        self.greeting = greeting
        self.free.put_nowait(line)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.clients.add(task)
        task.add_done_callback(self.clients.discard)
        with closing(writer), suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            if not self.ended:
                await self._greet(_Line(reader, writer))

    async def _greet(self, client: _Line) -> None:
        version, words = await client.opening()
        if version == ENCRYPT:
            client.writer.write(b"N")
            version, words = await client.opening()
        if version == CANCEL:
            return
        for word in words:
            if word.casefold() not in KNOWN:
                client.writer.write(_error("08P01", f"unsupported startup parameter: {word}"))
                return
        client.writer.write(self.greeting)
        while True:
            kind, message = await client.message()
            if kind == b"X":
                return
            await self._transaction(client, message, kind)

    async def _transaction(self, client: _Line, message: bytes, kind: bytes) -> None:
        """Lend a connection until it is in no transaction any more; one that is left inside of one is closed."""
        server = await self.free.get()
        answered: asyncio.Queue[bytes] = asyncio.Queue()
        answering = asyncio.create_task(_answer(server, client, answered))
        status = b""
        try:
            while status != b"I":
                server.writer.write(message)
                if kind in {b"Q", b"S"}:
                    status = await answered.get()
                if status != b"I":
                    kind, message = await client.message()
                    if kind == b"X":
                        return
        finally:
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)
            if status == b"I":
                self.free.put_nowait(server)
            else:
                server.writer.close()
                await self._connect()


async def _answer(server: _Line, client: _Line, answered: asyncio.Queue[bytes]) -> None:
    """Pass on what a server says; after each answer, whether it is in a transaction."""
    while True:
        kind, message = await server.message()
        client.writer.write(message)
        if kind == b"Z":
            await client.writer.drain()
            answered.put_nowait(message[-1:])
            if message[-1:] == b"I":
                return
