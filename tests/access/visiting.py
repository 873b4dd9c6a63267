"""Acting in somebody's office beside the reference: what the records say there, one by one."""

from __future__ import annotations

from models import delegations
from models.query import Query
from models.record import Record
from models.tx import Tx
from tests.access.reference import Row
from tests.access.world import World

LENDER = "below"


async def rights(world: World) -> None:
    """Let somebody lend the levels that are asked about, and compare the records with what was lent."""
    delegation = await world.visit(LENDER, *world.person.levels)

    async def work(tx: Tx) -> None:
        office = await delegations.enter(world.tenant.published, tx, delegation, world.clock.now())
        assert office is not None
        records = world.opened(tx, office.actor)
        world.same(records.rights.administers, world.reference.administers(world.person), "administers")
        world.same(set(records.rights.functions), world.reference.functions(world.person), "functions")
        for entity in world.network.entities:
            page = await records.list(entity, Query(limit=200))
            found = {record.id: record for record in page.records}
            world.same(set(found), {row["id"] for row in world.shown(entity)}, "list", entity)
            for row in world.shown(entity):
                if row["id"] in found:
                    _record(world, row, found[row["id"]])

    await world.tenant.store.read(work)


def _record(world: World, row: Row, found: Record) -> None:
    """Compare what may be done with a record, and each of its fields."""
    asked, me, entity = world.reference, world.person, found.entity
    may = {each for each in ("update", "delete") if asked.may(me, entity, row, each)}
    world.same(set(found.may) - {"read"}, may, "may", entity, found.id)
    for name in world.network.entities[entity].fields:
        told = (name not in found.hidden, name in found.writable)
        said = (asked.visible(me, entity, row, name), asked.writable(me, entity, row, name))
        world.same(told, said, "reads, writes", entity, found.id, name)
