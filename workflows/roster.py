"""The members as who runs the network works with them: found, invited, given levels, signed out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from models import accounts, invitations, resets, second_factor, sessions, standing
from models.actor import Actor
from models.errors import InvalidError, NotFoundError, RefusedError
from models.message import say
from models.query import Query
from models.record import Record
from models.standing import Standing
from models.tenant import Tenant
from workflows import auditing, changes, letters, membership
from workflows.letters import Wording
from workflows.stored import read_moment
from workflows.unit import Unit, read, write

MEMBER = "member"
PAGE = 50
State = Literal["active", "invited", "uninvited", "suspended", "terminated", "inactive"]
Worded = Callable[[str, str], Wording]
"""What makes a mail: of the token of its link, in a language."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A member on the roster. `invited_until` is set while an invitation is open, `seen_at` while a session is."""

    record: Record
    state: State
    standing: Standing | None
    invited_until: datetime | None
    signs_in: bool
    seen_at: datetime | None
    sponsor: str = ""

    @property
    def email(self) -> str:
        """Where the member is written to."""
        return str(self.record.values.get("email") or "")

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels that the reader sees."""
        return tuple(self.record.values.get("levels") or ())


@dataclass(frozen=True, slots=True)
class Roster:
    """A page of members; `next` is where the following one begins."""

    entries: tuple[Entry, ...]
    next: str | None
    total: int


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Who is invited: the fields of the member, and the e-mail of the sponsor, in whatever branch ("" for none)."""

    values: Mapping[str, Any]
    sponsor: str = ""


def led(unit: Unit) -> None:
    """Raise `NotFoundError` for everybody but who runs the network."""
    if not unit.published.access.administers(unit.actor) or unit.actor.kind != "member":
        raise NotFoundError


async def page(tenant: Tenant, actor: Actor, q: str = "", cursor: str | None = None) -> Roster:
    """Return members by name that match what is searched for."""

    async def work(unit: Unit) -> Roster:
        led(unit)
        query = Query(q=q, sort="name", limit=PAGE, cursor=cursor)
        found = await unit.records.list(MEMBER, query)
        total = await unit.records.count(MEMBER, Query(q=q))
        return Roster(tuple(await _entries(unit, found.records)), found.next, total)

    return await read(tenant, actor, work)


async def entry(tenant: Tenant, actor: Actor, member: str) -> Entry:
    """Return one member; `NotFoundError`."""

    async def work(unit: Unit) -> Entry:
        led(unit)
        [found] = await _entries(unit, [await unit.records.get(MEMBER, member)])
        return found

    return await read(tenant, actor, work)


async def _entries(unit: Unit, records: Iterable[Record]) -> list[Entry]:
    found = list(records)
    ids = [record.id for record in found]
    if not ids:
        return []
    places = ", ".join("?" * len(ids))

    async def asked(sql: str) -> dict[str, Any]:
        rows = await unit.tx.rows(sql.format(places=places), ids)
        return {row[0]: row[-1] for row in rows}

    signs = await asked('SELECT "member" FROM "_credential" WHERE "member" IN ({places})')
    open_ = await asked('SELECT "member", max("expires_at") FROM "_invitation" WHERE "member" IN ({places}) GROUP BY 1')
    seen = await asked('SELECT "member", max("seen_at") FROM "_session" WHERE "member" IN ({places}) GROUP BY 1')
    sponsors = {record.id: (record.values.get("sponsor") or {}).get("id") for record in found}
    names = await unit.records.labels(MEMBER, {each for each in sponsors.values() if each is not None})
    made = []
    for record in found:
        known, until = await standing.of(unit.tx, record.id), read_moment(open_.get(record.id))
        until = until if until is not None and until > unit.now else None
        state = _state(record, known, until, signs_in=record.id in signs)
        sponsor = names.get(sponsors[record.id] or "", "")
        made.append(Entry(record, state, known, until, record.id in signs, read_moment(seen.get(record.id)), sponsor))
    return made


def _state(record: Record, known: Standing | None, invited: datetime | None, *, signs_in: bool) -> State:
    if not record.full.get("active"):
        return known.state if known is not None else "inactive"
    if signs_in:
        return "active"
    return "invited" if invited is not None else "uninvited"


