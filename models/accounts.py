"""Signing in and staying signed in."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from models import passwords
from models import sessions as stored
from models.actor import Actor
from models.connections import stored_datetime
from models.members import load_actor
from models.sessions import IDLE, TOUCH, Session
from models.store import StoreError
from models.tenant import Tenant
from models.tx import Tx

WINDOW = timedelta(minutes=15)
"""Failed tries older than this count no more; a refused try counts for nothing, so a limit never prolongs itself."""
PAIR_LIMIT = 5
"""Failed tries for one e-mail from one address."""
EMAIL_LIMIT = 20
"""Failed tries for one e-mail from anywhere; addresses from which it signed in before are not held up by it."""
ADDRESS_LIMIT = 60
"""Failed tries from one address, for any e-mail."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A sign-in that worked: `token` goes into the cookie and is stored nowhere."""

    token: str
    session: Session
    actor: Actor


@dataclass(frozen=True, slots=True)
class Refusal:
    """A sign-in that did not: the wrong e-mail or password (never which), or too many tries, until `until`."""

    reason: Literal["credentials", "too_many"]
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Try:
    id: str
    email: str
    at: datetime
    ip: str | None
    member: str | None = None
    password: str | None = None


async def set_password(tenant: Tenant, member: str, password: str) -> None:
    """Give a member a password (`InvalidError` when it is too short) and end the member's sessions."""
    hashed = await passwords.hash_password(password)
    now = tenant.clock.now()

    async def work(tx: Tx) -> None:
        await store_password(tx, member, hashed, now)
        await stored.end_all(tx, member)

    await tenant.store.write(work)


async def store_password(tx: Tx, member: str, hashed: str, now: datetime) -> None:
    """Keep what `passwords.hash_password` returned."""
    await tx.run(
        'INSERT INTO "_credential" ("member", "password", "changed_at") VALUES (?, ?, ?) ON CONFLICT ("member") '
        'DO UPDATE SET "password" = excluded."password", "changed_at" = excluded."changed_at"',
        (member, hashed, stored_datetime(now)),
    )


async def sign_in(
    tenant: Tenant,
    email: str,
    password: str,
    *,
    ip: str | None,
    agent: str = "",
    previous: str | None = None,
) -> SignedIn | Refusal:
    """Check the password, log the try, open a session and end the one of the token `previous`.

    An unknown e-mail takes as long as a wrong password. The hash is computed in a thread, between two transactions; the
    try is logged as failed before it, so that tries side by side count too.
    """
    attempt = _Try(tenant.new_id(), email.strip().casefold()[:320], tenant.clock.now(), ip)
    begun = await tenant.store.write(lambda tx: _begin(tx, attempt))
    if isinstance(begun, Refusal):
        return begun
    if not await passwords.matches(begun.password, password):
        return Refusal("credentials")
    member = begun.member

    async def work(tx: Tx) -> SignedIn | Refusal:
        actor = None if member is None else await load_actor(tenant.published, tx, member, ip=ip)
        if actor is None or actor.id is None:
            return Refusal("credentials")
        if previous:
            await stored.end(tx, stored.session_id(previous))
        await tx.run('UPDATE "_sign_in" SET "outcome" = ? WHERE "id" = ?', ("signed_in", attempt.id))
        token = stored.new_token()
        session = Session(
            stored.session_id(token), actor.id, stored.new_token(), attempt.at, attempt.at, ip, agent[:300]
        )
        await stored.store_session(tx, session)
        return SignedIn(token, session, actor)

    return await tenant.store.write(work)


