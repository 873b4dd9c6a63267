"""A process that makes a change in a network and is then killed: run by `test_kill.py`."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from models.actor import SYSTEM
from models.clock import SetClock
from models.members import load_actor
from models.tenant import create_tenant
from tests.networks import SMALL
from workflows import commands
from workflows.mail import SmtpTransport
from workflows.worker import Worker

START = datetime(2026, 3, 2, 11, 0, tzinfo=UTC)


async def live(path: Path, url: str) -> None:
    """Move a lead, say so, then send its mail over `url` when there is one, and go on until killed."""
    clock = SetClock(START)
    tenant = await create_tenant(path, "small", files=SMALL, clock=clock)
    person = {"first_name": "Lea", "last_name": "Roux", "email": "lea@exemple.fr", "country": "FR", "active": True}
    member = await commands.create(tenant, SYSTEM, "member", {**person, "levels": ["distributor"]})
    lea = await tenant.store.read(lambda tx: load_actor(tenant.published, tx, member.id))
    assert lea is not None
    given = {"first_name": "Paul", "last_name": "Roy", "email": "paul@exemple.fr", "phone": "06 39 98 00 01"}
    lead = await commands.create(tenant, lea, "lead", given)
    await commands.move(tenant, lea, "lead", lead.id, "call", form={"next_call_at": "2026-03-05T10:00"})
    sys.stdout.write("committed\n")
    sys.stdout.flush()
    if url:
        clock.forward(timedelta(minutes=10))
        await Worker(tenant, SmtpTransport(url)).run_due()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(live(Path(sys.argv[1]), sys.argv[2]))
