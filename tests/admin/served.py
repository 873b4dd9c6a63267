"""A server as people run it: `maille serve` in a process of its own, which can be killed."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import httpx

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120.0
"""Seconds until it must answer, however much else the machine does."""
PAUSE = 0.05
"""Seconds between two looks whether it does."""


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Running(Protocol):
    """A process as far as one has to do with it here: what `asyncio` begins is one."""

    @property
    def returncode(self) -> int | None:
        """Its exit code, None while it lives."""
        ...

    def kill(self) -> None:
        """Kill it as a power cut would."""
        ...

    def terminate(self) -> None:
        """Ask it to end."""
        ...

    async def wait(self) -> int:
        """Wait for its end, and return its exit code."""
        ...


async def begun(arguments: Sequence[str], environment: Mapping[str, str]) -> Running:
    """Begin `maille` with these arguments, in this environment alone."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "admin.cli.main", *arguments),
        cwd=ROOT,
        env=environment,
        stdout=asyncio.subprocess.DEVNULL,
    )


@dataclass
class Served:
    """`maille serve` over a folder of networks; started again on the same port after it was killed."""

    data: Path
    environment: Mapping[str, str]
    port: int = field(default_factory=free_port)
    process: Running | None = None
    serves: bool = True
    """Whether it is a server; a worker answers nobody."""
    begin: Callable[[Sequence[str], Mapping[str, str]], Awaitable[Running]] = begun

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Start it and wait until it answers."""
        serve = ("serve", "--data", str(self.data), "--port", str(self.port))
        self.process = await self.begin(serve if self.serves else ("worker",), {**os.environ, **self.environment})
        if not self.serves:
            return
        async with asyncio.timeout(PATIENCE), httpx.AsyncClient() as http:
            while not await self._answers(http):
                assert self.process.returncode is None, "the server did not start"
                await asyncio.sleep(PAUSE)  # it needs the processor more than who asks

    async def _answers(self, http: httpx.AsyncClient) -> bool:
        try:
            return (await http.get(f"{self.url}/healthz")).status_code == 200
        except httpx.TransportError:
            return False

    async def kill(self) -> None:
        """Kill it as a power cut would."""
        assert self.process is not None
        self.process.kill()
        assert await self.process.wait() == -signal.SIGKILL

    async def end(self) -> int:
        """Ask it to end, and return its exit code."""
        assert self.process is not None
        self.process.terminate()
        async with asyncio.timeout(30):
            return await self.process.wait()
