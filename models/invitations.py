"""Invitations: a link, good once and for a while, with which a member chooses a password."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from models import sessions
from models.accounts import hashed_for, store_password
from models.connections import stored_datetime
from models.errors import NotFoundError
from models.system import INVITATION
from models.tenant import Tenant
from models.tx import Tx

VALID = timedelta(days=7)

_FIND = """SELECT m."id", m."name", m."email" FROM "_invitation" i JOIN "member" m ON m."id" = i."member"
WHERE i."id" = ? AND i."expires_at" > ? AND m."active" """


@dataclass(frozen=True, slots=True)
class Invited:
    """Whom an invitation is for."""

    member: str
    name: str
    email: str


async def invite(tx: Tx, member: str, now: datetime) -> str:
    """Return the token of a new invitation, which is stored nowhere; earlier ones of the member hold no longer."""
    token = sessions.new_token()
    await tx.run('DELETE FROM "_invitation" WHERE "member" = ?', [member])
    row = [sessions.session_id(token), member, stored_datetime(now), stored_datetime(now + VALID)]
    await tx.run(INVITATION.insert(), row)
    return token


async def find(tx: Tx, token: str, now: datetime) -> Invited:
    """Return whom the token invites; `NotFoundError` when it was used, is too old, or never was."""
    row = await tx.row(_FIND, [sessions.session_id(token), stored_datetime(now)])
    if row is None:
        raise NotFoundError
    return Invited(row[0], row[1] or "", row[2])


async def accept(tenant: Tenant, token: str, password: str) -> Invited:
    """Give the invited member the password and use the invitation up; `InvalidError` leaves it as it is."""
    now = tenant.clock.now()
    found = await tenant.store.read(lambda tx: find(tx, token, now))
    hashed = await hashed_for(tenant, found.member, password)

    async def work(tx: Tx) -> Invited:
        invited = await find(tx, token, now)
        await tx.run('DELETE FROM "_invitation" WHERE "member" = ?', [invited.member])
        await store_password(tx, invited.member, hashed, now)
        await sessions.end_all(tx, invited.member)
        return invited

    return await tenant.store.write(work)
