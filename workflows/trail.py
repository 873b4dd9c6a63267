"""The audit to look through: for who administers the network, and for members whose data was looked at."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from models.actor import Actor
from models.audit import EVERYBODY, READS, Kind
from models.ddl import listed
from models.errors import NotFoundError
from models.query import Filter, Query
from models.tenant import Tenant
from models.tx import Row, Tx
from workflows.registers import MEMBER, Entry, Kept, Register, page
from workflows.stored import must_moment
from workflows.unit import Unit, read

PAGE = 50
LOOKED = (*sorted(READS), "archived", "command", "acting")
"""What counts as somebody having looked at a member's data."""

_COLUMNS = (
    "id",
    "at",
    "kind",
    "actor_kind",
    "entry",
    "member",
    "through",
    "entity",
    "record",
    "total",
    "fields",
    "detail",
)
_MINE = f"""SELECT {listed(_COLUMNS, "a")} FROM "_audit_of" o JOIN "_audit" a ON a."id" = o."audit"
WHERE o."member" IN (?, ?) AND a."kind" IN ({", ".join("?" * len(LOOKED))}) AND (a."member" IS NULL OR a."member" <> ?
OR a."through" IS NOT NULL) ORDER BY o."at" DESC, a."id" DESC LIMIT ? OFFSET ?"""  # noqa: S608 - columns of ours
OFFERED = 50
"""So many members are offered before anything is typed."""
_OFFERED = 'SELECT "id" FROM "member" ORDER BY "name" LIMIT ?'
_PEOPLE = 'SELECT "id", "name" FROM "member" WHERE "id" IN '

REGISTER = Register(
    "audit",
    '"_audit" AS "entry"',
    (
        Kept("id"),
        *(Kept(name, type="datetime") if name == "at" else Kept(name) for name in _COLUMNS[1:]),
        Kept("ip"),
        Kept("touched", sql='COALESCE("entry"."record", "entry"."records")'),
    ),
    '"entry"."at"',
    entity='CASE WHEN "entry"."record" IS NULL THEN NULL ELSE "entry"."entity" END',
    record='"entry"."record"',
)
"""Rows about one record are there for who may read it; rows about many do not say which these are."""


@dataclass(frozen=True, slots=True)
class Looked:
    """A row of the audit as it is shown; `through` is who really acted, `platform` an operator of the installation.

    `who` and `through` are names, "" where nobody is named; `title` is that of the one record that it is about.
    """

    id: str
    at: datetime
    kind: Kind
    who: str
    through: str
    platform: bool
    automatic: bool
    entity: str | None
    record: str | None
    title: str
    total: int | None
    fields: tuple[str, ...]
    detail: str
    ip: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows are looked for: by whom, about which record, of which kind, between which days."""

    member: str = ""
    record: str = ""
    kind: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def filters(self) -> tuple[Filter, ...]:
        """The conditions of a list."""
        found = [Filter("member", "equals", self.member)] if self.member else []
        found += [Filter("touched", "contains", self.record)] if self.record else []
        found += [Filter("kind", "equals", self.kind)] if self.kind else []
        found += [Filter("at", "at_least", self.since)] if self.since else []
        found += [Filter("at", "before", self.until + timedelta(days=1))] if self.until else []
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Known:
    """Who the filters offer, by id, and what the record is called that they are about ("" for one not to be seen)."""

    people: Mapping[str, str]
    record: str = ""


async def known(tenant: Tenant, actor: Actor, wanted: Wanted, entity: str) -> Known:
    """Return what the filters show; titles alone, so that looking for somebody is no reading of members' data."""

    async def work(unit: Unit) -> Known:
        ids = [row[0] for row in await unit.tx.rows(_OFFERED, [OFFERED])]
        people = await unit.records.labels(MEMBER, [*ids, wanted.member] if wanted.member else ids)
        in_order = sorted(people.items(), key=lambda pair: pair[1].casefold())
        about = entity if wanted.record and entity in unit.network.entities else None
        titles = {} if about is None else await unit.records.labels(about, [wanted.record])
        return Known(dict(in_order), titles.get(wanted.record, ""))

    return await read(tenant, actor, work)


async def trail(tenant: Tenant, actor: Actor, wanted: Wanted, offset: int, count: int = PAGE) -> list[Looked]:
    """Return rows of the audit, the newest first, for who administers the network; `NotFoundError` for others.

    Also those that were noted a moment ago: they are written first.
    """
    if not tenant.published.access.administers(actor):
        raise NotFoundError
    await tenant.readings.flush()

    async def work(unit: Unit) -> list[Looked]:
        rows = await page(unit, REGISTER, Query(filters=wanted.filters, sort="-at", limit=count, offset=offset))
        return await _told(unit, rows)

    return await read(tenant, actor, work)


async def looked_at(tenant: Tenant, actor: Actor, offset: int) -> list[Looked]:
    """Return who looked at the actor's own data, the newest first; `NotFoundError` for nobody."""
    if actor.id is None or actor.through is not None:
        raise NotFoundError
    await tenant.readings.flush()
    values = [actor.id, EVERYBODY, *LOOKED, actor.id, PAGE + 1, offset]

    async def work(unit: Unit) -> list[Looked]:
        rows = await unit.tx.rows(_MINE, values)
        return await _told(unit, [_entry(row) for row in rows])

    return await read(tenant, actor, work)


def _entry(row: Row) -> Entry:
    found = dict(zip(_COLUMNS, row, strict=True))
    return {**found, "at": must_moment(found["at"])}


async def _told(unit: Unit, rows: Iterable[Entry]) -> list[Looked]:
    entries = list(rows)
    people = await _names(unit.tx, {str(row[of]) for row in entries for of in ("member", "through") if row[of]})
    titles = await _titles(unit, entries)
    return [_looked(row, people, titles) for row in entries]


async def _names(tx: Tx, ids: set[str]) -> Mapping[str, str]:
    """Return what members are called: who looked at somebody's data is told, whoever asks."""
    if not ids:
        return {}
    found = sorted(ids)
    return {row[0]: row[1] for row in await tx.rows(f"{_PEOPLE}({', '.join('?' * len(found))})", found)}


async def _titles(unit: Unit, entries: Iterable[Entry]) -> Mapping[tuple[str, str], str]:
    """Return the titles of the records that the reader may read."""
    wanted: dict[str, set[str]] = {}
    for row in entries:
        if row["record"] and row["entity"] in unit.network.entities:
            wanted.setdefault(row["entity"], set()).add(row["record"])
    found: dict[tuple[str, str], str] = {}
    for entity, ids in wanted.items():
        labels = await unit.records.labels(entity, ids)
        found |= {(entity, identifier): title for identifier, title in labels.items()}
    return found


def _looked(row: Entry, people: Mapping[str, str], titles: Mapping[tuple[str, str], str]) -> Looked:
    return Looked(
        id=row["id"],
        at=row["at"],
        kind=row["kind"],
        who=people.get(row["member"] or "", ""),
        through=people.get(row["through"] or "", ""),
        platform=row["entry"] == "operator",
        automatic=row["actor_kind"] == "system" and row["entry"] != "operator",
        entity=row["entity"] if row["entity"] != MEMBER or row["record"] or row["total"] else None,
        record=row["record"],
        title=titles.get((row["entity"] or "", row["record"] or ""), ""),
        total=row["total"],
        fields=tuple(json.loads(row["fields"] or "[]")),
        detail=row["detail"] or "",
        ip=row.get("ip"),
    )
