"""The product over HTTP, through uvicorn in a process of its own, beside bare Starlette with the same SQL."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.load import Rate, Watch, over_http, request
from benchmarks.people import BATCH, batches
from benchmarks.world import FORM, NAME, World
from models.stores import Schema

LEADS = f"/n/{NAME}/api/v1/entities/lead"
PAGES = f"/n/{NAME}/e/lead/"
LIST = urlencode(
    {
        "filter": 'record.country == "FR" && record.source == "fair"',
        "sort": "-created_at",
        "fields": "first_name,last_name,email,country,source,next_call_at",
    }
)
PAGE = "f.country=FR&f.source=fair&sort=-created_at"
JSON = {"Content-Type": "application/json"}
API = ("transition", "list of 50", "one record", "import, rows")
AS_PAGES = {"transition, a form": "transition", "list of 50, a page": "list of 50", "one record, a page": "one record"}
"""The same through the pages that people see, beside the bare handler for programs."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs: its port, and what is asked of it by name."""

    port: int
    watch: Watch
    asked: dict[str, Iterator[bytes]]

    async def rate(self, what: str) -> Rate:
        """Return how it does."""
        return await over_http(self.watch, self.port, self.asked[what], BATCH if what == "import, rows" else 1)


async def measure(ours: Server, bare: Server, *, pages: bool) -> dict[str, tuple[Rate, Rate]]:
    """Return the rates of one round."""
    found = {what: (await ours.rate(what), await bare.rate(what)) for what in API}
    if pages:
        found |= {page: (await ours.rate(page), found[what][1]) for page, what in AS_PAGES.items()}
    return found


@asynccontextmanager
async def serving(
    which: str, folder: Path, world: World, database: int | None, seconds: float
) -> AsyncIterator[Server]:
    """Serve one of the two until the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    url = [str(world.home.url)] if isinstance(world.home, Schema) else []
    arguments = [which, str(folder), str(port), *url]
    quiet = asyncio.subprocess.DEVNULL  # a line of the log for each request, which is written all the same
    served = [sys.executable, "-m", "benchmarks.served", *arguments]
    process = await asyncio.create_subprocess_exec(*served, stdout=quiet, stderr=quiet)
    try:
        async with asyncio.timeout(60):
            while not await _answers(port):
                if process.returncode is not None:
                    raise ConnectionError(f"The server {which} did not start.")
                await asyncio.sleep(0.05)
        watch = Watch(process.pid, database if url else None, seconds)
        yield Server(port, watch, _product(world) if which == "ours" else _bare(world))
    finally:
        with suppress(ProcessLookupError):  # it has ended by itself
            process.terminate()
        await process.wait()


def _product(world: World) -> dict[str, Iterator[bytes]]:
    program = {"Authorization": f"Bearer {world.bearer}"}
    page = {"Cookie": f"maille={world.cookie}", "Accept-Language": "en"}
    form = {**page, "X-CSRF-Token": world.csrf, "Content-Type": "application/x-www-form-urlencoded"}
    form["Accept"] = "application/json"
    body, filled, last = json.dumps(FORM).encode(), urlencode(FORM).encode(), world.lead
    return {
        "transition": (
            request("POST", f"{LEADS}/{lead}/transitions/recruiting/{move}", {**program, **JSON}, body)
            for lead, move in world.ours
        ),
        "list of 50": repeat(request("GET", f"{LEADS}?{LIST}", program)),
        "one record": repeat(request("GET", f"{LEADS}/{last}", program)),
        "import, rows": _imports(f"{LEADS}/bulk", program),
        "transition, a form": (
            request("POST", f"{PAGES}{lead}/move/recruiting/{move}", form, filled) for lead, move in world.ours
        ),
        "list of 50, a page": repeat(request("GET", f"{PAGES}?{PAGE}", page)),
        "one record, a page": repeat(request("GET", PAGES + last, page)),
    }


def _bare(world: World) -> dict[str, Iterator[bytes]]:
    program = {"Authorization": f"Bearer {world.bearer}"}
    body = json.dumps(FORM).encode()
    return {
        "transition": (request("POST", f"/{lead}/{move}", {**program, **JSON}, body) for lead, move in world.raw),
        "list of 50": repeat(request("GET", "/list", program)),
        "one record": repeat(request("GET", f"/{world.lead}", program)),
        "import, rows": _imports("/bulk", program),
    }


def _imports(path: str, program: dict[str, str]) -> Iterator[bytes]:
    return (request("POST", path, {**program, **JSON}, json.dumps({"items": each}).encode()) for each in batches())


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
