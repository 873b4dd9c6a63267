"""How many mails may leave in a minute and in an hour: counted where all who send them look, over restarts too."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from models.system import QUOTA
from models.tx import Tx
from workflows.stored import moment

SLOT = timedelta(seconds=10)
"""What is counted together: a window is longer than it says by so much at most, never shorter."""
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
RESERVED = 10
"""One of so many places is kept for what somebody waits for."""
_LOCK = "mails that leave"
_TAKEN = """SELECT coalesce(sum(CASE WHEN "at" > ? THEN "taken" ELSE 0 END), 0), coalesce(sum("taken"), 0)
FROM "_quota" WHERE "at" > ? AND "at" <= ?"""
_TAKE = QUOTA.insert() + ' ON CONFLICT ("id") DO UPDATE SET "taken" = "_quota"."taken" + excluded."taken"'
_GIVE_BACK = 'UPDATE "_quota" SET "taken" = "taken" - ? WHERE "id" = ? AND "taken" >= ?'
_FORGET = 'DELETE FROM "_quota" WHERE "at" <= ? OR "at" > ?'


@dataclass(frozen=True, slots=True)
class Rate:
    """So many mails a minute and an hour at most; 0: as many as there are."""

    minute: int = 0
    hour: int = 0

    def __bool__(self) -> bool:
        """Whether anything is limited."""
        return bool(self.minute or self.hour)


@dataclass(frozen=True, slots=True)
class Room:
    """How many mails may leave now: those that somebody waits for, and all others."""

    first: int
    others: int


async def room(tx: Tx, rate: Rate, now: datetime, most: int) -> Room:
    """Return the room that is left, `most` at most. Until the commit nobody else takes any of it."""
    if not rate:
        return Room(most, most)
    await tx.lock(_LOCK)
    found = await tx.row(_TAKEN, [moment(now - MINUTE - SLOT), moment(now - HOUR - SLOT), moment(now)])
    taken = (0, 0) if found is None else (int(found[0]), int(found[1]))
    pairs = [(limit, used) for limit, used in zip((rate.minute, rate.hour), taken, strict=True) if limit]
    first = min(limit - used for limit, used in pairs)
    others = min(limit - limit // RESERVED - used for limit, used in pairs)
    return Room(max(0, min(most, first)), max(0, min(most, others)))


async def take(tx: Tx, rate: Rate, now: datetime, count: int) -> None:
    """Count mails that leave now."""
    if not rate or not count:
        return
    slot = _slot(now)
    await tx.run(_FORGET, [moment(now - HOUR - 2 * SLOT), moment(now + SLOT)])
    await tx.run(_TAKE, [slot, slot, count])


async def give_back(tx: Tx, rate: Rate, at: datetime, count: int) -> None:
    """Count mails no more that were taken at a time, maybe a while ago, and of which nothing was said."""
    if rate and count > 0:
        await tx.run(_GIVE_BACK, [count, _slot(at), count])


def _slot(at: datetime) -> str:
    length = SLOT.total_seconds()
    slot: str = moment(datetime.fromtimestamp(at.timestamp() // length * length, at.tzinfo))
    return slot
