"""Work under way, told line by line while it is done: how far it is, then what came of it. Hanging up ends it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import StreamingResponse

from models.archive import Progress

TYPE = "application/x-ndjson"
"""JSON objects, one a line."""
EVERY = 0.25
"""Seconds between two lines that say how far it is."""

Told = Mapping[str, Any]
_UNDER_WAY: set[asyncio.Task[Told]] = set()


def wanted(request: Request) -> bool:
    """Whether who asks wants to be told meanwhile."""
    return TYPE in request.headers.get("accept", "")


def streamed(work: Callable[[Progress], Awaitable[Told]]) -> StreamingResponse:
    """Return the response that tells of `work`, whose last line is what it returns."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(lines(work), media_type=TYPE, headers=headers)


async def lines(work: Callable[[Progress], Awaitable[Told]], *, every: float = EVERY) -> AsyncGenerator[str, None]:
    """Yield how far `work` is (`what`, `done`, `total`; 0 where nobody knows), then what it returns.

    Who stops listening ends the work.
    """
    now: tuple[str, int, int] = ("begin", 0, 0)

    def progress(what: str, done: int, total: int) -> None:
        nonlocal now
        now = what, done, total

    task = asyncio.ensure_future(_of(work, progress))
    _UNDER_WAY.add(task)
    task.add_done_callback(_UNDER_WAY.discard)
    try:
        while not task.done():
            yield _line(dict(zip(("what", "done", "total"), now, strict=True)))
            await asyncio.wait({task}, timeout=every)
        yield _line(task.result())
    finally:
        task.cancel()


async def _of(work: Callable[[Progress], Awaitable[Told]], progress: Progress) -> Told:
    return await work(progress)


def _line(told: Told) -> str:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")) + "\n"
