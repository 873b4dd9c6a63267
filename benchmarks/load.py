"""A small HTTP client that keeps its connections, so that what is measured is the server."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Rate:
    """Requests a second, and milliseconds of the server's CPU for each."""

    second: float
    cpu: float


def request(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """Return a request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in headers.items())]
    if body:
        lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


async def measure(port: int, pid: int, requests: Sequence[bytes], connections: int) -> Rate:
    """Send the requests over so many connections; each must be answered with 200."""
    waiting = iter(requests)
    wall, cpu = time.perf_counter(), cpu_of(pid)
    await asyncio.gather(*(_caller(port, waiting) for _ in range(connections)))
    wall, cpu = time.perf_counter() - wall, cpu_of(pid) - cpu
    return Rate(len(requests) / wall, cpu / len(requests) * 1000)


async def _caller(port: int, waiting: Iterator[bytes]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for sent in waiting:
        writer.write(sent)
        head = await reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        body = await reader.readexactly(int(length[1]) if length else 0)
        if b" 200 " not in head.split(b"\r\n", 1)[0]:
            raise RuntimeError(f"{head.decode()}\n{body[:2000].decode()}")
    writer.close()
    await writer.wait_closed()


def cpu_of(pid: int) -> float:
    """Return the seconds of CPU that a process has used, its threads included."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:  # noqa: PTH123 - not a file one keeps a path of
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
