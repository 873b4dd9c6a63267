"""An office to test rights on: a sponsor tree, records of each of its members, and a level for every reach."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from piccolo.query.base import Query as PiccoloQuery

from models.actor import PUBLIC, SYSTEM, Actor
from models.members import create_member, load_actor
from models.records import Records
from models.tenant import Tenant
from models.tx import Dialect, Row, SqlValue, Tx

T = TypeVar("T")

NETWORK = """
network: office
languages: [fr, en]
timezone: Europe/Paris
countries: [FR, BE]
settings:
  goal: {type: integer, value: 100}
---
entity: company
title: "{{ record.name }}"
fields:
  name: {type: text, required: true}
  city: {type: text}
search: [name]
---
entity: lead
title: "{{ record.first_name }}"
owner: true
fields:
  first_name: {type: text, required: true, max: 20}
  email:      {type: email, unique: owner}
  phone:      {type: phone}
  country:    {type: country, required: true, default: FR}
  code:       {type: text, pattern: "[A-Z]{2}[0-9]+", unique: true}
  income:     {type: money, min: 0}
  double:     {type: money, compute: "=record.income * 2.0"}
  rich:       {type: boolean, compute: "=record.double > 100.0"}
  calls:      {type: integer, default: 0, max: 50}
  next_at:    {type: datetime}
  note:       {type: text, min: 3}
  tags:       {type: choices, options: {home: Home, homes: Homes, work: Work}}
  factor:     {type: integer}
  product:    {type: integer, compute: "=record.factor * record.factor"}
  company:    {type: reference, to: company, on_delete: restrict}
  friend:     {type: reference, to: lead, on_delete: clear}
search: [first_name, email, phone]
---
process: recruiting
entity: lead
states:
  new:       {initial: true}
  contacted: {}
  lost:      {}
  signed:    {final: true}
transitions:
  call:   {from: new, to: contacted, by: [own, own_and_read_all]}
  sign:   {from: [new, contacted], to: signed}
  lose:   {from: any, to: lost, by: [own, branch, all_rows]}
  revive: {from: lost, to: new, by: [branch]}
"""

LEVELS = """
level: own
functions: [consult, analyse]
entities:
  lead: {read: mine, create: true, update: mine, delete: mine, fields: {income: {read: none, write: none}}}
  company: {read: all}
  member: {read: downline, update: mine, fields: {phone: {read: mine}}}
---
level: branch
functions: [consult, analyse]
entities:
  lead: {read: downline, create: true, update: mine, delete: none, fields: {income: {read: mine, write: mine}}}
  member: {read: mine}
---
level: all_rows
functions: [consult, analyse]
entities:
  lead: {read: all, update: downline, delete: downline, transitions: [recruiting.lose], fields: {phone: {read: none}}}
  company: {read: all, create: true, update: all, delete: all}
---
level: own_and_read_all
functions: [consult, analyse]
entities:
  lead: {read: all, create: true, update: all, delete: all}
---
level: keepers
entities:
  lead: {read: mine}
  company: {read: all, delete: all}
---
level: nothing
functions: [consult, analyse]
entities: {}
---
level: public
entities:
  company: {read: all}
"""

EXPRESSIONS = """
level: compatriots
entities:
  lead:
    read: record.country == actor.country
    update: record.owner.country == "FR"
    delete: actor.is_upline_of(record.owner)
    fields: {phone: {read: record.calls > 2}}
---
level: sponsors
entities:
  lead:
    read: record.owner.sponsor == actor || record.owner.country == actor.sponsor.country
    update: has(record.company)
"""

TERMS = """
terms: general
version: 2026-01
body: Be kind.
---
terms: own_terms
for: [own]
version: 1
body: Keep to your own.
---
terms: branch_terms
for: [branch]
version: 1
body: Look after them.
"""

STATISTICS = """
statistic: everything
entity: lead
measure: count()
---
statistic: by_country
entity: lead
measure: count()
by: record.country
---
statistic: by_month
entity: lead
measure: count()
by: [month(record.created_at), record.recruiting]
---
statistic: income
entity: lead
measure: sum(record.income)
---
statistic: calls
entity: lead
measure: sum(record.calls)
---
statistic: average_income
entity: lead
measure: average(record.income)
where: record.calls >= 0
---
statistic: signed_share
entity: lead
measure: share(record.recruiting == "signed")
by: record.country
---
statistic: rich
entity: lead
measure: count()
by: record.rich
---
statistic: signed_days
entity: lead
measure: time_in(recruiting.signed)
---
statistic: new_time
entity: lead
measure: time_in(recruiting.new)
---
statistic: contacted_time
entity: lead
measure: time_in(recruiting.contacted)
by: record.country
"""

OFFICE: Mapping[str, str] = {
    "statistics.yaml": STATISTICS,
    "network.yaml": NETWORK,
    "terms.yaml": TERMS,
    "levels.yaml": LEVELS,
    "expressions.yaml": EXPRESSIONS,
}
TREE: Mapping[str, str | None] = {"root": None, "ann": "root", "bob": "ann", "cid": "bob", "dan": "root"}
"""Who sponsors whom. Ann's downline: Bob and Cid; Dan stands in another branch."""


