"""What happens besides changes of records, kept in the audit; how long its rows stay; and who sealed it when."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from models import audit, chain
from models.actor import Actor
from models.audit import Event, Kind, Scope
from models.house_rules import KEPT_CHANGES, KEPT_READS, months_kept
from models.secrets import CLOSED
from models.tenant import Tenant
from models.tx import Tx
from workflows.stored import moment
from workflows.unit import Unit

ADDRESSES_KEPT = timedelta(days=365)
"""So long an IP address stays in the audit."""
BATCH = 1000
MONTH = timedelta(days=365) / 12

_ADDRESSES = """UPDATE "_audit" SET "ip" = NULL, "salt" = NULL WHERE "id" IN
(SELECT "id" FROM "_audit" WHERE "at" < ? AND "ip" IS NOT NULL ORDER BY "at" LIMIT ?)"""
_OLD = """SELECT "id" FROM "_audit" WHERE "scope" = ? AND "at" < ? AND "kind" <> 'purged' AND "seq" IS NOT NULL
ORDER BY "at" LIMIT ?"""


async def note(unit: Unit, kind: Kind, detail: str = "", *, member: str | None = None) -> None:
    """Keep what a member or the system does, in the transaction in which it is done; `member` is whom it concerns."""
    entity = None if member is None else "member"
    owners = () if member in (None, unit.actor.id) else (str(member),)
    event = Event(kind, unit.now, unit.actor, entity, member, owners=owners, detail=detail[:1000])
    await audit.keep(unit.tx, unit.new_id(), event)


def seen(unit: Unit, kind: Kind, entity: str, owners: Mapping[str, Collection[str]], detail: str = "") -> None:
    """Note that somebody sees what is kept about records, by id with the members whose data it is; the own is left out.

    Like other readings it is written soon.
    """
    readings, actor = unit.published.readings, unit.actor
    own = None if actor.through is not None else actor.id
    others = {record: members for record, members in owners.items() if own is None or set(members) - {own}}
    if readings is None or actor.kind == "system" or not others:
        return
    ids, members = tuple(others), sorted({each for some in others.values() for each in some} - {own})
    record = ids[0] if len(ids) == 1 else None
    event = Event(kind, unit.now, actor, entity, record, records=ids, total=len(ids), detail=detail)
    readings.take(replace(event, owners=tuple(str(each) for each in members)))


async def note_apart(tenant: Tenant, event: Event) -> None:
    """Keep something in a transaction of its own: before it is done, where it has none."""
    await tenant.store.write(lambda tx: audit.keep(tx, tenant.new_id(), event))


async def granted(tenant: Tenant, actor: Actor, entity: str, query: str, total: int | None = None) -> None:
    """Keep that somebody may take records away as a file; nothing leaves before this is committed."""
    event = Event("export", tenant.clock.now(), actor, entity, total=total, detail=query)
    await note_apart(tenant, event)


async def archived(tenant: Tenant, actor: Actor) -> None:
    """Keep that somebody takes the whole network away."""
    await note_apart(tenant, audit.about_all(Event("archived", tenant.clock.now(), actor)))


async def imported(tenant: Tenant, source: str) -> None:
    """Keep that the network was made out of an archive: what comes before was sealed elsewhere."""
    await note_apart(tenant, Event("imported", tenant.clock.now(), audit.OPERATOR, detail=source))


async def commanded(tenant: Tenant, command: str, record: str | None = None, *, everybody: bool = False) -> None:
    """Keep that an operator uses a command; `everybody` when it touches the data of all."""
    entity = None if record is None else "member"
    event = Event("command", tenant.clock.now(), audit.OPERATOR, entity, record, detail=command)
    if record is not None:
        event = replace(event, owners=(record,))
    await note_apart(tenant, audit.about_all(event) if everybody else event)


async def seal(tenant: Tenant) -> int:
    """Seal what waits; where nobody gave the installation's secret, a server that has it does so later."""
    return 0 if tenant.vault is CLOSED else await chain.seal(tenant.store, tenant.vault)


async def purge(tenant: Tenant) -> int:
    """Remove what was kept long enough, and addresses after a year; return how many rows went.

    That rows go is sealed before they do: the chain itself says what it lacks.
    """
    now = tenant.clock.now()
    before = moment(now - ADDRESSES_KEPT)
    while await tenant.store.write(lambda tx: tx.run(_ADDRESSES, [before, BATCH])):
        pass
    if tenant.vault is CLOSED:
        return 0
    kept = await tenant.store.read(months_kept)
    return sum(
        [
            await _purge(tenant, "reads", now - kept[KEPT_READS] * MONTH),
            await _purge(tenant, "changes", now - kept[KEPT_CHANGES] * MONTH),
        ]
    )


async def _purge(tenant: Tenant, scope: Scope, before: datetime) -> int:
    values = [scope, moment(before), BATCH]
    removed = 0
    old = await tenant.store.read(lambda tx: tx.rows(_OLD, values))
    if old:
        event = Event("purged", tenant.clock.now(), audit.OPERATOR, scope, detail=str(moment(before)))
        await note_apart(tenant, replace(event, actor=replace(audit.OPERATOR, entry=None)))
        await seal(tenant)
    while old:
        ids = [(row[0],) for row in old]
        await tenant.store.write(lambda tx, ids=ids: _remove(tx, ids))  # type: ignore[misc] # the default binds the round's rows
        removed += len(ids)
        old = await tenant.store.read(lambda tx: tx.rows(_OLD, values))
    return removed


async def _remove(tx: Tx, ids: list[tuple[str]]) -> None:
    await tx.run_many('DELETE FROM "_audit" WHERE "id" = ?', ids)
    await tx.run_many('DELETE FROM "_audit_of" WHERE "audit" = ?', ids)
