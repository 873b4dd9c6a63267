"""The product over HTTP, through uvicorn in a process of its own, beside bare Starlette with the same SQL."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.load import Rate, measure, request
from benchmarks.world import NAME, World

CONNECTIONS = 16
PAGES = 150
FORM = urlencode({"comment": "Bien", "next_call_at": "2030-01-01T10:00", "version": "1"}).encode()
BASE = f"/n/{NAME}/e/lead/"


async def rates(folder: Path, world: World, which: str, leads: Sequence[str]) -> Mapping[str, Rate]:
    """Return the rates of one of the two servers; each of the leads is moved once."""
    asked = _product(world, leads) if which == "ours" else _bare(world, leads)
    async with _serving(folder, which) as (port, pid):
        for requests in asked.values():
            await measure(port, pid, requests[:30], CONNECTIONS)
        return {what: await measure(port, pid, requests[30:], CONNECTIONS) for what, requests in asked.items()}


def _product(world: World, leads: Sequence[str]) -> dict[str, list[bytes]]:
    page = {"Cookie": f"maille={world.token}", "Accept-Language": "en"}
    program = {**page, "X-CSRF-Token": world.csrf, "Accept": "application/json"}
    address = f"{BASE}?f.country=FR&f.recruiting=contacted&sort=-created_at"
    return {
        "transition": [request("POST", f"{BASE}{lead}/move/recruiting/call", program, FORM) for lead in leads],
        "list": [request("GET", address, page)] * PAGES,
        "get": [request("GET", BASE + world.leads[-1], page)] * PAGES,
    }


def _bare(world: World, leads: Sequence[str]) -> dict[str, list[bytes]]:
    cookie = {"Cookie": f"maille={world.token}"}
    return {
        "transition": [request("POST", f"/{lead}/move", cookie, FORM) for lead in leads],
        "list": [request("GET", "/list", cookie)] * PAGES * 4,
        "get": [request("GET", f"/{world.leads[-1]}", cookie)] * PAGES * 4,
    }


@asynccontextmanager
async def _serving(folder: Path, which: str) -> AsyncIterator[tuple[int, int]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.served", which, str(folder), str(port)
    )
    try:
        async with asyncio.timeout(60):
            while not await _answers(port):  # noqa: ASYNC110 - another process tells nothing but by answering
                await asyncio.sleep(0.05)
        yield port, process.pid
    finally:
        process.terminate()
        await process.wait()


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