async def take_in(tenant: Tenant, actor: Actor, who: Newcomer, worded: Worded) -> tuple[str, str]:
    """Take a member in and write to it with the link of its invitation; return its id and the link's token."""

    async def work(unit: Unit) -> tuple[str, str]:
        led(unit)
        membership.check_levels(unit, who.values.get("levels") or ())
        above = None if not who.sponsor else await _sponsor(unit, who.sponsor)
        given = {"active": True, "joined_at": unit.now, "sponsor": above, **who.values}
        record = await changes.create(unit, MEMBER, given)
        return record.id, await _invite(unit, record, worded)

    return await write(tenant, actor, work)


async def _sponsor(unit: Unit, email: str) -> str:
    try:
        return (await membership.find(unit, email)).id
    except NotFoundError:
        said = say("No member has the e-mail address {email}.", email=email)
        raise InvalidError({"sponsor": said}) from None


async def _invite(unit: Unit, record: Record, worded: Worded) -> str:
    token = await invitations.invite(unit.tx, record.id, unit.now)
    await auditing.note(unit, "invited", member=record.id)
    language = record.full.get("language") or unit.network.languages[0]
    await letters.send(unit, record.id, str(record.full["email"]), worded(token, language))
    return token


async def invite_again(tenant: Tenant, actor: Actor, member: str, worded: Worded) -> str:
    """Write to a member that has no password yet with a new link; earlier ones hold no longer."""

    async def work(unit: Unit) -> str:
        found = await _one(unit, member)
        if found.signs_in or not found.record.full.get("active"):
            raise RefusedError(say("Only who has not come in yet is invited."))
        return await _invite(unit, found.record, worded)

    return await write(tenant, actor, work)


async def withdraw(tenant: Tenant, actor: Actor, member: str) -> None:
    """Let the link of a member's invitation lead nowhere any more."""

    async def work(unit: Unit) -> None:
        await _one(unit, member)
        if not await unit.tx.run('DELETE FROM "_invitation" WHERE "member" = ?', [member]):
            raise NotFoundError

    await write(tenant, actor, work)


async def send_reset(tenant: Tenant, actor: Actor, member: str, worded: Worded) -> None:
    """Write to a member with a link to a new password; the old one holds until the link is used."""

    async def work(unit: Unit) -> None:
        found = await _one(unit, member)
        begun = await resets.begin(unit.tx, found.email.casefold(), unit.now)
        if begun is None or begun[0].member != member:
            raise RefusedError(say("Who has no password yet is invited instead."))
        language = begun[0].language or unit.network.languages[0]
        await letters.send(unit, member, begun[0].email, worded(begun[1], language))

    await write(tenant, actor, work)


async def sign_out(tenant: Tenant, actor: Actor, member: str) -> None:
    """End all sessions of a member."""

    async def work(unit: Unit) -> None:
        await _one(unit, member)
        if await sessions.end_all(unit.tx, member):
            await auditing.note(unit, "signed_out", member=member)

    await write(tenant, actor, work)


async def forget_factors(
    tenant: Tenant, actor: Actor, member: str, password: str, worded: Callable[[str], Wording]
) -> None:
    """Take the second factors of a member away, who lost them, and write to it; sessions end, the password lets in.

    `InvalidError` for a wrong password of the actor's: an open session of who runs the network is not enough for this.
    """

    async def known(unit: Unit) -> None:
        await _one(unit, member)

    await read(tenant, actor, known)
    if member == actor.id:
        raise RefusedError(say("Your own second factors are yours to change, in your account."))
    await accounts.confirm(tenant, str(actor.id), password)

    async def work(unit: Unit) -> None:
        found = await _one(unit, member)
        if not await second_factor.has_any(unit.tx, member):
            raise RefusedError(say("This member has no second factor."))
        await second_factor.forget(unit.tx, member)
        await auditing.note(unit, "factors", member=member)
        language = found.record.full.get("language") or unit.network.languages[0]
        await letters.send(unit, member, str(found.record.full["email"]), worded(language))

    await write(tenant, actor, work)


async def change_levels(tenant: Tenant, actor: Actor, member: str, levels: tuple[str, ...]) -> None:
    """Give a member other levels: none that the actor does not have, and somebody goes on running the network."""

    async def work(unit: Unit) -> None:
        await _one(unit, member)
        membership.check_levels(unit, levels)
        await unit.tx.lock(membership.LEADERS)
        await changes.update(unit, MEMBER, member, None, {"levels": levels})
        await auditing.note(unit, "rights", ", ".join(levels), member=member)
        if not await membership.leaders(unit):
            raise RefusedError(say("Nobody else runs this network: give somebody else that level first."))

    await write(tenant, actor, work)


async def _one(unit: Unit, member: str) -> Entry:
    led(unit)
    [found] = await _entries(unit, [await unit.records.get(MEMBER, member)])
    return found
