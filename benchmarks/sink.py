"""A mail server that takes everything and keeps nothing, in a process of its own: `python -m benchmarks.sink PORT`."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

EXTENSIONS = b"250-sink\r\n250-SMTPUTF8\r\n250 PIPELINING\r\n"


async def _talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one client until it says goodbye."""
    writer.write(b"220 sink\r\n")
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        while not reader.at_eof():
            command = (await reader.readline())[:4].upper()
            if command == b"DATA":
                writer.write(b"354 go on\r\n")
                await reader.readuntil(b"\r\n.\r\n")
            writer.write(EXTENSIONS if command == b"EHLO" else b"221 bye\r\n" if command == b"QUIT" else b"250 ok\r\n")
            await writer.drain()
            if command in {b"QUIT", b""}:
                break
    writer.close()


async def serve(port: int) -> None:
    """Serve until the process is ended."""
    server = await asyncio.start_server(_talk, "127.0.0.1", port, limit=2**24)
    await server.serve_forever()


@asynccontextmanager
async def running() -> AsyncIterator[int]:
    """Run a sink until the end, and return its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "benchmarks.sink", str(port))
    try:
        async with asyncio.timeout(30):
            while not await _answers(port):  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.05)
        yield port
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(int(sys.argv[1])))
