"""What a test does to a network that was prepared for it, the next test does not find."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from models.clock import SetClock
from models.tenant import Tenant, open_tenant
from models.tx import Row, Tx
from tests.homes import Homes, homes_of
from tests.models.office import OFFICE, hire
from tests.networks import changed
from tests.prepared import prepare

pytestmark = pytest.mark.anyio

ADDED = "entity: town\ntitle: '{{ record.name }}'\nfields:\n  name: {type: text}\n"
LOOKS = count()
"""Makes the statement of each look another one: one that was prepared would not see new columns."""
TABLES = {"sqlite": ("sqlite_master", "name"), "postgres": ("pg_tables", "tablename")}
CHANGES = (
    """UPDATE "member" SET "first_name" = 'Zoe'""",
    """DELETE FROM "member" WHERE "sponsor" IS NOT NULL""",
    """INSERT INTO "_setting" ("name", "value", "changed_at") VALUES ('x', '1', '2026-03-02 11:00:00.000000+00:00')""",
    """DELETE FROM "_definition\"""",
    """ALTER TABLE "member" ADD COLUMN "extra" TEXT""",
    """DROP TABLE "_setting\"""",
    """CREATE TABLE "extra" ("id" TEXT)""",
    """CREATE INDEX "extra" ON "_setting" ("value")""",
)


async def open_office(homes: Homes, clock: SetClock) -> Tenant:
    prepared = await prepare(homes("office"), "office", OFFICE, clock, hire)
    return await open_tenant(homes("office"), "office", clock=clock, new_id=prepared.new_ids())


async def seen(tenant: Tenant) -> dict[str, list[Row]]:
    """Return every row of every table, in the order in which the database has them."""
    table, column = TABLES[tenant.store.dialect]
    where = "type = 'table'" if tenant.store.dialect == "sqlite" else "schemaname = current_schema()"

    async def work(tx: Tx) -> dict[str, list[Row]]:
        found = await tx.rows(f"SELECT {column} FROM {table} WHERE {where} ORDER BY 1")  # noqa: S608 - names of this file
        names = [name for (name,) in found if name != "_lock"]
        return {name: await tx.rows(f'SELECT * FROM "{name}" -- {next(LOOKS)}') for name in names}  # noqa: S608 - the same

    return await tenant.store.read(work, any_version=True)


@pytest.mark.parametrize("change", CHANGES)
async def test_the_next_test_finds_it_as_it_was_made(
    homes: Homes, tmp_path: Path, clock: SetClock, change: str
) -> None:
    tenant = await open_office(homes, clock)
    first = await seen(tenant)
    await tenant.close()
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        async with homes_of(tmp_path / folder, homes.url) as others:
            tenant = await open_office(others, clock)
            assert await seen(tenant) == first

            async def work(tx: Tx) -> None:
                await tx.run(change)

            await tenant.store.write(work, schema=True)
            assert await seen(tenant) != first or "INDEX" in change
            await tenant.close()


async def test_it_is_as_it_was_after_a_publication_too(homes: Homes, tmp_path: Path, clock: SetClock) -> None:
    (tmp_path / "one").mkdir()
    async with homes_of(tmp_path / "one", homes.url) as others:
        tenant = await open_office(others, clock)
        first = await seen(tenant)
        await tenant.publish(changed(OFFICE, towns=ADDED))
        assert await seen(tenant) != first
        await tenant.close()
    tenant = await open_office(homes, clock)
    assert await seen(tenant) == first
    assert tenant.published.version == 1
    await tenant.close()


async def test_ids_go_on_where_the_making_of_the_network_ended(homes: Homes, clock: SetClock) -> None:
    prepared = await prepare(homes("office"), "office", OFFICE, clock, hire)
    assert prepared.used >= len(prepared.made)
    assert prepared.new_ids()() > max(prepared.made.values())