@dataclass
class Recorded:
    """A transaction that remembers the statements that it was asked to run."""

    tx: Tx
    statements: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dialect: Dialect = self.tx.dialect

    async def rows(self, sql: str, values: Sequence[SqlValue] = ()) -> list[Row]:
        self.statements.append(sql)
        return await self.tx.rows(sql, values)

    async def row(self, sql: str, values: Sequence[SqlValue] = ()) -> Row | None:
        self.statements.append(sql)
        return await self.tx.row(sql, values)

    async def run(self, sql: str, values: Sequence[SqlValue] = ()) -> int:
        self.statements.append(sql)
        return await self.tx.run(sql, values)

    async def put(self, sql: str, values: Sequence[SqlValue], missing: Exception | None = None) -> None:
        self.statements.append(sql)
        await self.tx.put(sql, values, missing)

    async def run_many(self, sql: str, values: Iterable[Sequence[SqlValue]]) -> None:
        self.statements.append(sql)
        await self.tx.run_many(sql, values)

    async def lock(self, key: str) -> None:
        await self.tx.lock(key)

    async def aside(self, call: Callable[[], T]) -> T:
        return await self.tx.aside(call)

    async def query(self, query: PiccoloQuery[Any, Any]) -> list[dict[str, Any]]:
        return await self.tx.query(query)


@dataclass
class Office:
    """A tenant with the members of `TREE` (their ids by name) and what they need to act."""

    tenant: Tenant
    ids: dict[str, str] = field(default_factory=dict)

    def records(self, tx: Tx, actor: Actor = SYSTEM) -> Records:
        return Records(self.tenant.published, tx, actor, self.tenant.context(), new_id=self.tenant.new_id)

    async def actor(self, name: str, *levels: str) -> Actor:
        """Return a member as an actor, with the levels given instead of its own."""
        if name == "public":
            return PUBLIC
        loaded = await self.tenant.store.read(lambda tx: load_actor(self.tenant.published, tx, self.ids[name]))
        assert loaded is not None
        return Actor("member", {**(loaded.member or {}), "levels": levels}, levels, ip="192.0.2.1", language="fr")

    async def read(self, actor: Actor, work: Callable[[Records], Any]) -> Any:
        return await self.tenant.store.read(lambda tx: work(self.records(tx, actor)))

    async def write(self, actor: Actor, work: Callable[[Records], Any]) -> Any:
        return await self.tenant.store.write(lambda tx: work(self.records(tx, actor)))

    async def lead(self, owner: str, name: str = "Léa", **values: Any) -> str:
        """Create a lead of a member, as the system."""
        given = {"first_name": name, "owner": self.ids[owner], **values}
        created = await self.write(SYSTEM, lambda records: records.create("lead", given))
        return str(created.id)

    async def company(self, name: str, city: str | None = None) -> str:
        created = await self.write(SYSTEM, lambda records: records.create("company", {"name": name, "city": city}))
        return str(created.id)


async def fill(tenant: Tenant) -> Office:
    """Return the office with its members."""
    return Office(tenant, await hire(tenant))


async def hire(tenant: Tenant) -> dict[str, str]:
    """Let the members join and return their ids by name."""
    office = Office(tenant)
    for name, sponsor in TREE.items():
        values = {
            "first_name": name.capitalize(),
            "last_name": "Durand",
            "email": f"{name}@example.com",
            "phone": "0612345678",
            "country": "BE" if name == "dan" else "FR",
            "language": "fr",
            "sponsor": None if sponsor is None else office.ids[sponsor],
            "levels": ["leader"] if name == "root" else ["own"],
            "active": True,
        }
        office.ids[name] = await office.write(SYSTEM, partial(create_member, values=values))
    return office.ids
