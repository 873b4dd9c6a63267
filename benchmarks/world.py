"""The network that is measured: one distributor with many leads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from models.accounts import SignedIn, sign_in, store_password
from models.actor import SYSTEM, Actor
from models.ddl import listed, quoted
from models.members import load_actor
from models.passwords import hash_password
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
  email: {type: email}
  phone: {type: phone}
  country: {type: country, default: FR}
  next_call_at: {type: datetime, index: true}
  calls: {type: integer, default: 0}
search: [first_name, last_name, email]
---
process: recruiting
entity: lead
label: {fr: Recrutement}
states:
  new: {label: {fr: Nouveau}, initial: true}
  contacted: {label: {fr: Contacté}}
transitions:
  call:
    label: {fr: Appeler}
    from: any
    to: contacted
    by: [distributor]
    guard: has(record.phone)
    form: {comment: {type: long_text, label: {fr: Commentaire}}, next_call_at: {field: next_call_at, required: true}}
    set: {calls: =record.calls + 1}
  back: {label: {fr: Revenir}, from: contacted, to: new, by: [distributor]}
---
level: distributor
label: {fr: Distributeur}
entities:
  lead: {read: mine, create: true, update: mine, delete: mine}
  member: {read: downline}
---
automation: later
label: {fr: Plus tard}
when: {moved: recruiting.call}
if: record.country == "FR"
key: =record.id
mode: parallel
do: [{stop: true}]
""",
    "screen.yaml": """
screen: leads
entity: lead
list: {columns: [first_name, last_name, email, country, recruiting, next_call_at], sort: -created_at}
""",
}
"""A network with one owned entity, a process with guard, form and `set`, and an automation that each call starts."""

VARIED = {
    "id": "'00000000-0000-7000-8000-' || printf('%012d', n)",
    "created_at": "strftime('%Y-%m-%d %H:%M:%S.000000+00:00', 1767225600 + (n * 7919) % 31000000, 'unixepoch')",
    "last_name": "'Roy' || (n * 7919) % 100000",
    "_fold_last_name": "'roy' || (n * 7919) % 100000",
    "country": "CASE n % 4 WHEN 0 THEN 'BE' ELSE 'FR' END",
    "recruiting": "CASE n % 3 WHEN 0 THEN 'contacted' ELSE 'new' END",
}
"""How a copied lead differs from the first: enough for filters and orders to have work."""


@dataclass(frozen=True, slots=True)
class World:
    """The network, who works in it and with which session, and the ids of the leads."""

    tenant: Tenant
    actor: Actor
    token: str
    csrf: str
    leads: list[str]


async def furnish(folder: Path, count: int) -> World:
    """Make the network with `count` leads."""
    tenant = await create_tenant(folder / f"{NAME}.sqlite", NAME, files=PACK)
    person = {"first_name": "Lea", "last_name": "Roux", "email": "lea@exemple.fr", "active": True}
    member = await commands.create(tenant, SYSTEM, "member", {**person, "levels": ["distributor"]})
    hashed = await hash_password(PASSWORD)
    await tenant.store.write(lambda tx: store_password(tx, member.id, hashed, tenant.clock.now()))
    actor = await tenant.store.read(lambda tx: load_actor(tenant.published, tx, member.id))
    entered = await sign_in(tenant, "lea@exemple.fr", PASSWORD, ip=None)
    if actor is None or not isinstance(entered, SignedIn):
        raise LookupError("the distributor")
    given = {"first_name": "Paul", "last_name": "Roy", "email": "paul@exemple.fr", "phone": "+33639980001"}
    await commands.create(tenant, actor, "lead", given)
    await tenant.store.write(lambda tx: _copy(tx, count))
    rows = await tenant.store.read(lambda tx: tx.rows('SELECT "id" FROM "lead" WHERE "recruiting" = \'new\''))
    return World(tenant, actor, entered.token, entered.session.csrf, [row[0] for row in rows])


async def _copy(tx: Tx, count: int) -> None:
    columns = [row[0] for row in await tx.rows("SELECT name FROM pragma_table_info('lead')")]
    values = ", ".join(VARIED.get(name, quoted(name)) for name in columns)
    await tx.run(
        f'INSERT INTO "lead" ({listed(columns)}) '  # noqa: S608 - columns of ours
        f"WITH RECURSIVE each(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM each WHERE n < ?) "
        f'SELECT {values} FROM (SELECT * FROM "lead" LIMIT 1), each',
        [count - 1],
    )
