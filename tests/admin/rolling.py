"""Load on a server while its processes are replaced: what became of every request, and how long the longest waited.

`make rolling` runs it at length on both databases; `test_rolling` takes a short sample.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import httpx

from admin.operations.keeper import PATIENCE
from tests.admin.served import ROOT, free_port
from tests.admin.test_kill_server import FORM, furnish, sign_in
from tests.homes import homes_of, postgres_of_run

REPLACED = "a process was replaced"


@dataclass
class Kept:
    """`maille serve --processes`, and what it has said."""

    data: Path
    environment: Mapping[str, str]
    count: int = 1
    linger: float = 0.5
    port: int = field(default_factory=free_port)
    said: list[dict[str, object]] = field(default_factory=list)
    process: asyncio.subprocess.Process | None = None
    _reading: asyncio.Task[None] | None = None
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Start it and wait until it serves."""
        serve = ("serve", "--data", str(self.data), "--port", str(self.port), "--linger", str(self.linger))
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "admin.cli.main", *serve, "--processes", str(self.count)),
            cwd=ROOT,
            env={**os.environ, "MAILLE_LOG": "json", **self.environment},
            stdout=asyncio.subprocess.PIPE,
        )
        self._reading = asyncio.create_task(self._read())
        await self.heard("serving")

    async def _read(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            if line.startswith(b"{"):
                async with self._news:
                    self.said.append(json.loads(line))
                    self._news.notify_all()

    def events(self, name: str) -> list[dict[str, object]]:
        """Return the events of a name."""
        return [each for each in self.said if each["event"] == name]

    async def heard(self, name: str, times: int = 1) -> None:
        """Wait until it has said something so often: as long as it waits for its processes itself, one by one."""
        async with asyncio.timeout(PATIENCE * self.count), self._news:
            await self._news.wait_for(lambda: len(self.events(name)) >= times)

    async def renew(self) -> None:
        """Have all processes replaced, and wait for it."""
        assert self.process is not None
        done = len(self.events(REPLACED))
        self.process.send_signal(signal.SIGHUP)
        await self.heard(REPLACED, done + self.count)

    async def silence(self) -> None:
        """Wait until nobody is left who could say something."""
        assert self._reading is not None
        async with asyncio.timeout(60):
            await self._reading

    async def end(self) -> int:
        """Ask it to end, and return its exit code."""
        assert self.process is not None
        self.process.terminate()
        async with asyncio.timeout(60):
            code = await self.process.wait()
        await self.silence()
        return code


@dataclass
class Load:
    """What became of requests: answers by status, what failed otherwise, moves acknowledged, and the longest wait."""

    answers: Counter[int] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    moved: Counter[str] = field(default_factory=Counter)
    longest: float = 0.0
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self, http: httpx.AsyncClient, method: str, path: str, **more: object) -> int:
        """Send a request once: nothing is tried again."""
        begun = perf_counter()
        try:
            answer = await http.request(method, path, **more)  # type: ignore[arg-type] # what httpx takes
        except httpx.TransportError as error:
            self.failed.append(f"{method} {path}: {error!r}")
            return 0
        finally:
            self.longest = max(self.longest, perf_counter() - begun)
        self.answers[answer.status_code] += 1
        return answer.status_code

    async def read(self, url: str, email: str, *, keeping: bool) -> None:
        """Read a list again and again, over one connection or a new one each time."""
        limits = httpx.Limits(max_keepalive_connections=None if keeping else 0)
        async with httpx.AsyncClient(base_url=url, timeout=60, limits=limits) as http:
            await sign_in(http, email)
            while not self.over.is_set():
                await self.ask(http, "GET", "/n/small/e/lead/")

    async def move(self, url: str, email: str, leads: list[str]) -> None:
        """Call lead after lead until there are no more, or it is over."""
        async with httpx.AsyncClient(base_url=url, timeout=60) as http:
            headers = {"accept": "application/json", "x-csrf-token": await sign_in(http, email)}
            for id in leads:
                if self.over.is_set():
                    return
                path, data = f"/n/small/e/lead/{id}/move/recruiting/call", {**FORM, "version": "1"}
                self.moved[id] += await self.ask(http, "POST", path, data=data, headers=headers) == 200


async def roll(kept: Kept, leads: Mapping[str, list[str]], times: int) -> Load:
    """Replace the processes of a server so often under load, and return what became of the requests."""
    load = Load()
    people = list(leads)
    await kept.start()
    asked = [
        *(asyncio.ensure_future(load.read(kept.url, email, keeping=bool(at % 2))) for at, email in enumerate(people)),
        *(asyncio.ensure_future(load.move(kept.url, email, leads[email])) for email in people),
    ]
    try:
        for _ in range(times):
            await kept.renew()
    finally:
        load.over.set()
        await asyncio.gather(*asked)
    return load


async def main(times: int) -> None:
    """Roll at length, on SQLite with one process and on PostgreSQL with two, and print what came of it."""
    with tempfile.TemporaryDirectory() as folder:
        async with postgres_of_run() as address:
            await _rolled(Path(folder), times, {"SQLite": (None, 1), "PostgreSQL": (address, 2)})


async def _rolled(folder: Path, times: int, databases: Mapping[str, tuple[str | None, int]]) -> None:
    for name, (url, count) in databases.items():
        async with homes_of(folder / name, url) as homes:
            homes.folder.mkdir()
            leads = await furnish(homes("small"), 4, 200)
            given = {"DATABASE_URL": url or "", "MAILLE_SCHEMA_PREFIX": homes.prefix, "MAILLE_SECRET": "x" * 32}
            kept = Kept(homes.folder, given, count)
            load = await roll(kept, leads, times)
            code = await kept.end()
        done = len(kept.events(REPLACED))
        sys.stdout.write(
            f"{name}: {done} processes replaced, {load.answers.total()} answers {dict(load.answers)}, "
            f"{len(load.failed)} failed, {load.moved.total()} moves, "
            f"longest wait {load.longest:.2f} s, exit {code}\n"
        )
        sys.stdout.writelines(f"  {line}\n" for line in load.failed[:10])


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10))
