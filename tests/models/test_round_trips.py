"""How often a use case waits for PostgreSQL, counted on the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import pytest

from models.actor import SYSTEM, Actor
from models.clock import SetClock
from models.members import load_actor
from models.postgres import PostgresStore
from models.record import Record
from models.stores import Schema
from models.tenant import Tenant, open_tenant
from tests.homes import homes_of
from tests.models.wire import Wire, wired
from tests.networks import SMALL
from tests.prepared import prepare
from workflows import commands
from workflows.unit import read

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

FORM = {"comment": "Bien", "next_call_at": "2026-03-05T10:00"}
GIVEN = {"first_name": "Paul", "last_name": "Roy", "phone": "06 39 98 00 01"}
MEMBER = {"first_name": "Lea", "last_name": "Roux", "email": "lea@exemple.fr", "language": "fr", "country": "FR"}


@dataclass
class Office:
    """A network behind a wire, a distributor, and leads without end."""

    tenant: Tenant
    wire: Wire
    actor: Actor
    numbers: count[int]

    async def lead(self) -> Record:
        given = GIVEN | {"email": f"p{next(self.numbers)}@exemple.fr"}
        return await commands.create(self.tenant, self.actor, "lead", given)

    async def quiet(self) -> int:
        """Return how many answers came until now, once the others were told of what was committed."""
        assert isinstance(self.tenant.store, PostgresStore)
        while (telling := self.tenant.store.database._telling) is not None:
            await telling
        return self.wire.trips


@pytest.fixture
async def office(postgres: str, tmp_path: Path, clock: SetClock) -> AsyncIterator[Office]:
    async with homes_of(tmp_path, postgres) as homes, wired(postgres) as wire:
        home = homes("small")
        assert isinstance(home, Schema)
        prepared = await prepare(home, "small", SMALL, clock)
        tenant = await open_tenant(replace(home, url=wire.url), "small", clock=clock, new_id=prepared.new_ids())
        member = await commands.create(tenant, SYSTEM, "member", MEMBER | {"active": True, "levels": ["distributor"]})
        actor = await tenant.store.read(lambda tx: load_actor(tenant.published, tx, member.id))
        assert actor is not None
        yield Office(tenant, wire, actor, count(1))
        await tenant.close()


async def creation(office: Office, _lead: Record) -> None:
    await office.lead()


async def change(office: Office, lead: Record) -> None:
    await commands.update(office.tenant, office.actor, "lead", lead.id, lead.version, {"city": "Lyon"})


async def step(office: Office, lead: Record) -> None:
    await commands.move(office.tenant, office.actor, "lead", lead.id, "lose")


async def step_that_starts_a_run(office: Office, lead: Record) -> None:
    """Take a step whose automation has one run at a time for each record: it asks for that alone with the key."""
    await commands.move(office.tenant, office.actor, "lead", lead.id, "call", form=FORM)


async def look(office: Office, lead: Record) -> None:
    await read(office.tenant, office.actor, lambda unit: unit.records.get("lead", lead.id))


@pytest.mark.parametrize(
    ("work", "trips"), [(look, 3), (creation, 5), (change, 6), (step, 6), (step_that_starts_a_run, 8)]
)
async def test_a_use_case_waits_this_often_and_no_more(
    office: Office, work: Callable[[Office, Record], Awaitable[None]], trips: int
) -> None:
    """`BEGIN`, what it reads, what it writes and `COMMIT`; then the word of it, which nobody waits for."""
    found = 0
    for _ in range(2):  # the first prepares the statements
        lead = await office.lead()
        before = await office.quiet()
        await work(office, lead)
        found = await office.quiet() - before
    assert found == trips
