"""Members as who runs the network sees them: listed, taken in, given levels, let go."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from definitions.problems import did_you_mean
from models import invitations, passwords, second_factor, standing
from models.accounts import store_password
from models.actor import SYSTEM, Actor
from models.errors import InvalidError, NotFoundError
from models.members import members_of_level
from models.message import say
from models.query import Query
from models.record import Page, Record
from models.tenant import Tenant
from workflows import auditing, changes
from workflows.stored import read_moment
from workflows.unit import Unit, read, write

PAGE = 100
LEADERS = "leaders"
"""What is held while somebody may stop running the network: one always does."""

_SEEN = 'SELECT "member", max("seen_at") FROM "_session" GROUP BY "member"'
_SIGN_IN = 'SELECT "member" FROM "_credential"'
_BY_EMAIL = 'SELECT "id" FROM "member" WHERE lower("email") = ? ORDER BY "active" DESC, "id" LIMIT 1'


@dataclass(frozen=True, slots=True)
class Member:
    """A member with its levels; `signs_in` when it has a password, `seen_at` when an open session was last used."""

    id: str
    name: str
    email: str
    levels: tuple[str, ...]
    active: bool
    joined_at: datetime | None
    seen_at: datetime | None
    signs_in: bool


@dataclass(frozen=True, slots=True)
class Joined:
    """A member that was taken in; `token` opens the page on which it chooses a password (None: it has one)."""

    id: str
    token: str | None = None


async def members(tenant: Tenant) -> list[Member]:
    """Return all members, the oldest first."""

    async def work(unit: Unit) -> list[Member]:
        seen = {row[0]: read_moment(row[1]) for row in await unit.tx.rows(_SEEN)}
        sign_in = {row[0] for row in await unit.tx.rows(_SIGN_IN)}
        found: list[Member] = []
        page: Page | None = None
        while page is None or page.next is not None:
            cursor = None if page is None else page.next
            page = await unit.records.list("member", Query(sort="created_at", limit=PAGE, cursor=cursor))
            found += [_member(one.full, seen.get(one.id), signs_in=one.id in sign_in) for one in page.records]
        return found

    return await read(tenant, SYSTEM, work)


def _member(values: Mapping[str, Any], seen: datetime | None, *, signs_in: bool) -> Member:
    levels = tuple(values.get("levels") or ())
    name, email = str(values.get("name") or ""), str(values.get("email") or "")
    return Member(values["id"], name, email, levels, bool(values["active"]), values.get("joined_at"), seen, signs_in)


async def join(
    tenant: Tenant,
    values: Mapping[str, Any],
    *,
    sponsor: str | None = None,
    password: str | None = None,
    actor: Actor = SYSTEM,
) -> Joined:
    """Take a member in, below the member with the e-mail `sponsor`; without a password it is invited to choose one.

    `actor` is who does so, with its rights: operators have all.
    """
    known = (tenant.name, *(str(values.get(name) or "") for name in ("email", "first_name", "last_name")))
    hashed = None if password is None else await passwords.hash_password(password, known)

    async def work(unit: Unit) -> Joined:
        check_levels(unit, values.get("levels") or ())
        above = None if sponsor is None else await find(unit, sponsor)
        given = {"active": True, "joined_at": unit.now, "sponsor": above and above.id, **values}
        record = await changes.create(unit, "member", given)
        if hashed is None:
            await auditing.note(unit, "invited", member=record.id)
            return Joined(record.id, await invitations.invite(unit.tx, record.id, unit.now))
        await store_password(unit.tx, record.id, hashed, unit.now)
        return Joined(record.id)

    return await write(tenant, actor, work)


async def invite(tenant: Tenant, email: str) -> Joined:
    """Let a member that is there choose a password anew."""

    async def work(unit: Unit) -> Joined:
        record = await find(unit, email)
        await auditing.note(unit, "invited", member=record.id)
        return Joined(record.id, await invitations.invite(unit.tx, record.id, unit.now))

    return await write(tenant, SYSTEM, work)


async def change_levels(tenant: Tenant, email: str, change: Callable[[tuple[str, ...]], Iterable[str]]) -> Member:
    """Give a member the levels that `change` makes of those it has."""

    async def work(unit: Unit) -> Member:
        record = await find(unit, email)
        levels = tuple(dict.fromkeys(change(tuple(record.full.get("levels") or ()))))
        check_levels(unit, levels)
        await auditing.note(unit, "rights", ", ".join(levels), member=record.id)
        return await _update(unit, record, {"levels": levels})

    return await write(tenant, SYSTEM, work)


async def set_active(tenant: Tenant, email: str, *, active: bool) -> Member:
    """Let a member in again, or out: then all its ways in end, and its records stay where they are."""

    async def work(unit: Unit) -> Member:
        record = await find(unit, email)
        if active:
            await standing.forget(unit.tx, record.id)
        else:
            await standing.shut_out(unit.tx, record.id, unit.now)
        await auditing.note(unit, "resumed" if active else "suspended", member=record.id)
        return await _update(unit, record, {"active": active})

    return await write(tenant, SYSTEM, work)


async def leaders(unit: Unit) -> list[str]:
    """Return the active members that run the network."""
    names = [name for name, level in unit.network.levels.items() if level.administration or level.everything]
    found = [member for name in names for member in await members_of_level(unit.tx, name)]
    return list(dict.fromkeys(found))


async def forget_factors(tenant: Tenant, email: str) -> Member:
    """Take the second factors of a member away, who has lost them all: sessions end, the password lets in again."""

    async def work(unit: Unit) -> Member:
        record = await find(unit, email)
        await second_factor.forget(unit.tx, record.id)
        return _member(record.full, None, signs_in=True)

    return await write(tenant, SYSTEM, work)


async def find(unit: Unit, email: str) -> Record:
    """Return the member with an e-mail; `NotFoundError` without one."""
    row = await unit.tx.row(_BY_EMAIL, [email.strip().casefold()])
    if row is None:
        raise NotFoundError
    return await unit.records.get("member", row[0])


def check_levels(unit: Unit, levels: Iterable[str]) -> None:
    """Raise `InvalidError` for a level that nobody can have."""
    known = [name for name in unit.network.levels if name != "public"]
    for level in levels:
        if level not in known:
            hint = did_you_mean(level, known)
            raise InvalidError({"levels": say("There is no level {level}: {hint}", level=level, hint=hint)})


async def _update(unit: Unit, record: Record, values: Mapping[str, Any]) -> Member:
    change = await changes.update(unit, "member", record.id, None, values)
    return _member(change.after.full, None, signs_in=False)