async def _begin(tx: Tx, attempt: _Try) -> _Try | Refusal:
    """Log the try and return it with the stored password, or refuse it when there were too many."""
    found = await tx.row(
        'SELECT m."id", c."password" FROM "member" m JOIN "_credential" c ON c."member" = m."id" '
        'WHERE lower(m."email") = ? AND m."active" ORDER BY m."id" LIMIT 1',
        (attempt.email,),
    )
    member, password = (None, None) if found is None else (found[0], found[1])
    for counted in (attempt.email, attempt.ip):
        await tx.lock(f"sign-in:{counted}")
    until = await _limited_until(tx, attempt)
    await tx.run(
        'INSERT INTO "_sign_in" ("id", "at", "email", "member", "ip", "outcome") VALUES (?, ?, ?, ?, ?, ?)',
        (
            attempt.id,
            stored_datetime(attempt.at),
            attempt.email,
            member,
            attempt.ip,
            "failed" if until is None else "limited",
        ),
    )
    if until is not None:
        return Refusal("too_many", until)
    return _Try(attempt.id, attempt.email, attempt.at, attempt.ip, member, password)


async def _limited_until(tx: Tx, attempt: _Try) -> datetime | None:
    """Return until when this e-mail or address has to wait, None when it has not."""
    since = stored_datetime(attempt.at - WINDOW)
    ip = attempt.ip
    failed = await tx.rows(
        'SELECT "at", "email", "ip" FROM "_sign_in" WHERE "at" > ? AND "at" <= ? AND "outcome" = ? '
        'AND ("email" = ? OR "ip" = ?) ORDER BY "at" DESC LIMIT 1000',
        (since, stored_datetime(attempt.at), "failed", attempt.email, ip),
    )
    pair = [row[0] for row in failed if row[1] == attempt.email and row[2] == ip]
    address = [row[0] for row in failed if row[2] == ip and ip is not None]
    limits = [(pair, PAIR_LIMIT), (address, ADDRESS_LIMIT)]
    if not await _known_address(tx, attempt):
        limits.append(([row[0] for row in failed if row[1] == attempt.email], EMAIL_LIMIT))
    waits = [datetime.fromisoformat(moments[limit - 1]) + WINDOW for moments, limit in limits if len(moments) >= limit]
    return max(waits, default=None)


async def _known_address(tx: Tx, attempt: _Try) -> bool:
    """Whether this e-mail signed in from this address before."""
    row = await tx.row(
        'SELECT 1 FROM "_sign_in" WHERE "email" = ? AND "ip" = ? AND "outcome" = ? LIMIT 1',
        (attempt.email, attempt.ip, "signed_in"),
    )
    return row is not None


async def resume(tenant: Tenant, token: str, *, ip: str | None, idle: timedelta = IDLE) -> tuple[Session, Actor] | None:
    """Return the session of a cookie's token and who acts in it; None when there is none, or it was idle too long."""
    now = tenant.clock.now()

    async def look(tx: Tx) -> tuple[Session, Actor | None] | None:
        session = await stored.find(tx, stored.session_id(token))
        if session is None:
            return None
        return session, await load_actor(tenant.published, tx, session.member, ip=ip)

    found = await tenant.store.read(look)
    if found is None:
        return None
    session, actor = found
    if actor is None or session.idle_too_long(now, idle):
        with suppress(StoreError):  # it is over, also where that cannot be written down
            await tenant.store.write(lambda tx: stored.end(tx, session.id))
        return None
    if abs(now - session.seen_at) > TOUCH:
        with suppress(StoreError):  # a disk that is full keeps nobody from reading
            await tenant.store.write(lambda tx: stored.touch(tx, session.id, now))
    return session, actor


async def sign_out(tenant: Tenant, token: str) -> None:
    """End the session of the token."""
    await tenant.store.write(lambda tx: stored.end(tx, stored.session_id(token)))


async def sessions(tenant: Tenant, member: str) -> list[Session]:
    """Return a member's open sessions, the latest seen first."""
    return await tenant.store.read(lambda tx: stored.of_member(tx, member))


async def revoke(tenant: Tenant, member: str, session: str | None = None) -> int:
    """End one session of a member (by `Session.id`), or all; return how many."""

    async def work(tx: Tx) -> int:
        if session is None:
            return await stored.end_all(tx, member)
        found = await stored.find(tx, session)
        if found is None or found.member != member:
            return 0
        return await stored.end(tx, session)

    return await tenant.store.write(work)
