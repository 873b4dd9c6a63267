"""The account at a mail server that the networks of an installation share: its connections, and what it may send."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

from models.store import Store
from models.system import DEFINITION, QUOTA
from models.tx import Tx
from workflows import quota
from workflows.mail_lines import Lines
from workflows.quota import Rate, Room

LINES = 8
"""So many connections one process has to a mail server at most, when nobody says otherwise."""


@dataclass(slots=True)
class MailAccount:
    """What networks take turns at. Where `rate` limits anything, what left is counted in the store of `ledger`.

    The ledger is common to all processes of the installation, and opened when it is first needed.
    """

    lines: Lines = field(default_factory=lambda: Lines(LINES))
    rate: Rate = field(default_factory=Rate)
    ledger: Callable[[], Awaitable[Store]] | None = None
    _store: Store | None = field(default=None, init=False)
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def reserve(self, now: datetime, most: int) -> Room:
        """Take room for `most` mails at most, and return how much of it there was."""
        if not self.rate or self.ledger is None:
            return Room(most, most)

        async def work(tx: Tx) -> Room:
            room = await quota.room(tx, self.rate, now, most)
            await quota.take(tx, self.rate, now, room.first)
            return room

        return await (await self._opened()).write(work, claim=True)

    async def give_back(self, at: datetime, room: Room, used: int) -> None:
        """Give back what was taken at a time and not used."""
        if self.rate and self.ledger is not None and room.first > used:
            store = await self._opened()
            await store.write(lambda tx: quota.give_back(tx, self.rate, at, room.first - used), claim=True)

    async def _opened(self) -> Store:
        async with self._opening:
            if self._store is None:
                if self.ledger is None:
                    raise RuntimeError("There is nothing to count in.")
                store = await self.ledger()
                await store.write(_make, schema=True)
                self._store = store
            return self._store

    async def close(self) -> None:
        """Close the ledger."""
        if self._store is not None:
            await self._store.close()
            self._store = None


async def _make(tx: Tx) -> None:
    for statement in (*DEFINITION.statements_on(tx.dialect), *QUOTA.statements_on(tx.dialect)):
        await tx.run(statement)
