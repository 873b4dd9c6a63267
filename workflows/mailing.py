"""Having one network's mails leave: what somebody waits for first, in turns with other networks, as fast as it may."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from models.house_rules import mail_limits
from models.tenant import Tenant
from models.tx import Tx
from workflows import outbox, quota
from workflows.mail_account import MailAccount
from workflows.outbox import FIRST, LANES, Row
from workflows.sending import Post

BATCH = 32
"""So many mails leave in one turn at a connection."""
PAUSE = 1.0
"""Seconds after which who was out of room looks again."""
_FIRST = LANES["mail"] + FIRST
_FREE = quota.Rate()


@dataclass(frozen=True, slots=True)
class _Claimed:
    """Mails for one turn; `short`: there are more than may leave now. `lines` is how many connections there may be.

    They were counted at `at`, for a network that has a `rate`.
    """

    at: datetime
    rows: list[Row]
    short: bool = False
    lines: int = 1
    rate: quota.Rate = _FREE


@dataclass(slots=True)
class _Going:
    """What those who send for one network at the same time have in common."""

    stop: asyncio.Event | None
    patient: bool
    busy: int = 0
    sent: int = 0
    errors: list[Exception] = field(default_factory=list)

    @property
    def stopped(self) -> bool:
        return self.stop is not None and self.stop.is_set()

    async def pause(self) -> bool:
        """Wait a little, and return whether that makes sense."""
        if self.stop is None or not self.patient:
            return False
        with suppress(TimeoutError):
            await asyncio.wait_for(self.stop.wait(), PAUSE)
        return True


@dataclass(frozen=True, slots=True)
class Mailing:
    """Sends what is due of one network's mails over the account that it shares with others."""

    tenant: Tenant
    post: Post
    account: MailAccount
    name: str

    async def drain(self, stop: asyncio.Event | None = None, *, patient: bool = False) -> int:
        """Send what is due and return how many mails that were; once `stop` is set, nothing more is begun.

        Who is `patient` waits for what is due and may not leave yet. What goes wrong on one connection is raised when
        the others have said what they had.
        """
        going = _Going(stop, patient)
        try:
            async with asyncio.TaskGroup() as group:
                self._begin(group, going)
        except BaseExceptionGroup as ended:  # what is no error of one connection ends them all
            raise ended.exceptions[0] from None
        if going.errors:
            raise going.errors[0]
        return going.sent

    def _begin(self, group: asyncio.TaskGroup, going: _Going) -> None:
        going.busy += 1
        group.create_task(self._line(group, going))

    async def _line(self, group: asyncio.TaskGroup, going: _Going) -> None:
        """Have one connection's turns, and keep what went wrong: what another one is saying is said to its end."""
        try:
            await self._turns(group, going)
        except Exception as error:  # noqa: BLE001 - whatever it is, `drain` raises it
            going.errors.append(error)
        finally:
            going.busy -= 1

    async def _turns(self, group: asyncio.TaskGroup, going: _Going) -> None:
        """Send turn by turn until nothing is due; where a turn was full there is more, for another connection too."""
        while not going.stopped and (due := await self._due()):
            async with self.account.lines.turn(first=due[0] == _FIRST):
                claimed = await self._claim(due)
                if len(claimed.rows) == BATCH and going.busy < claimed.lines:
                    self._begin(group, going)
                if claimed.rows:
                    said = await self.post.send(claimed.rows, going.stop)
                    going.sent += len(claimed.rows)
                    await self._give_back(claimed, said)
            if not claimed.rows and not (claimed.short and going.busy == 1 and await going.pause()):
                break

    async def _due(self) -> list[int]:
        now = self.tenant.clock.now()
        return await self.tenant.store.read(lambda tx: outbox.due_steps(tx, ("mail",), now))

    async def _claim(self, due: Sequence[int]) -> _Claimed:
        now = self.tenant.clock.now()
        token = outbox.token_of(self.tenant, self.name)
        got = await self.account.reserve(now, BATCH)
        claimed = _Claimed(now, [], short=True)
        try:
            if got.first:
                claimed = await self.tenant.store.write(lambda tx: _claim(tx, token, now, due, got), claim=True)
        finally:
            await self.account.give_back(now, got, len(claimed.rows))
        return claimed

    async def _give_back(self, claimed: _Claimed, said: int) -> None:
        """Let mails of which nothing was said leave room for others, the network's and the account's."""
        count = len(claimed.rows)
        if said == count:
            return
        await self.account.give_back(claimed.at, quota.Room(count, count), said)
        if claimed.rate:
            await self.tenant.store.write(lambda tx: quota.give_back(tx, claimed.rate, claimed.at, count - said))


async def _claim(tx: Tx, token: str, now: datetime, due: Sequence[int], most: quota.Room) -> _Claimed:
    """Lease mails for one turn: either some of those that somebody waits for, or others."""
    minute, hour, lines = await mail_limits(tx)
    rate = quota.Rate(minute, hour)
    room = await quota.room(tx, rate, now, most.first)
    rows: list[Row] = []
    if _FIRST in due and room.first:
        rows = await outbox.claim(tx, worker=token, now=now, limit=room.first, steps=(_FIRST,))
    rest, others = [step for step in due if step != _FIRST], min(room.others, most.others)
    if not rows and rest and others:
        rows = await outbox.claim(tx, worker=token, now=now, limit=others, steps=rest)
    await quota.take(tx, rate, now, len(rows))
    return _Claimed(now, rows, room.first == 0 or (bool(rest) and others == 0), lines, rate)
