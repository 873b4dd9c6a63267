"""Who reads personal data of others: noted in memory, and written to the audit in groups, within a second.

A read waits for nothing. What a crash can lose is the reads of the last moment, never a change or an export.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import structlog

from models import audit
from models.audit import Event
from models.record import Record
from models.store import Store, StoreError

PAUSE = 0.5
"""Seconds between the first reading that waits and the commit of all that wait then."""
MOST = 50_000
"""So many readings wait at most, while the store cannot be written to; more than that are lost, and said to be."""

_LOG = structlog.get_logger("maille.audit")


class Readings:
    """The readings of one open network that wait for their commit."""

    def __init__(self, store: Store, new_id: Callable[[], str]) -> None:
        """Write to `store`."""
        self._store = store
        self._new_id = new_id
        self._guard = threading.Lock()
        self._waiting: dict[tuple[Any, ...], Event] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._armed = False
        self._flush: asyncio.Task[None] | None = None

    def follow(self, loop: asyncio.AbstractEventLoop) -> None:
        """Write in this event loop; before, only `flush` does."""
        self._loop = loop

    def take(self, event: Event) -> None:
        """Note a reading, on whatever thread; the same one that waits already is noted once."""
        with self._guard:
            if len(self._waiting) >= MOST:
                _LOG.error("a reading is lost: the audit cannot be written", kind=event.kind, entity=event.entity)
                return
            self._waiting.setdefault(event.key, event)
            if self._armed or self._loop is None:
                return
            self._armed = True
        with suppress(RuntimeError):  # the loop is closed: the store is about to be, and flushes
            self._loop.call_soon_threadsafe(self._arm)

    def _arm(self) -> None:
        if self._loop is not None:
            self._loop.call_later(PAUSE, self._begin)

    def _begin(self) -> None:
        self._armed = False
        if self._loop is not None and self._waiting:
            self._flush = self._loop.create_task(self._try())

    async def _try(self) -> None:
        """Write what waits; where that cannot be, it waits on."""
        try:
            await self.flush()
        except StoreError as error:
            _LOG.warning("the audit of readings waits", reason=str(error))
            self._armed = True
            self._arm()

    async def flush(self) -> int:
        """Write what waits, in one transaction, and return how many rows that were; `StoreError` keeps them waiting."""
        with self._guard:
            taken, self._waiting = self._waiting, {}
        rows = [(self._new_id(), event) for event in taken.values()]
        if not rows:
            return 0
        try:
            await self._store.write(lambda tx: audit.keep_many(tx, rows))
        except BaseException:
            with self._guard:
                self._waiting = {**taken, **self._waiting}
            raise
        return len(rows)

    async def close(self) -> None:
        """Write what waits, as far as the store takes it, and no more on its own."""
        self._loop = None
        if self._flush is not None and not self._flush.done():
            await asyncio.wait([self._flush])
        try:
            await self.flush()
        except StoreError as error:
            _LOG.warning("readings are lost: the store is gone", reason=str(error), count=len(self._waiting))


def seen_fields(names: Sequence[str], records: Sequence[Record]) -> tuple[str, ...]:
    """Return which of the fields were shown of any of the records; of a single one, those that hold something."""
    if len(records) == 1:
        return tuple(name for name in names if records[0].values.get(name) is not None)
    return tuple(name for name in names if any(name in each.values and name not in each.hidden for each in records))
