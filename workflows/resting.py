"""When a network can be left alone: what is under way in it, what is due next, and what is done before."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from models.tenant import Tenant
from models.tx import Tx
from workflows import auditing, outbox
from workflows.outbox import Kind
from workflows.stored import moment

_UNDER_WAY = """SELECT 1 FROM "_outbox" WHERE "state" = 'ready' AND "lease_until" > ? LIMIT 1"""


async def next_work(tenant: Tenant, kinds: Iterable[Kind]) -> datetime | None:
    """Return when there is more to do of these kinds: now while some of it is under way; None when there is nothing."""
    now = tenant.clock.now()

    async def work(tx: Tx) -> datetime | None:
        if await tx.row(_UNDER_WAY, [moment(now)]) is not None:
            return now
        return await outbox.next_due(tx, kinds)

    return await tenant.store.read(work)


async def settle(tenant: Tenant) -> None:
    """Write down who read what, and seal the audit: what a worker does every few seconds, and nobody does meanwhile."""
    await tenant.readings.flush()
    await auditing.seal(tenant)
