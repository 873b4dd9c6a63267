"""Where requests pass into a network, and where a publication holds them for the moment that it needs."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

_MINE: contextvars.ContextVar[object | None] = contextvars.ContextVar("maille_pass", default=None)


class Turnstile:
    """Lets any number of requests in; who holds it is alone once those that are inside have left.

    A request that began on one version of the definitions ends on it, and one that comes meanwhile waits for the next.
    """

    def __init__(self) -> None:
        """Begin open, with nobody inside."""
        self._inside: set[object] = set()
        self._open = asyncio.Event()
        self._empty = asyncio.Event()
        self._open.set()
        self._empty.set()

    @asynccontextmanager
    async def passing(self) -> AsyncIterator[None]:
        """Be inside; waits while it is held."""
        while not self._open.is_set():
            await self._open.wait()
        mark = object()
        self._inside.add(mark)
        self._empty.clear()
        token = _MINE.set(mark)
        try:
            yield
        finally:
            _MINE.reset(token)
            self._leave(mark)

    def step_out(self) -> None:
        """Count the request that this is part of no longer: it is about to hold the turnstile itself."""
        self._leave(_MINE.get())

    def _leave(self, mark: object | None) -> None:
        self._inside.discard(mark)
        if not self._inside:
            self._empty.set()

    @asynccontextmanager
    async def held(self, patience: float) -> AsyncIterator[None]:
        """Let nobody in and wait for those inside, `patience` seconds at most: a slow sender holds nobody up for ever.

        One holder at a time; the caller sees to that.
        """
        self._open.clear()
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), patience)
            yield
        finally:
            self._open.set()
