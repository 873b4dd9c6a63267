"""Behind a pooler that lends connections for a transaction: the same promises, and nothing that outlives one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg  # type: ignore[import-untyped] # it has no types
import pytest

from models.database import Database
from models.store import StoreUnreachableError
from models.stores import Schemas, exists, home_of, names_in, remove_store, rename_store
from models.tenant import Tenant, create_tenant, open_tenant
from models.tx import Tx
from tests.homes import homes_of
from tests.models.rows import insert, records, select
from tests.networks import SMALL, edited
from tests.poolers import pooled

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

SIZE = 3
CITY = "  city:         {type: text, personal: contact}\n"
LEFT = """SELECT (SELECT count(*) FROM pg_prepared_statements WHERE name <> ''), (SELECT count(*) FROM pg_locks
  WHERE locktype = 'advisory' AND pid = pg_backend_pid()), (SELECT count(*) FROM pg_listening_channels()),
  current_setting('search_path'), current_setting('lock_timeout')"""


@pytest.fixture
async def homes(postgres: str, tmp_path: Path) -> AsyncIterator[Schemas]:
    """Homes in the database behind a pooler."""
    async with homes_of(tmp_path, postgres) as direct, pooled(postgres, SIZE) as address:
        yield Schemas(address, direct.prefix)


@pytest.fixture
async def here(homes: Schemas) -> AsyncIterator[Tenant]:
    """A network there."""
    made = await create_tenant(home_of(homes, "small"), "small", files=SMALL)
    yield made
    await made.close()


async def lead(tenant: Tenant, name: str) -> str:
    return await insert(tenant, "lead", first_name="Paul", last_name=name, country="FR", calls=0)


async def call_all(tenant: Tenant) -> None:
    """Read, then write: of two at once one begins anew, and is alone with it in the end."""

    async def work(tx: Tx) -> None:
        row = await tx.row('SELECT "id", "calls" FROM "lead"')
        assert row is not None
        await tx.run('UPDATE "lead" SET "calls" = ? WHERE "id" = ?', [row[1] + 1, row[0]])

    await tenant.store.write(work)


async def test_two_processes_share_a_network_behind_a_pooler(homes: Schemas, here: Tenant) -> None:
    there = await open_tenant(home_of(homes, "small"), "small")
    await lead(here, "Roy")
    await asyncio.gather(*(call_all(each) for each in (here, there) for _ in range(15)))
    assert [each["calls"] for each in await records(there, "lead")] == [30]
    await here.publish(edited(SMALL, (CITY, CITY + "  job: {type: text}\n")))
    await call_all(there)
    assert [(each["calls"], each["job"]) for each in await records(there, "lead")] == [(31, None)]
    table = there.published.tables["lead"].table
    found = await asyncio.gather(*(table.select(table.id, table.created_at).run() for _ in range(2 * SIZE)))  # type: ignore[attr-defined] # made of the definitions
    assert len({str(each) for each in found}) == 1
    await there.close()


async def test_networks_are_listed_renamed_and_removed_behind_a_pooler(homes: Schemas, here: Tenant) -> None:
    await lead(here, "Roy")
    await here.close()
    old, new = home_of(homes, "small"), home_of(homes, "other")
    await rename_store(old, new)
    assert await names_in(homes) == ["other"]
    opened = await open_tenant(new, "other")
    assert len(await records(opened, "lead")) == 1
    await opened.close()
    await remove_store(new)
    assert not await exists(new)


async def test_word_of_commits_passes_a_pooler(homes: Schemas, here: Tenant, postgres: str) -> None:
    there = await open_tenant(home_of(homes, "small"), "small")
    heard = there.store.changed
    database = await Database.lease(homes.url)
    database.token = "of another process"
    while not await listens(postgres):
        await asyncio.to_thread(lambda: None)
    heard.clear()
    outside = Database(homes.url)
    outside._users = 1
    await outside._start()
    outside.tell(f"{homes.prefix}small")
    async with asyncio.timeout(20):
        await heard.wait()
    await outside.release()
    await database.release()
    await there.close()


async def listens(url: str) -> bool:
    connection = await asyncpg.connect(url)
    found = await connection.fetchval(
        "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_advisory_lock_shared%' AND state = 'idle'"
    )  # what is said last, behind LISTEN
    await connection.close()
    return found is not None


async def test_nothing_stays_on_the_connections_that_a_pooler_lends(homes: Schemas, here: Tenant) -> None:
    await lead(here, "Roy")
    await asyncio.gather(*(call_all(here) for _ in range(15)))
    async with asyncio.TaskGroup() as group:
        together = asyncio.Barrier(SIZE)
        seen = [group.create_task(left(homes, together)) for _ in range(SIZE)]
    assert {each.result() for each in seen} == {(0, 0, 0, '"$user", public', "0")}


async def left(homes: Schemas, together: asyncio.Barrier) -> tuple[object, ...]:
    """Look at what stands on a connection, while others hold all the others."""
    connection = await asyncpg.connect(homes.url.url, statement_cache_size=0)  # type: ignore[union-attr] # it is pooled
    async with connection.transaction():
        await connection.execute("SELECT 1")
        await together.wait()
        found = tuple(await connection.fetchrow(LEFT))
    await connection.close()
    return found


async def test_what_makes_commits_durable_is_said_in_each_transaction(here: Tenant) -> None:
    names = ("synchronous_commit", "jit", "lock_timeout", "TimeZone")
    asked = ", ".join(f"current_setting('{name}')" for name in names)
    sources = "SELECT DISTINCT source FROM pg_settings WHERE name IN ('synchronous_commit', 'jit', 'lock_timeout')"
    assert await select(here, f"SELECT {asked}") == [("on", "off", "30s", "UTC")]
    assert await select(here, sources) == [("session",)]


async def test_a_pooler_that_is_gone_is_a_database_that_cannot_be_reached(homes: Schemas, postgres: str) -> None:
    async with pooled(postgres) as address:
        elsewhere = Schemas(address, homes.prefix)
        made = await create_tenant(home_of(elsewhere, "small"), "small", files=SMALL)
    with pytest.raises(StoreUnreachableError):
        await records(made, "lead")
    await made.close()
