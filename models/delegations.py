"""Acting in somebody's office: for a time that its member gave, or to assist there. Rights are read anew each time.

Who acts has the member's levels, all or some, and is that member to every rule; `Actor.through` says who it really is.
What stays the member's own (the account, terms, members, administration) is taken from it by `models.access`.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from models.access import Access
from models.actor import Actor
from models.connections import stored_datetime
from models.ddl import listed
from models.members import load_actor
from models.published import Published
from models.system import DELEGATION
from models.tx import Row, Tx

Kind = Literal["given", "assistance"]
LONGEST = timedelta(days=366)
"""For so long a member can let another one act."""
ASSISTANCE = timedelta(hours=8)
"""After so long whoever assists has to enter the office anew."""
KEPT = timedelta(days=366)
"""For so long both members see that a delegation was, after its end."""

_COLUMNS = DELEGATION.columns
_SELECT = f'SELECT {listed(_COLUMNS)} FROM "_delegation"'  # noqa: S608 - columns of ours


@dataclass(frozen=True, slots=True)
class Delegation:
    """`delegate` may act in the office of `member`, with those of its levels that are named (none: all of them)."""

    id: str
    member: str
    delegate: str
    kind: Kind
    levels: tuple[str, ...]
    begins_at: datetime
    ends_at: datetime
    revoked_at: datetime | None
    created_at: datetime

    def over(self, now: datetime) -> bool:
        """Whether it ended or was taken back."""
        return self.revoked_at is not None or self.ends_at <= now

    def holds(self, now: datetime) -> bool:
        """Whether it can be used now."""
        return not self.over(now) and self.begins_at <= now


@dataclass(frozen=True, slots=True)
class Office:
    """An office that somebody is in: `actor` is its member to every rule, `real` who is at the keyboard."""

    delegation: Delegation
    actor: Actor
    real: Actor


async def keep(tx: Tx, delegation: Delegation) -> None:
    """Store a new delegation."""
    given = delegation
    moments = (given.begins_at, given.ends_at, given.revoked_at, given.created_at)
    stored = [None if moment is None else stored_datetime(moment) for moment in moments]
    row = [given.id, given.member, given.delegate, given.kind, json.dumps(given.levels), *stored]
    await tx.run(DELEGATION.insert(), row)


async def load(tx: Tx, delegation: str) -> Delegation | None:
    """Return a delegation."""
    row = await tx.row(f'{_SELECT} WHERE "id" = ?', (delegation,))
    return None if row is None else _delegation(row)


async def given_by(tx: Tx, member: str, now: datetime) -> list[Delegation]:
    """Return who may act, or acted in the last year, in a member's office: the latest first."""
    return await _of(tx, "member", member, now)


async def given_to(tx: Tx, member: str, now: datetime) -> list[Delegation]:
    """Return in whose offices a member may act, or did in the last year: the latest first."""
    return await _of(tx, "delegate", member, now)


async def _of(tx: Tx, column: str, member: str, now: datetime) -> list[Delegation]:
    since = stored_datetime(now - KEPT)
    sql = f'{_SELECT} WHERE "{column}" = ? AND "ends_at" > ? ORDER BY "created_at" DESC, "id" DESC LIMIT 200'
    return [_delegation(row) for row in await tx.rows(sql, (member, since))]


async def revoke(tx: Tx, delegation: str, by: str, now: datetime) -> bool:
    """End a delegation at once, as the member who gave it or the one it was given to; return whether there was one."""
    sql = """UPDATE "_delegation" SET "revoked_at" = ? WHERE "id" = ? AND ("member" = ? OR "delegate" = ?)
    AND "revoked_at" IS NULL"""
    return await tx.run(sql, (stored_datetime(now), delegation, by, by)) > 0


async def revoke_all(tx: Tx, member: str, now: datetime) -> None:
    """End all that a member gave and was given."""
    sql = 'UPDATE "_delegation" SET "revoked_at" = ? WHERE "revoked_at" IS NULL AND ("member" = ? OR "delegate" = ?)'
    await tx.run(sql, (stored_datetime(now), member, member))


async def purge(tx: Tx, now: datetime) -> int:
    """Remove those that ended so long ago that nobody is shown them any more; return how many."""
    return await tx.run('DELETE FROM "_delegation" WHERE "ends_at" <= ?', (stored_datetime(now - KEPT),))


async def is_closed(tx: Tx, member: str) -> bool:
    """Whether the member has closed the own data to the leader."""
    return await tx.row('SELECT 1 FROM "_closed" WHERE "member" = ?', (member,)) is not None


async def close(tx: Tx, member: str, now: datetime, *, closed: bool) -> None:
    """Close a member's data to the leader, who leaves the office at once, or open it again."""
    await tx.run('DELETE FROM "_closed" WHERE "member" = ?', (member,))
    if not closed:
        return
    await tx.run('INSERT INTO "_closed" ("member", "since") VALUES (?, ?)', (member, stored_datetime(now)))
    sql = """UPDATE "_delegation" SET "revoked_at" = ? WHERE "member" = ? AND "kind" = 'assistance'
    AND "revoked_at" IS NULL"""
    await tx.run(sql, (stored_datetime(now), member))


async def enter(
    published: Published, tx: Tx, delegation: str, now: datetime, *, ip: str | None = None, delegate: str | None = None
) -> Office | None:
    """Return the office that a delegation opens now; None when it is over, not the delegate's, or refused by then."""
    found = await load(tx, delegation)
    if found is None or not found.holds(now) or (delegate is not None and found.delegate != delegate):
        return None
    real = await load_actor(published, tx, found.delegate, ip=ip)
    member = await load_actor(published, tx, found.member, ip=ip)
    if real is None or member is None or found.member == found.delegate:
        return None
    levels = _levels(published.access, found, member, real)
    if not levels or (found.kind == "assistance" and await is_closed(tx, found.member)):
        return None
    seen = {**(member.member or {}), "levels": levels}
    actor = replace(member, levels=levels, member=seen, language=real.language, through=found.delegate, acting=found.id)
    return Office(found, actor, real)


def _levels(access: Access, given: Delegation, member: Actor, real: Actor) -> tuple[str, ...]:
    if given.kind == "given":
        return tuple(level for level in member.levels if not given.levels or level in given.levels)
    return trusted(access, member.levels, real)


def trusted(access: Access, levels: Collection[str], real: Actor) -> tuple[str, ...]:
    """Return with which of a member's levels `real` may assist: none without administration, none above its own."""
    if real.through is not None or not access.administers(real):
        return ()
    network = access.network
    above = {name for name, level in network.levels.items() if level.everything or level.administration}
    return tuple(level for level in levels if level not in above or level in real.levels)


def _delegation(row: Row) -> Delegation:
    given = dict(zip(_COLUMNS, row, strict=True))
    moments = {name: _moment(given[name]) for name in ("begins_at", "ends_at", "revoked_at", "created_at")}
    return Delegation(**{**given, **moments, "levels": tuple(json.loads(given["levels"]))})


def _moment(stored: str | None) -> datetime | None:
    return None if stored is None else datetime.fromisoformat(stored)
