"""The network that is measured: distributors with many leads, one of whom works."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Any

from models import tokens
from models.accounts import SignedIn, sign_in, store_password
from models.actor import SYSTEM
from models.catalog import columns_of_tables
from models.connections import stored_datetime
from models.ddl import listed
from models.members import load_actor
from models.passwords import hash_password
from models.stores import Home
from models.tenant import Tenant, create_tenant
from models.tx import Tx
from workflows import commands

NAME = "bench"
PASSWORD = "a password of the benchmarks"  # noqa: S105 - it opens nothing that stays
PACK = {
    "network.yaml": """
network: bench
languages: [fr]
timezone: Europe/Paris
currency: EUR
""",
    "lead.yaml": """
entity: lead
label: {fr: Prospect}
title: "{{ record.last_name }}"
owner: true
fields:
  first_name: {type: text, required: true, max: 80}
  last_name: {type: text, required: true, max: 80}
  email: {type: email, unique: owner}
  phone: {type: phone}
  country: {type: country, default: FR}
  next_call_at: {type: datetime, index: true}
  source:
    type: choice
    default: fair
    options: {fair: {label: {fr: Salon}}, web: {label: {fr: Site}}}
  calls: {type: integer, default: 0}
search: [first_name, last_name, email]
---
process: recruiting
entity: lead
label: {fr: Recrutement}
states:
  new: {label: {fr: Nouveau}, initial: true}
  contacted: {label: {fr: Contacté}}
  met: {label: {fr: Rencontré}}
transitions:
  call:
    label: {fr: Appeler}
    from: any
    to: contacted
    by: [distributor]
    guard: has(record.phone)
    form: {comment: {type: long_text, label: {fr: Commentaire}}, next_call_at: {field: next_call_at, required: true}}
    set: {calls: =record.calls + 1}
    bulk: true
  meet:
    label: {fr: Rencontrer}
    from: any
    to: met
    by: [distributor]
    guard: has(record.phone)
    form: {comment: {type: long_text, label: {fr: Commentaire}}, next_call_at: {field: next_call_at, required: true}}
    set: {calls: =record.calls + 1}
    bulk: true
---
level: distributor
label: {fr: Distributeur}
functions: [consult, import]
entities:
  lead: {read: mine, create: true, update: mine, delete: mine}
  member: {read: downline}
---
automation: after_call
label: {fr: Plus tard}
when: {moved: recruiting.call}
if: record.country == "FR" || record.country == "BE"
key: =record.id
mode: parallel
do: [{stop: true}]
---
automation: after_meet
label: {fr: Plus tard}
when: {moved: recruiting.meet}
if: record.country == "FR" || record.country == "BE"
key: =record.id
mode: parallel
do: [{stop: true}]
""",
    "screen.yaml": """
screen: leads
entity: lead
list: {columns: [first_name, last_name, email, country, source, next_call_at], sort: -created_at}
""",
}
"""A network with one owned entity, a process with guard, form and `set`, and automations that moves start.

Its two moves do the same, so that a lead can be moved for ever.
"""
MOVES = ("meet", "call")
FORM = {"comment": "Bien", "next_call_at": "2030-01-01T10:00"}

OWNERS = 10
"""So many distributors share the leads; lists are those of the first."""
SOME_DAY = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class World:
    """Where the network is, who works in it and with what, one of that member's leads.

    `ours` and `raw` are leads with moves that they can make next, different leads for each side.
    """

    home: Home
    member: str
    bearer: str
    cookie: str
    csrf: str
    lead: str
    ours: Iterator[tuple[str, str]]
    raw: Iterator[tuple[str, str]]


def _moves(leads: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield each lead with a move that it can make, again and again."""
    return ((lead, move) for move in cycle(MOVES) for lead in leads)


async def furnish(home: Home, count: int, *, files: Mapping[str, str] = PACK) -> World:
    """Make the network with `count` leads; `files` may have more definitions than `PACK`."""
    tenant = await create_tenant(home, NAME, files=files)
    try:
        members = [await _distributor(tenant, number) for number in range(OWNERS)]
        actor = await tenant.store.read(lambda tx: load_actor(tenant.published, tx, members[0]))
        if actor is None:
            raise LookupError("the distributor")
        given = {"first_name": "Paul", "last_name": "Roy", "email": "paul@exemple.fr", "phone": "+33639980001"}
        await commands.create(tenant, actor, "lead", given)
        await tenant.store.write(lambda tx: _copy(tx, count, members))
        own = 'SELECT "id" FROM "lead" WHERE "owner" = ? ORDER BY "id"'
        rows = await tenant.store.read(lambda tx: tx.rows(own, [members[0]]))
        made = await tokens.create(tenant, members[0], name="benchmarks", days=30)
        entered = await _sign_in(tenant, members[0])
    finally:
        await tenant.close()
    leads = [str(row[0]) for row in rows]
    half = len(leads) // 2
    ways = (_moves(leads[:half]), _moves(leads[half:]))
    return World(home, members[0], made.secret, entered.token, entered.session.csrf, leads[-1], *ways)


async def _distributor(tenant: Tenant, number: int) -> str:
    person = {"first_name": "Lea", "last_name": "Roux", "email": f"lea{number}@exemple.fr", "active": True}
    return (await commands.create(tenant, SYSTEM, "member", {**person, "levels": ["distributor"]})).id


async def _sign_in(tenant: Tenant, member: str) -> SignedIn:
    hashed = await hash_password(PASSWORD)
    await tenant.store.write(lambda tx: store_password(tx, member, hashed, tenant.clock.now()))
    entered = await sign_in(tenant, "lea0@exemple.fr", PASSWORD, ip=None)
    if not isinstance(entered, SignedIn):
        raise LookupError("the distributor")  # noqa: TRY004 - nobody of that name and password
    return entered


async def _copy(tx: Tx, count: int, members: Sequence[str]) -> None:
    """Copy the only lead, each copy a little different: enough for rules, filters and orders to have work."""
    columns = sorted((await columns_of_tables(tx))["lead"])
    row = await tx.row(f'SELECT {listed(columns)} FROM "lead"')  # noqa: S608 - columns of ours
    if row is None:
        raise LookupError("the lead")
    first = dict(zip(columns, row, strict=True))

    def copied(number: int) -> list[Any]:
        moment = stored_datetime(SOME_DAY + timedelta(seconds=number * 7919 % 31_000_000))
        name, own = f"Roy{number * 7919 % 100_000}", number // OWNERS
        varied = {
            "id": f"00000000-0000-7000-8000-{number:012}",
            "created_at": moment,
            "last_name": name,
            "_fold_last_name": name.lower(),
            "email": f"paul{number}@exemple.fr",
            "_fold_email": f"paul{number}@exemple.fr",
            "owner": members[number % OWNERS],
            "country": "FR" if own % 4 else "BE",
            "source": "web" if own % 3 else "fair",
        }
        return [varied.get(column, first[column]) for column in columns]

    places = ", ".join("?" * len(columns))
    text = f'INSERT INTO "lead" ({listed(columns)}) VALUES ({places})'  # noqa: S608 - columns of ours
    await tx.run_many(text, map(copied, range(1, count)))
    if tx.dialect == "postgres":
        await tx.run("ANALYZE")  # as it does by itself within a minute
