"""Signing in and staying signed in."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Literal

from models import audit, devices, passwords, pending, providers, second_factor, tries
from models import sessions as stored
from models.actor import Actor
from models.audit import Event
from models.connections import stored_datetime
from models.errors import InvalidError
from models.house_rules import Limits, needs_factor
from models.members import load_actor
from models.message import say
from models.sessions import TOUCH, Session
from models.store import StoreError
from models.tenant import Tenant
from models.tries import Try
from models.tx import Tx


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A sign-in that worked: `token` goes into the cookie and is stored nowhere.

    `device` is what the browser keeps to be known again; `strange`: it is another one than those known so far.
    """

    token: str
    session: Session
    actor: Actor
    device: str
    strange: bool


@dataclass(frozen=True, slots=True)
class Halfway:
    """A right password that is not enough: a second factor is asked for, or has to be set up; `token` goes on."""

    token: str
    kind: Literal["factor", "set_up"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A sign-in that did not work.

    `credentials`: the e-mail or the password is wrong, never which. `too_many`: too many tries, until `until`. `code`:
    the second factor is wrong. `over`: it was asked for too long ago, or too often: begin again. `elsewhere`: the
    network has its members sign in at its provider. `stranger`: whom a provider names is no member.
    `provider`: it did not say who it is.
    """

    reason: Literal["credentials", "too_many", "code", "over", "elsewhere", "stranger", "provider"]
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """From where somebody comes in: the token of a session before, and what the browser is known by, if it has any."""

    attempt: Try
    previous: str | None = None
    device: str | None = None


async def hashed_for(tenant: Tenant, member: str, password: str) -> str:
    """Return what is stored of a member's new password; `InvalidError` when it may not be one.

    It is compared with what others know too: the network's name, the member's own and its e-mail.
    """
    sql = 'SELECT "email", "first_name", "last_name" FROM "member" WHERE "id" = ?'
    row = await tenant.store.read(lambda tx: tx.row(sql, [member]))
    names = tenant.published.network.label.values.values()
    return await passwords.hash_password(password, (tenant.name, *names, *(text for text in row or () if text)))


async def set_password(tenant: Tenant, member: str, password: str) -> None:
    """Give a member a password (`InvalidError` when it may not be one) and end the member's sessions."""
    hashed = await hashed_for(tenant, member, password)
    now = tenant.clock.now()

    async def work(tx: Tx) -> None:
        await store_password(tx, member, hashed, now)
        await stored.end_all(tx, member)
        await pending.end_all(tx, member)

    await tenant.store.write(work)


async def change_password(tenant: Tenant, session: Session, old: str, new: str) -> str:
    """Give the session's member a new password, who says the old one (or just did, see `confirm_session`): other
    sessions end, this one has a new token.

    Return that token. `InvalidError` by field: `old`, `password`.
    """
    await confirm_session(tenant, session, old, field="old")
    hashed = await hashed_for(tenant, session.member, new)
    now = tenant.clock.now()

    async def work(tx: Tx) -> str:
        await store_password(tx, session.member, hashed, now)
        await stored.end_all(tx, session.member, but=session.id)
        await pending.end_all(tx, session.member)
        return (await stored.rotate(tx, session))[0]

    return await tenant.store.write(work)


async def confirm(tenant: Tenant, member: str, password: str, *, field: str = "password") -> None:
    """Make sure that the member itself asks, before something changes that opens the account; `InvalidError`.

    Wrong passwords count as tries: who found an open session guesses no faster than who has none.
    """

    async def begin(tx: Tx) -> tuple[Try, str | None, datetime | None]:
        row = await tx.row(
            'SELECT lower(m."email"), c."password" FROM "member" m LEFT JOIN "_credential" c ON c."member" = m."id" '
            'WHERE m."id" = ?',
            (member,),
        )
        email, password_ = (f"member:{member}", None) if row is None else row
        attempt = Try(tenant.new_id(), f"confirm:{email}", tenant.clock.now(), None, member=member)
        return attempt, password_, await tries.begin(tx, attempt)

    attempt, hashed, until = await tenant.store.write(begin)
    if until is not None:
        raise InvalidError({field: say("Too many tries. Try again in a few minutes.")})
    if not await passwords.matches(hashed, password):
        raise InvalidError({field: say("This is not your password.")})
    await tenant.store.write(lambda tx: tries.forget(tx, attempt.id))


async def confirm_session(tenant: Tenant, session: Session, password: str, *, field: str = "password") -> None:
    """The same from an open session, which is asked once in a few minutes: an empty password holds there meanwhile."""
    now = tenant.clock.now()
    if not password and await tenant.store.read(lambda tx: pending.confirmed(tx, session, now)):
        return
    await confirm(tenant, session.member, password, field=field)
    await tenant.store.write(lambda tx: pending.confirm(tx, session, now))


async def store_password(tx: Tx, member: str, hashed: str, now: datetime) -> None:
    """Keep what `passwords.hash_password` returned."""
    await tx.run(
        'INSERT INTO "_credential" ("member", "password", "changed_at") VALUES (?, ?, ?) ON CONFLICT ("member") '
        'DO UPDATE SET "password" = excluded."password", "changed_at" = excluded."changed_at"',
        (member, hashed, stored_datetime(now)),
    )


async def sign_in(  # noqa: PLR0913 - what a browser brings along
    tenant: Tenant,
    email: str,
    password: str,
    *,
    ip: str | None,
    agent: str = "",
    previous: str | None = None,
    device: str | None = None,
) -> SignedIn | Halfway | Refusal:
    """Check the password, log the try, open a session and end the one of the token `previous`.

    A member with a second factor, or who needs one, comes halfway: see `models.second_step`. An unknown e-mail takes as
    long as a wrong password. The hash is computed in a thread, between two transactions; the try is logged as failed
    before it, so that tries side by side count too.
    """
    said = Try(tenant.new_id(), email.strip().casefold()[:320], tenant.clock.now(), ip, agent[:300])
    attempt, hashed, until = await tenant.store.write(lambda tx: _begin(tx, said, device))
    if until is not None:
        return Refusal("too_many", until)
    if not await passwords.matches(hashed, password):
        await tenant.store.write(lambda tx: tries.keep_failed(tx, tenant.new_id(), attempt))
        return Refusal("credentials")
    entry = Entry(attempt, previous, device)
    return await tenant.store.write(lambda tx: _let_on(tenant, tx, entry))


async def _begin(tx: Tx, said: Try, device: str | None) -> tuple[Try, str | None, datetime | None]:
    """Log the try; return it with whose it is, the stored password, and until when it has to wait."""
    found = await tx.row(
        'SELECT m."id", c."password" FROM "member" m JOIN "_credential" c ON c."member" = m."id" '
        'WHERE lower(m."email") = ? AND m."active" ORDER BY m."id" LIMIT 1',
        (said.email,),
    )
    member, password = (None, None) if found is None else (found[0], found[1])
    known = await devices.known(tx, device, member)
    attempt = replace(said, member=member, device=known)
    return attempt, password, await tries.begin(tx, attempt)


async def _let_on(tenant: Tenant, tx: Tx, entry: Entry) -> SignedIn | Halfway | Refusal:
    """Let in whose password was right, as far as it may be used."""
    actor = await _actor(tenant, tx, entry.attempt)
    if actor is None:
        return Refusal("credentials")
    if await providers.keeps_out(tx, tenant.published.access, actor):
        await tries.keep_failed(tx, tenant.new_id(), entry.attempt)
        return Refusal("elsewhere")
    return await go_on(tx, entry, actor)


async def go_on(tx: Tx, entry: Entry, actor: Actor, *, factor_shown: bool = False) -> SignedIn | Halfway:
    """Let in who has shown who it is, or ask for the second factor, unless that was shown too."""
    attempt = entry.attempt
    member = str(actor.id)
    has = await second_factor.has_any(tx, member)
    if factor_shown or (not has and not await needs_factor(tx, actor)):
        return await enter(tx, entry, actor)
    kind: Literal["factor", "set_up"] = "factor" if has else "set_up"
    await tries.settle(tx, attempt.id, "halfway")
    payload = {**asdict(attempt), "at": stored_datetime(attempt.at), "previous": entry.previous, "known": entry.device}
    return Halfway(await pending.begin(tx, kind, member, payload, attempt.at), kind)


async def _actor(tenant: Tenant, tx: Tx, attempt: Try) -> Actor | None:
    if attempt.member is None:
        return None
    return await load_actor(tenant.published, tx, attempt.member, ip=attempt.ip)


async def enter(tx: Tx, entry: Entry, actor: Actor) -> SignedIn:
    """Open a session for a member that has shown who it is; the try that was logged is settled.

    The session of `entry.previous` ends: what somebody planted in the browser before is worth nothing.
    """
    attempt, member = entry.attempt, str(actor.id)
    if entry.previous:
        await stored.end(tx, stored.session_id(entry.previous))
    device, strange = await devices.meet(tx, entry.device, member, attempt)
    await tries.settle(tx, attempt.id, "signed_in")
    token = stored.new_token()
    identifier, csrf = stored.session_id(token), stored.new_token()
    session = Session(identifier, member, csrf, attempt.at, attempt.at, attempt.ip, attempt.agent)
    await stored.store_session(tx, session)
    actor = replace(actor, entry=session.told)
    await audit.keep(tx, attempt.id, Event("signed_in", attempt.at, actor, "member", member))
    return SignedIn(token, session, actor, device, strange)


async def resume(tenant: Tenant, token: str, *, ip: str | None) -> tuple[Session, Actor] | None:
    """Return the session of a cookie's token and who acts in it; None when there is none, or it lasted too long."""
    now = tenant.clock.now()

    async def look(tx: Tx) -> tuple[Session, Limits, Actor | None] | None:
        found = await stored.find_with_limits(tx, stored.session_id(token))
        if found is None:
            return None
        return *found, await load_actor(tenant.published, tx, found[0].member, ip=ip)

    found = await tenant.store.read(look)
    if found is None:
        return None
    session, limits, actor = found
    if actor is None or session.over(now, limits):
        with suppress(StoreError):  # it is over, also where that cannot be written down
            await tenant.store.write(lambda tx: stored.end(tx, session.id))
        return None
    if abs(now - session.seen_at) > TOUCH:
        with suppress(StoreError):  # a disk that is full keeps nobody from reading
            await tenant.store.write(lambda tx: stored.touch(tx, session.id, now))
    return session, replace(actor, entry=session.told)


async def sign_out(tenant: Tenant, token: str, *, ip: str | None = None) -> None:
    """End the session of the token."""

    async def work(tx: Tx) -> None:
        found = await stored.find(tx, stored.session_id(token))
        if found is not None:
            await _end(tenant, tx, found, ip)

    await tenant.store.write(work)


async def _end(tenant: Tenant, tx: Tx, session: Session, ip: str | None) -> int:
    """End a session as its member wants it; the audit has that."""
    actor = await load_actor(tenant.published, tx, session.member, ip=ip)
    if actor is not None:
        told = replace(actor, entry=session.told)
        event = Event("signed_out", tenant.clock.now(), told, "member", session.member)
        await audit.keep(tx, tenant.new_id(), event)
    return await stored.end(tx, session.id)


async def sessions(tenant: Tenant, member: str) -> list[Session]:
    """Return a member's open sessions, the latest seen first."""
    return await tenant.store.read(lambda tx: stored.of_member(tx, member))


async def revoke(tenant: Tenant, member: str, session: str | None = None, *, ip: str | None = None) -> int:
    """End one session of a member (by `Session.id`), or all; return how many."""

    async def work(tx: Tx) -> int:
        mine = await stored.of_member(tx, member)
        return sum([await _end(tenant, tx, each, ip) for each in mine if session in (None, each.id)])

    return await tenant.store.write(work)
