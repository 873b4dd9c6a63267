"""A process that claims what is due in a network on PostgreSQL and is then killed: run by `test_orphans.py`."""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime

from models.clock import SetClock
from models.stores import Schema
from models.tenant import open_tenant
from workflows import outbox


async def live(url: str, schema: str, at: str) -> None:
    """Claim everything, say so, and go on until killed."""
    tenant = await open_tenant(Schema(url, schema), "small", clock=SetClock(datetime.fromisoformat(at)))
    await tenant.changed.wait()  # it listens: others see that it lives
    token = outbox.token_of(tenant, "vanishing")
    now = tenant.clock.now()
    rows = await tenant.store.write(lambda tx: outbox.claim(tx, worker=token, now=now, limit=10), claim=True)
    sys.stdout.write(f"{len(rows)}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(live(*sys.argv[1:4]))
