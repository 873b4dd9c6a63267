"""Callers that each wait for their answer: in this process, and over HTTP with connections that are kept."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from benchmarks.processes import cpu_of, cpu_of_family

CALLERS = 8
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
Job = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Rate:
    """Things a second, and milliseconds of CPU for each: of the serving process, and of the database's processes."""

    second: float
    cpu: float
    database: float


@dataclass(frozen=True, slots=True)
class Watch:
    """Whose CPU is counted, for how many seconds it is measured, and how many things a job does."""

    pid: int
    database: int | None
    seconds: float

    async def over(self, callers: Callable[[float], list[Awaitable[int]]], size: int = 1) -> Rate:
        """Return what the callers reach, who are told until when to go on and return how often they were answered."""
        wall, cpu, database = time.perf_counter(), cpu_of(self.pid), self._database()
        done = sum(await asyncio.gather(*callers(wall + self.seconds))) * size
        wall, cpu, database = time.perf_counter() - wall, cpu_of(self.pid) - cpu, self._database() - database
        return Rate(done / wall, cpu / done * 1000, database / done * 1000)

    def _database(self) -> float:
        return 0.0 if self.database is None else cpu_of_family(self.database)


async def inside(watch: Watch, jobs: Iterator[Job], size: int = 1) -> Rate:
    """Do jobs in this process."""

    async def caller(until: float) -> int:
        done = 0
        while time.perf_counter() < until:
            await next(jobs)()
            done += 1
        return done

    return await watch.over(lambda until: [caller(until) for _ in range(CALLERS)], size)


async def over_http(watch: Watch, port: int, requests: Iterator[bytes], size: int = 1) -> Rate:
    """Send requests; each must be answered with 200."""

    async def caller(until: float) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        done = 0
        while time.perf_counter() < until:
            writer.write(next(requests))
            await answer(reader)
            done += 1
        writer.close()
        await writer.wait_closed()
        return done

    return await watch.over(lambda until: [caller(until) for _ in range(CALLERS)], size)


def request(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """Return a request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in headers.items())]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


async def answer(reader: asyncio.StreamReader) -> None:
    """Read an answer; it must be a 200 with nothing that failed."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = _LENGTH.search(head)
    body = await reader.readexactly(int(length[1]) if length else 0)
    if b" 200 " not in head.split(b"\r\n", 1)[0] or (b'"failed":0' not in body and b'"failed":' in body):
        raise RuntimeError(f"{head.decode()}\n{body[:2000].decode()}")
