"""The same form sent twice does its work once."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")
KEPT = 2_000


class Once(Generic[T]):
    """Remembers what forms led to, by the token that each carries; the second sending gets the first one's answer.

    Kept in this process: enough for the browser that sends twice within seconds to the server that made the form.
    """

    def __init__(self, kept: int = KEPT) -> None:
        """Remember the last `kept` forms."""
        self._kept = kept
        self._done: OrderedDict[tuple[str, ...], asyncio.Future[T]] = OrderedDict()

    async def do(self, key: tuple[str, ...], work: Callable[[], Awaitable[T]]) -> T:
        """Do the work, unless a form with this key did or is doing it. What fails may be sent again."""
        running = self._done.get(key)
        if running is not None:
            return await asyncio.shield(running)
        task = asyncio.ensure_future(work())
        self._done[key] = task
        while len(self._done) > self._kept:
            self._done.popitem(last=False)
        try:
            return await asyncio.shield(task)
        except Exception:
            self._done.pop(key, None)
            raise
