"""The connections to one mail server: networks take turns at them, whoever has more to send waits longer."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Lines:
    """So many connections at most that one process has to a mail server.

    Turns go by who asked first; a turn is for a bounded number of mails, so that networks go round. What somebody waits
    for goes before all others, and one connection is kept for it where there are two or more.
    """

    def __init__(self, most: int) -> None:
        """Begin with all of them free."""
        self.most = most
        self._taken = 0
        self._first: deque[asyncio.Future[None]] = deque()
        self._others: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def turn(self, *, first: bool = False) -> AsyncIterator[None]:
        """Have a connection's place inside of the `with`; `first` is for what somebody waits for."""
        waiting = self._first if first else self._others
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting.append(place)
        self._call()
        try:
            await place
        except asyncio.CancelledError:
            if not place.cancelled():  # it was just given
                self._leave()
            raise
        try:
            yield
        finally:
            self._leave()

    def _leave(self) -> None:
        self._taken -= 1
        self._call()

    def _call(self) -> None:
        """Give away what is free."""
        while self._first and self._taken < self.most:
            self._give(self._first)
        while self._others and self._taken < max(1, self.most - 1):
            self._give(self._others)

    def _give(self, waiting: deque[asyncio.Future[None]]) -> None:
        place = waiting.popleft()
        if not place.done():  # who gave up waiting is passed over
            self._taken += 1
            place.set_result(None)
