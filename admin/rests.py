"""Which networks rest: closed, because nothing is to be done in them for a while and more than enough are open.

On SQLite an open network costs less than a megabyte, and thousands of them too much. Of more than are to be open those
rest that were used least lately and have nothing to do soon. When each has more to do is remembered, and it is open by
then again: what is due goes beyond the number that is to be open. On PostgreSQL other processes may ask for work in a
network that is closed here, and an open one has no connection of its own: there all stay open.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import structlog

from models.store import StoreError
from workflows.owed import Owed
from workflows.upkeep import SLACK

if TYPE_CHECKING:
    from admin.networks import Networks

PULSE = 1.0
"""Seconds between two looks at what is due in networks that rest."""
SLOW_PULSE = 5.0
"""Seconds between two looks where none rests: whether there are new networks, or some are gone."""
SOON = timedelta(seconds=30)
"""Who has something to do so soon does not begin to rest."""
AHEAD = timedelta(seconds=2)
"""So long before it has something to do a network is opened; earlier where others are to be opened before it."""
PACE = 0.02
"""Seconds at least that requests have between two networks which nobody waits for."""
FEW = 16
"""So many of those are opened between two looks at what is due."""
FIRST, LONGEST = timedelta(seconds=5), timedelta(minutes=5)
"""The first pause after a network could not be opened, and the longest."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Rest:
    """A network that rests: when there is more to do, and what it owes until then."""

    until: datetime
    owed: Owed


@dataclass(frozen=True, slots=True)
class _Trouble:
    again: datetime
    pause: timedelta


class Rests:
    """Opens networks of `networks` in time for what is due, one after the other, and lets others rest."""

    def __init__(self, networks: Networks) -> None:
        """Begin with none that rests; what nobody has looked at is due."""
        self._networks = networks
        self._resting: dict[str, Rest] = {}
        self._troubles: dict[str, _Trouble] = {}
        self._asked: dict[str, float] = {}
        self._seen: datetime | None = None
        self._cost = timedelta(milliseconds=20)

    @property
    def allowed(self) -> bool:
        """Whether networks may rest: no other process works in them."""
        return isinstance(self._networks.settings.homes, Path)

    def resting(self) -> dict[str, Rest]:
        """Return the networks that rest, by name."""
        return dict(self._resting)

    def keep(self, name: str, rest: Rest) -> None:
        """Remember that a network rests."""
        self._resting[name] = rest

    def forget(self, name: str) -> None:
        """Forget that a network rests: it is at work, or another of the same name comes."""
        self._resting.pop(name, None)
        self._troubles.pop(name, None)
        self._asked.pop(name, None)

    async def tend(self, stop: asyncio.Event) -> None:
        """Look again and again until `stop` is set; what fails is told in the log."""
        while not stop.is_set():
            more = False
            try:
                more = await self.look()
            except StoreError as error:
                log.warning("the networks cannot be looked at", reason=str(error))
            except Exception:
                log.exception("looking after the networks failed")
            if not more:
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), PULSE if self.allowed else SLOW_PULSE)

    async def look(self) -> bool:
        """Open what is due and a few of those that nobody has looked at; let others rest. Return whether more wait."""
        now = self._networks.tenants.clock.now()
        if self._seen is not None and now < self._seen - SLACK:
            self._resting.clear()  # the clock was put back: what was put off meanwhile is looked at (`upkeep.mend`)
            self._troubles.clear()
        self._seen = now
        there = set(await self._networks.names())
        for name in self._networks.workers() - there:
            await self._networks.dismiss(name)
        for name in (self._resting.keys() | self._troubles.keys()) - there:
            self.forget(name)
        closed = sorted(name for name in there - self._networks.workers() if not self._pauses(name, now))
        for name in self._due(closed, now):
            if await self.make_room(1) or self._resting[name].until <= now + AHEAD:
                await self._open(name, now)
        unknown = [name for name in closed if name not in self._resting and name not in self._networks.workers()]
        for name in unknown[:FEW]:
            await self.make_room(1)
            begun = monotonic()
            await self._open(name, now)
            await asyncio.sleep(max(monotonic() - begun, PACE))
        await self.make_room()
        return len(unknown) > FEW and self._networks.works

    def _pauses(self, name: str, now: datetime) -> bool:
        trouble = self._troubles.get(name)
        return trouble is not None and trouble.again > now

    def _due(self, closed: list[str], now: datetime) -> list[str]:
        """Return those that rest and have something to do soon, the first first: opening takes its time."""
        resting = sorted((self._resting[name].until, name) for name in closed if name in self._resting)
        return [
            name
            for place, (until, name) in enumerate(resting)
            if until <= now + min(AHEAD + place * self._cost, SOON / 2)
        ]

    async def _open(self, name: str, now: datetime) -> None:
        """Open a network and put a worker to work in it; one that cannot be opened is tried again after a while."""
        if not self._networks.works:
            return
        begun = monotonic()
        try:
            opened = await self._networks.get(name) is not None
        except StoreError:  # told in the log where it happened
            opened = False
        if opened:
            self._cost = (self._cost * 7 + timedelta(seconds=monotonic() - begun)) / 8
            return
        before = self._troubles.get(name)
        pause = FIRST if before is None else min(before.pause * 2, LONGEST)
        self._troubles[name] = _Trouble(now + pause, pause)

    async def make_room(self, wanted: int = 0) -> bool:
        """Let networks rest until so many can be opened, those used least lately first; False where too few can."""
        if not (self.allowed and self._networks.works):
            return True
        tenants = self._networks.tenants
        until = tenants.clock.now() + SOON
        for name in list(tenants.opened()):
            if len(tenants.opened()) + wanted <= tenants.capacity:
                return True
            if monotonic() - self._asked.get(name, -PULSE) < PULSE:
                continue  # it had something to do just now
            if not await self._networks.let_rest(name, until):
                self._asked[name] = monotonic()
        return len(tenants.opened()) + wanted <= tenants.capacity
