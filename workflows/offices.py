"""Offices of others: letting somebody act in the own one for a time, assisting in one, coming in and going out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from models import delegations, sessions
from models.actor import Actor
from models.delegations import ASSISTANCE, LONGEST, Delegation, Office
from models.errors import InvalidError, NotFoundError, RefusedError
from models.members import load_actor, with_email
from models.message import Message, say
from models.query import Filter, Query
from models.sessions import Session
from models.tenant import Tenant
from models.tx import Tx
from workflows import auditing
from workflows.unit import Unit, read, write

MEMBER = "member"
_NOBODY = say("Nobody whom you may see here has this e-mail address.")


@dataclass(frozen=True, slots=True)
class Given:
    """What a member lets another one do: `levels` are those of its own that are lent, none means all."""

    email: str
    levels: Sequence[str]
    begins_at: datetime | None
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class Offices:
    """Delegations as an account shows them, with everybody's name by id; `mine` were given by its member."""

    mine: list[Delegation]
    others: list[Delegation]
    names: Mapping[str, str]


def itself(actor: Actor) -> str:
    """Return the id of a member in the own office; `RefusedError` in somebody else's, `NotFoundError` for nobody."""
    if actor.kind != "member" or actor.id is None:
        raise NotFoundError
    if actor.through is not None:
        raise RefusedError(say("This is for the member alone. Leave this office first."))
    return actor.id


async def listed(tenant: Tenant, actor: Actor) -> Offices:
    """Return who may act for the actor, and for whom the actor may."""
    member = itself(actor)

    async def work(unit: Unit) -> Offices:
        mine = await delegations.given_by(unit.tx, member, unit.now)
        others = await delegations.given_to(unit.tx, member, unit.now)
        people = {each.delegate for each in mine} | {each.member for each in others}
        return Offices(mine, others, await unit.records.system.labels(MEMBER, people))

    return await read(tenant, actor, work)


async def give(tenant: Tenant, actor: Actor, given: Given) -> Delegation:
    """Let another member act in the own office for a time; `InvalidError` says what is wrong with it."""
    member = itself(actor)

    async def work(unit: Unit) -> Delegation:
        begins, ends = given.begins_at or unit.now, given.ends_at
        wrong = _wrong(actor, given, (begins, ends), unit.now)
        delegate = await _whom(unit, given.email)
        if delegate is None:
            wrong["email"] = _NOBODY
        elif delegate == member:
            wrong["email"] = say("This is you.")
        if wrong or delegate is None or ends is None:
            raise InvalidError(wrong)
        levels = () if set(given.levels) == set(actor.levels) else tuple(given.levels)
        made = Delegation(unit.new_id(), member, delegate, "given", levels, begins, ends, None, unit.now)
        await delegations.keep(unit.tx, made)
        return made

    return await write(tenant, actor, work)


def _wrong(actor: Actor, given: Given, time: tuple[datetime, datetime | None], now: datetime) -> dict[str, Message]:
    begins, ends = time
    wrong: dict[str, Message] = {}
    if not given.levels or not set(given.levels) <= set(actor.levels):
        wrong["levels"] = say("Choose among your own levels.")
    if ends is None:
        wrong["ends"] = say("This is needed.")
    elif ends <= max(begins, now):
        wrong["ends"] = say("The end comes before the beginning.")
    elif ends - begins > LONGEST:
        wrong["ends"] = say("At most {count} days.", count=LONGEST.days)
    return wrong


async def _whom(unit: Unit, email: str) -> str | None:
    """Return the active member with an e-mail, when the actor may know it: who it may read, and its own sponsor."""
    found = await with_email(unit.tx, email)
    if found is None or await load_actor(unit.published, unit.tx, found) is None:
        return None
    sponsor = (unit.actor.member or {}).get("sponsor") or {}
    if found in (unit.actor.id, sponsor.get("id")):
        return found
    page = await unit.records.list(MEMBER, Query(filters=(Filter("id", "any_of", [found]),), limit=1))
    return found if page.records else None


async def revoke(tenant: Tenant, actor: Actor, delegation: str) -> None:
    """End a delegation at once: its member can, and whom it was given to; `NotFoundError` for others."""
    member = itself(actor)
    now = tenant.clock.now()
    if not await tenant.store.write(lambda tx: delegations.revoke(tx, delegation, member, now)):
        raise NotFoundError


async def close(tenant: Tenant, actor: Actor, *, closed: bool) -> None:
    """Close the own data to the leader, who leaves the office at once, or open it again."""
    member = itself(actor)
    now = tenant.clock.now()
    await tenant.store.write(lambda tx: delegations.close(tx, member, now, closed=closed))


async def is_closed(tenant: Tenant, actor: Actor) -> bool:
    """Whether the actor has closed the own data to the leader."""
    member = itself(actor)
    return await tenant.store.read(lambda tx: delegations.is_closed(tx, member))


async def assist(tenant: Tenant, actor: Actor, session: Session, member: str) -> None:
    """Bring who runs the network into a member's office; `RefusedError` where the member closed it."""
    leader = itself(actor)
    if not tenant.published.access.administers(actor):
        raise NotFoundError

    async def work(unit: Unit) -> None:
        await unit.records.get(MEMBER, member)
        if member == leader:
            raise RefusedError(say("This is your own office."))
        if await delegations.is_closed(unit.tx, member):
            raise RefusedError(say("This member has closed the own data to the leader."))
        ends = unit.now + ASSISTANCE
        made = Delegation(unit.new_id(), member, leader, "assistance", (), unit.now, ends, None, unit.now)
        await delegations.keep(unit.tx, made)
        await _enter(unit, session, made.id)

    await write(tenant, actor, work)


async def enter(tenant: Tenant, actor: Actor, session: Session, delegation: str) -> None:
    """Bring a session into the office that a delegation opens; `NotFoundError` where there is none for the actor."""
    itself(actor)

    async def work(unit: Unit) -> None:
        found = await delegations.load(unit.tx, delegation)
        if found is None or found.delegate != actor.id or found.kind != "given":
            raise NotFoundError
        await _enter(unit, session, delegation)

    await write(tenant, actor, work)


async def _enter(unit: Unit, session: Session, delegation: str) -> None:
    office = await delegations.enter(unit.published, unit.tx, delegation, unit.now, delegate=unit.actor.id)
    if office is None:
        raise RefusedError(say("This office cannot be entered now."))
    await auditing.note(unit, "acting", office.delegation.kind, member=office.delegation.member)
    await sessions.act(unit.tx, session.id, delegation)


async def leave(tenant: Tenant, session: Session) -> None:
    """Bring a session back to the own office; assistance ends with it."""
    now = tenant.clock.now()

    async def work(tx: Tx) -> None:
        found = None if session.acting is None else await delegations.load(tx, session.acting)
        await sessions.act(tx, session.id, None)
        if found is not None and found.kind == "assistance" and found.delegate == session.member:
            await delegations.revoke(tx, found.id, session.member, now)

    await tenant.store.write(work)


async def of_session(tenant: Tenant, session: Session, ip: str | None) -> Office | None:
    """Return the office that a session is in, with the rights of this moment; None when it may be there no more."""
    acting, now, member = session.acting, tenant.clock.now(), session.member
    if acting is None:
        return None

    async def work(tx: Tx) -> Office | None:
        return await delegations.enter(tenant.published, tx, acting, now, ip=ip, delegate=member)

    return await tenant.store.read(work)
