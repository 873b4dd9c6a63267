"""Where a member stands that is not active: suspended by who runs the network, or gone by its own will."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from models import delegations, pending, sessions
from models.connections import stored_datetime
from models.system import STANDING
from models.tx import Tx

State = Literal["suspended", "terminated"]
TAKE_BACK = timedelta(days=30)
"""For so long who runs the network can take a member back that ended its contract."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Why a member is not active: since when, by whom, and until when it can be taken back (None: without end)."""

    state: State
    reason: str
    at: datetime
    by: str | None
    ends_at: datetime | None

    def recallable(self, now: datetime) -> bool:
        """Whether the member can be let in again."""
        return self.ends_at is None or now < self.ends_at


async def of(tx: Tx, member: str) -> Standing | None:
    """Return where a member stands; None for one that nobody suspended and that did not go."""
    row = await tx.row('SELECT "state", "reason", "at", "by", "ends_at" FROM "_standing" WHERE "member" = ?', (member,))
    if row is None:
        return None
    state, reason, at, by, ends_at = row
    until = None if ends_at is None else datetime.fromisoformat(ends_at)
    return Standing(state, reason or "", datetime.fromisoformat(at), by, until)


async def keep(tx: Tx, member: str, standing: Standing) -> None:
    """Keep where a member stands from now on."""
    await forget(tx, member)
    ends = None if standing.ends_at is None else stored_datetime(standing.ends_at)
    row = [member, standing.state, standing.reason or None, stored_datetime(standing.at), standing.by, ends]
    await tx.run(STANDING.insert(), row)


async def forget(tx: Tx, member: str) -> None:
    """Keep nothing more about it: the member is let in again."""
    await tx.run('DELETE FROM "_standing" WHERE "member" = ?', (member,))


async def shut_out(tx: Tx, member: str, now: datetime) -> None:
    """End all ways in: sessions, links by mail, what was half done, API tokens and delegations."""
    await sessions.end_all(tx, member)
    await pending.end_all(tx, member)
    await tx.run('DELETE FROM "_invitation" WHERE "member" = ?', (member,))
    await tx.run('DELETE FROM "_token" WHERE "member" = ?', (member,))
    await delegations.revoke_all(tx, member, now)
