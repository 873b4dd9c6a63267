"""A read that began on the tables of one version finds those of the next, or what it read before: never an error."""

from __future__ import annotations

import asyncio
import threading

import pytest

from models.tenant import Tenant
from models.tx import Tx
from tests.models.rows import insert
from tests.networks import SMALL, edited

pytestmark = pytest.mark.anyio

TOWN = edited(SMALL, ("  city: {type: text}\n", "  town: {type: text, was: city}\n"))


@pytest.mark.parametrize("homes", ["sqlite"], indirect=True)  # elsewhere a publication waits for those who read
async def test_a_read_that_took_the_version_just_before_is_done_again(tenant: Tenant) -> None:
    await insert(tenant, "company", name="Alba", city="Lyon")
    took, published = threading.Event(), threading.Event()
    columns: list[str] = []

    def waits() -> bool:
        took.set()
        return published.wait(20)

    async def read(tx: Tx) -> object:
        fields = tenant.published.tables["company"].columns
        columns.append("city" if "city" in fields else "town")
        assert await tx.aside(waits)
        return await tx.rows(f'SELECT "{columns[-1]}" || "" FROM "company" WHERE "{columns[-1]}" = ?', ["Lyon"])  # noqa: S608 - names of the test

    reading = asyncio.create_task(tenant.store.read(read))
    assert await asyncio.to_thread(took.wait, 20)
    await tenant.publish(TOWN)
    published.set()
    found = await reading
    assert columns[0] == "city"
    assert [tuple(row) for row in found] == [("Lyon",)]  # type: ignore[attr-defined] # the rows


@pytest.mark.parametrize("homes", ["sqlite"], indirect=True)  # the same
async def test_a_read_that_fails_for_another_reason_is_not_done_again(tenant: Tenant) -> None:
    tries = []

    async def read(tx: Tx) -> object:
        tries.append(1)
        return await tx.rows('SELECT "nothing_of_the_kind" || 1 FROM "company" WHERE [none] = 1')

    with pytest.raises(Exception, match="no such column"):
        await tenant.store.read(read)
    assert tries == [1]


async def test_reads_that_run_through_many_publications_never_fail(tenant: Tenant) -> None:
    await insert(tenant, "company", name="Alba", city="Lyon")
    stop, done = asyncio.Event(), []

    async def reader() -> None:
        while not stop.is_set():
            done.append(await tenant.store.read(cities))

    async def cities(tx: Tx) -> list[str]:
        if len(done) % 2:
            await tx.aside(lambda: None)  # on SQLite: not between two turns of the loop, but on a thread beside it
        table = tenant.published.tables["company"]
        name = "city" if "city" in table.columns else "town"
        rows = await tx.rows(f'SELECT c."{name}" FROM {table.quoted} c WHERE c."{name}" IS NOT NULL')  # noqa: S608 - names of the test
        return [row[0] for row in rows]

    readers = [asyncio.create_task(reader()) for _ in range(4)]
    back = edited(TOWN, ("  town: {type: text, was: city}\n", "  city: {type: text, was: town}\n"))
    for turn in range(12):
        await tenant.publish(TOWN if turn % 2 == 0 else back)
    stop.set()
    await asyncio.gather(*readers)
    assert len(done) > 12
    assert all(found == ["Lyon"] for found in done)
