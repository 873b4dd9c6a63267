"""A way to a new password for who has forgotten it: a link by mail, good once and for half an hour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from models import pending, sessions, tries
from models.accounts import hashed_for, store_password
from models.connections import stored_datetime
from models.errors import NotFoundError
from models.tenant import Tenant
from models.tries import Try
from models.tx import Tx

SPAN = timedelta(hours=1)
ACCOUNT_LIMIT = 3
"""Links that one e-mail is sent in a span; more are not sent, and nobody is told."""
ADDRESS_LIMIT = 20
"""Links that are asked for from one address in a span."""
_ASKED = 'SELECT count(*) FROM "_sign_in" WHERE "at" > ? AND "outcome" = \'reset_asked\' AND '


@dataclass(frozen=True, slots=True)
class Forgetful:
    """Whom a new password is for."""

    member: str
    email: str
    name: str
    language: str


async def may_ask(tx: Tx, attempt: Try) -> bool:
    """Log that a link was asked for; whether one is to be sent (if there is anybody)."""
    for counted in sorted({attempt.email, attempt.ip or ""}):
        await tx.lock(f"reset:{counted}")
    since = stored_datetime(attempt.at - SPAN)
    mine = await tx.row(f'{_ASKED} "email" = ?', [since, attempt.email])
    here = await tx.row(f'{_ASKED} "ip" = ?', [since, attempt.ip])
    fine = bool(mine and mine[0] < ACCOUNT_LIMIT and here and here[0] < ADDRESS_LIMIT)
    await tries.log(tx, attempt, "reset_asked" if fine else "limited")
    return fine


async def begin(tx: Tx, email: str, now: datetime) -> tuple[Forgetful, str] | None:
    """Return whose e-mail it is with the token of a new link, None when it is nobody's; earlier links hold no more."""
    row = await tx.row(
        'SELECT m."id", m."email", m."name", m."language" FROM "member" m '
        'JOIN "_credential" c ON c."member" = m."id" WHERE lower(m."email") = ? AND m."active" ORDER BY m."id" LIMIT 1',
        [email],
    )
    if row is None:
        return None
    await tx.run('DELETE FROM "_pending" WHERE "member" = ? AND "kind" = \'reset\'', [row[0]])
    return Forgetful(row[0], row[1], row[2] or "", row[3] or ""), await pending.begin(tx, "reset", row[0], {}, now)


async def find(tx: Tx, token: str, now: datetime) -> Forgetful:
    """Return whom a link is for; `NotFoundError` when it was used, is too old, or never was."""
    found = await pending.find(tx, token, "reset", now)
    row = (
        None
        if found is None
        else await tx.row(
            'SELECT "id", "email", "name", "language" FROM "member" WHERE "id" = ? AND "active"', [found.member]
        )
    )
    if row is None:
        raise NotFoundError
    return Forgetful(row[0], row[1], row[2] or "", row[3] or "")


async def accept(tenant: Tenant, token: str, password: str) -> Forgetful:
    """Give the member the password, use the link up and end the sessions; `InvalidError` leaves all as it is.

    It lets nobody in: the second factor is asked for at the sign-in that follows.
    """
    now = tenant.clock.now()
    forgetful = await tenant.store.read(lambda tx: find(tx, token, now))
    hashed = await hashed_for(tenant, forgetful.member, password)

    async def work(tx: Tx) -> Forgetful:
        found = await find(tx, token, now)
        await pending.end_all(tx, found.member)
        await store_password(tx, found.member, hashed, now)
        await sessions.end_all(tx, found.member)
        return found

    return await tenant.store.write(work)
