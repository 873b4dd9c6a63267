"""Work that is told of while it is done: how far it is, what came of it, and its end when nobody listens any more."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from admin.under_way import lines
from models.archive import Progress

pytestmark = pytest.mark.anyio


async def told(found: AsyncIterator[str]) -> list[dict[str, Any]]:
    return [json.loads(line) async for line in found]


async def test_how_far_it_is_is_told_and_then_what_came_of_it() -> None:
    go = asyncio.Event()

    async def work(progress: Progress) -> Mapping[str, Any]:
        progress("rows", 3, 10)
        await go.wait()
        return {"html": "done\nwell"}

    found = lines(work, every=0)
    seen = [json.loads(await anext(found)) for _ in range(3)]
    go.set()
    *_, last = await told(found)
    assert seen[0] == {"what": "begin", "done": 0, "total": 0}
    assert seen[2] == {"what": "rows", "done": 3, "total": 10}
    assert last == {"html": "done\nwell"}


async def test_who_stops_listening_ends_the_work() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def work(_: Progress) -> Mapping[str, Any]:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            ended.set()
        return {}

    found = lines(work, every=0)
    await anext(found)
    await begun.wait()
    await found.aclose()
    await ended.wait()


async def test_what_goes_wrong_is_raised_to_who_listens() -> None:
    async def work(_: Progress) -> Mapping[str, Any]:
        raise LookupError("it went wrong")

    with pytest.raises(LookupError, match="it went wrong"):
        await told(lines(work, every=0))
