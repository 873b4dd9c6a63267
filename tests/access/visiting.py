"""Acting in somebody's office beside the reference: what the records say there, one by one, and what pages say when
it is not open."""

from __future__ import annotations

from collections.abc import Iterator

from admin.visiting import PAGES
from models.delegations import Kind
from models.query import Query
from models.record import Record
from models.tx import Tx
from tests.access.offices import acts, entered
from tests.access.reference import Row
from tests.access.world import NAME, When, World
from tests.admin.door_table import addresses, examples

LENDER = "below"


async def rights(world: World) -> None:
    """Let somebody lend the levels that are asked about, and compare the records with what was lent."""
    await world.visit(LENDER, *world.person.levels)
    await shown(world)


async def deeds(world: World) -> None:
    """Let somebody lend the levels that are asked about, and compare what can be done there."""
    await world.visit(LENDER, *world.person.levels)
    await acts(world)


async def assistance(world: World) -> None:
    """Let who runs the network assist a member with the levels that are asked about."""
    await world.visit(LENDER, *world.person.levels, kind="assistance")
    await shown(world)
    await acts(world)


async def shown(world: World) -> None:
    """Compare the records of the office that was entered."""
    actor = await entered(world)

    async def work(tx: Tx) -> None:
        records = world.opened(tx, actor)
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


async def before_its_day(world: World) -> None:
    """An office that opens tomorrow, entered today."""
    await _shut(world, "before")


async def after_its_end(world: World) -> None:
    """An office that was open until yesterday."""
    await _shut(world, "after")


async def taken_back(world: World) -> None:
    """An office that its member closed while somebody was there."""
    await _shut(world, "taken back")


async def _shut(world: World, when: When) -> None:
    """Every address of an office that is not open leads to the own one, and changes nothing on its way."""
    kinds: tuple[Kind, ...] = ("given", "assistance")
    for kind in kinds:
        await world.visit(LENDER, *world.person.levels, when=when, kind=kind)
        before = world.reference.rows
        for method, path in _pages(world):
            answer = await world.page(method, path, {"text": "x"})
            told = (answer.status_code, answer.headers.get("location"))
            world.same(told, (303, f"/n/{NAME}/"), kind, when, method, path)
        await world.refresh()
        world.same(world.reference.rows, before, kind, when, "changes")


def _pages(world: World) -> Iterator[tuple[str, str]]:
    """Yield every address of an office, for one of the records that could be read there."""
    row = next(iter(world.shown("file")), world.rows("file")[0])
    given = {"entity": "file", "id": row["id"], "process": "work", "transition": "start", "field": "note"}
    for each in addresses(world.app):
        if each.path.partition("/")[0] in PAGES:
            yield each.method, each.filled(**examples(**given))
