"""Upkeep of a network's outbox: mending what a clock left behind that was put back, removing what nobody needs."""

from __future__ import annotations

from datetime import datetime, timedelta

from models import delegations, pending, sessions, tries, uploads
from models.actor import SYSTEM
from models.house_rules import KEPT_RUNS, months_kept
from models.tenant import Tenant
from models.tx import Tx
from workflows import auditing, inlets, jobs, outbox, retention, schedules, traces
from workflows.outbox import LEASE, LONGEST
from workflows.stored import moment, must_moment
from workflows.unit import Unit, write

KEPT = timedelta(days=30)
"""So long rows stay that are done or cancelled; dead ones stay until somebody looks at them."""

EVERY = timedelta(hours=1)
"""The time between two purges."""

SLACK = timedelta(minutes=1)
"""Clocks are put right by so much all the time: no reason to mend anything."""

RUNS = 100
"""So many runs are forgotten with one transaction: each may have many steps."""
_BATCH = 500
_OLD = """
SELECT "id" FROM "_outbox" WHERE "state" IN ('done', 'cancelled') AND "done_at" < ?
AND ("kind" NOT IN ('arm', 'version', 'due')
  OR "kind" = 'due' AND substr("unique_key", length("unique_key") - 31) < ?)
LIMIT ?
"""
"""Keys that could be asked for again stay: those of versions, and of reminders for dates that are still to come."""

_OUTLIVED: tuple[tuple[str, timedelta, str], ...] = (
    ("_notice", timedelta(days=90), """SELECT "id" FROM "_notice" WHERE "read_at" < ? LIMIT ?"""),
    ("_notice", timedelta(days=365), """SELECT "id" FROM "_notice" WHERE "at" < ? LIMIT ?"""),
    (
        "_document",
        KEPT,
        """SELECT d."id" FROM "_document" d LEFT JOIN "_run" r ON r."id" = d."run" WHERE d."at" < ?
        AND (r."id" IS NULL OR r."state" NOT IN ('running', 'waiting', 'failed')) ORDER BY d."at" LIMIT ?""",
    ),
)
"""So long notifications stay that were read, those that nobody read, and documents of runs that are over."""

_FREE = """UPDATE "_outbox" SET "lease_until" = NULL, "worker" = NULL WHERE "state" = 'ready' AND "lease_until" > ?"""
_AHEAD = """
SELECT "id", "run_at", "created_at" FROM "_outbox" WHERE "state" = 'ready' AND "created_at" > ?
AND "kind" NOT IN ('stays', 'due', 'every', 'answers', 'token')
"""
"""All but what waits for a moment of its own, whenever it was asked for."""
_BRING = 'UPDATE "_outbox" SET "run_at" = ?, "created_at" = ? WHERE "id" = ?'
_RETRY = """UPDATE "_outbox" SET "run_at" = ? WHERE "state" = 'ready' AND "attempts" > 0 AND "run_at" > ?"""


async def mend(tenant: Tenant) -> None:
    """Bring back within reach what was put off while the clock was ahead; nothing else is touched.

    Leases and pauses longer than there are end now, work waits from now on for as long as it was to wait, and every
    schedule has its next tick.
    """
    await write(tenant, SYSTEM, _mend)


async def _mend(unit: Unit) -> None:
    now, tx = unit.now, unit.tx
    await outbox.sort_in(tx)
    await tx.run(_FREE, [moment(now + 2 * LEASE)])
    for row, run_at, created_at in await tx.rows(_AHEAD, [moment(now + SLACK)]):
        pause = must_moment(run_at) - must_moment(created_at)
        await tx.run(_BRING, [moment(now + pause), moment(now), row])
    await tx.run(_RETRY, [moment(now), moment(now + 2 * LONGEST)])
    await schedules.mend(unit, SLACK)


async def purge(tenant: Tenant) -> int:
    """Remove outbox rows and jobs that are over since `KEPT`, runs as the network says; return how many rows went.

    Dead sessions go too, links and sign-ins that nobody can go on with, and internet addresses after a year.
    """
    now = tenant.clock.now()
    await tenant.store.write(lambda tx: _forget(tx, now))
    if await tenant.store.read(lambda tx: tries.keeps_old_addresses(tx, now)):
        await tenant.store.write(lambda tx: tries.forget_addresses(tx, now))
    await tenant.store.write(lambda tx: jobs.purge(tx, now - KEPT))
    await _forget_outlived(tenant, now)
    await uploads.collect(tenant)
    await auditing.purge(tenant)
    await _forget_runs(tenant, now)
    await retention.begin(tenant)
    removed = 0
    while True:
        gone = await tenant.store.read(lambda tx: _old(tx, now))
        if not gone:
            return removed
        await tenant.store.write(lambda tx, gone=gone: tx.run_many('DELETE FROM "_outbox" WHERE "id" = ?', gone))  # type: ignore[misc] # the default binds the round's rows
        removed += len(gone)


async def _forget_outlived(tenant: Tenant, now: datetime) -> None:
    """Forget the notifications and documents that are of no use any more; their files go when nothing names them."""
    for table, age, select in _OUTLIVED:
        delete = f'DELETE FROM "{table}" WHERE "id" = ?'  # noqa: S608 - a table of ours
        values = [moment(now - age), _BATCH]
        while old := await tenant.store.read(lambda tx, select=select, values=values: tx.rows(select, values)):  # type: ignore[misc] # the default binds the round's statement
            gone = [(row[0],) for row in old]
            await tenant.store.write(lambda tx, delete=delete, gone=gone: tx.run_many(delete, gone))  # type: ignore[misc] # the same


async def _forget_runs(tenant: Tenant, now: datetime) -> None:
    """Forget the runs that are over for longer than the network keeps them."""
    kept = await tenant.store.read(months_kept)
    before = now - kept[KEPT_RUNS] * auditing.MONTH
    while old := await tenant.store.read(lambda tx: traces.over(tx, before, RUNS)):
        await tenant.store.write(lambda tx, old=old: traces.forget(tx, old))  # type: ignore[misc] # the default binds the round's runs


async def _forget(tx: Tx, now: datetime) -> None:
    await sessions.purge(tx, now)
    await pending.purge(tx, now)
    await tries.purge(tx, now)
    await delegations.purge(tx, now)
    await inlets.purge(tx, now)


async def _old(tx: Tx, now: datetime) -> list[tuple[str]]:
    before = moment(now - KEPT)
    return [(row[0],) for row in await tx.rows(_OLD, [before, before, _BATCH])]
