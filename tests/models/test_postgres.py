"""The store on PostgreSQL: work of many processes at once, as if each were alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped] # it has no types
import pytest

from models.database import SETTINGS, Database, moment
from models.postgres import TRIES, PostgresStore
from models.postgres_tx import numbered, touched
from models.schemas import drop_schema, has_schema, open_schema, schemas
from models.store import (
    ConstraintError,
    StaleError,
    StoreClosedError,
    StoreError,
    StoreUnreachableError,
    WorkError,
)
from models.stores import Schema, Schemas, home_of
from models.tenant import create_tenant, open_tenant
from models.tenants import Tenants
from models.tx import Tx
from tests.homes import Homes, homes_of, schema_of
from tests.models.rows import insert, records, select
from tests.networks import SMALL, edited

pytestmark = pytest.mark.anyio

CITY = "  city:         {type: text, personal: contact}\n"


@pytest.fixture
async def homes(postgres: str, tmp_path: Path) -> AsyncIterator[Homes]:
    """Homes in the database alone: what is tested here is none of SQLite's business."""
    async with homes_of(tmp_path, postgres) as found:
        yield found


@pytest.fixture
async def store(homes: Homes) -> AsyncIterator[PostgresStore]:
    async def tables(tx: Tx) -> None:
        await tx.run("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, n BIGINT, UNIQUE (name))")
        await tx.run("CREATE TABLE child (parent INTEGER REFERENCES t (id))")

    async with schema_of(homes) as opened:
        await opened.write(tables, schema=True)
        yield opened


async def put(store: PostgresStore, id: int, name: str, n: int = 0) -> None:
    await store.write(lambda tx: tx.run("INSERT INTO t VALUES (?, ?, ?)", [id, name, n]))


async def number(store: PostgresStore, id: int = 1) -> int:
    row = await store.read(lambda tx: tx.row("SELECT n FROM t WHERE id = ?", [id]))
    assert row is not None
    return int(row[0])


async def test_changes_of_what_was_read_are_never_lost(store: PostgresStore) -> None:
    await put(store, 1, "one")
    begun: list[int] = []

    async def add(tx: Tx) -> None:
        begun.append(1)
        row = await tx.row("SELECT n FROM t WHERE id = 1")
        assert row is not None
        await tx.run("UPDATE t SET n = ? WHERE id = 1", [row[0] + 1])

    await asyncio.gather(*(store.write(add) for _ in range(40)))
    assert await number(store) == 40
    assert len(begun) > 40, "some collided, and began anew"


async def test_who_holds_a_lock_sees_what_every_earlier_holder_did(store: PostgresStore) -> None:
    async def only_one(tx: Tx) -> bool:
        await tx.lock("the one")
        if await tx.row("SELECT 1 FROM t"):
            return False
        await tx.run("INSERT INTO t VALUES (1, 'one', 0)")
        return True

    taken = await asyncio.gather(*(store.write(only_one) for _ in range(20)))
    assert sorted(taken) == [False] * 19 + [True]


async def test_a_collision_that_the_work_overlooks_is_none_the_less_one(store: PostgresStore) -> None:
    await put(store, 1, "one")
    first, tries = asyncio.Event(), []

    async def slow(tx: Tx) -> None:
        row = await tx.row("SELECT n FROM t WHERE id = 1")
        tries.append(row)
        if len(tries) == 1:
            first.set()
            await second
        try:
            await tx.run("UPDATE t SET n = ? WHERE id = 1", [(row or (0,))[0] + 1])
        except Exception:  # noqa: BLE001 - this is what is overlooked
            return

    async def meanwhile() -> None:
        await first.wait()
        await store.write(lambda tx: tx.run("UPDATE t SET n = 10 WHERE id = 1"))

    second = asyncio.ensure_future(meanwhile())
    await store.write(slow)
    assert (await number(store), len(tries)) == (11, 2)


async def test_work_that_collides_for_ever_is_an_error(store: PostgresStore) -> None:
    await put(store, 1, "one")
    tries: list[int] = []

    async def never(tx: Tx) -> None:
        tries.append(1)
        await tx.row("SELECT 1 FROM t")
        connection = await asyncpg.connect(store.database.url, server_settings=SETTINGS)
        await connection.execute(f'UPDATE "{store.schema}".t SET n = n + 1')  # noqa: S608 - a name of the test
        await connection.close()
        await tx.run("UPDATE t SET n = 0")

    with pytest.raises(StoreError, match=f"collided with others {TRIES} times"):
        await store.write(never)
    assert len(tries) == TRIES
    assert await number(store) == TRIES


async def test_a_value_that_somebody_took_meanwhile_is_seen_by_the_second_try(store: PostgresStore) -> None:
    said: list[str] = []

    async def name(tx: Tx) -> str:
        if await tx.row("SELECT 1 FROM t WHERE name = 'Alba'"):
            said.append("taken")
            return "taken"
        if not said:
            said.append("free")
            await put_outside(store)
        await tx.run("INSERT INTO t VALUES (1, 'Alba', 0)")
        return "mine"

    assert await store.write(name) == "taken"
    assert said == ["free", "taken"]
    with pytest.raises(ConstraintError, match="t_name_key"):
        await put(store, 3, "Alba")
    with pytest.raises(ConstraintError):
        await store.write(lambda tx: tx.run("INSERT INTO child VALUES (99)"))


async def put_outside(store: PostgresStore) -> None:
    """Insert as another process would."""
    connection = await asyncpg.connect(store.database.url, server_settings=SETTINGS)
    await connection.execute(f"""INSERT INTO "{store.schema}".t VALUES (2, 'Alba', 0)""")  # noqa: S608 - the same
    await connection.close()


async def test_a_reader_sees_one_snapshot_and_cannot_write(store: PostgresStore) -> None:
    await put(store, 1, "one")

    async def twice(tx: Tx) -> list[Any]:
        before = await tx.rows("SELECT n FROM t")
        connection = await asyncpg.connect(store.database.url, server_settings=SETTINGS)
        await connection.execute(f'UPDATE "{store.schema}".t SET n = 7')  # noqa: S608 - a name of the test
        await connection.close()
        return [before, await tx.rows("SELECT n FROM t")]

    assert await store.read(twice) == [[(0,)], [(0,)]]
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await store.read(lambda tx: tx.run("DELETE FROM t"))


async def test_failing_work_is_undone_and_begun_work_ends(store: PostgresStore) -> None:
    async def fails(tx: Tx) -> None:
        await tx.run("INSERT INTO t VALUES (1, 'lost', 0)")
        raise LookupError("half way")

    with pytest.raises(LookupError):
        await store.write(fails)
    begun, go = asyncio.Event(), asyncio.Event()

    async def slow(tx: Tx) -> None:
        begun.set()
        await go.wait()
        await tx.run("INSERT INTO t VALUES (2, 'kept', 0)")

    caller = asyncio.ensure_future(store.write(slow))
    await begun.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    go.set()
    await store.close()
    with pytest.raises(StoreClosedError):
        await number(store)
    home = await open_schema(store.database.url, store.schema)
    assert await home.read(lambda tx: tx.rows("SELECT name FROM t")) == [("kept",)]
    await home.close()


async def test_work_neither_ends_its_transaction_nor_asks_for_another(store: PostgresStore) -> None:
    with pytest.raises(StoreError, match="ended the transaction"):
        await store.write(lambda tx: tx.run("COMMIT"))

    async def nested(tx: Tx) -> None:
        await put(store, 1, "one")

    with pytest.raises(WorkError, match="use the transaction that it has"):
        await store.write(nested)

    async def swallows(tx: Tx) -> None:
        try:
            await tx.run("INSERT INTO t VALUES ('no number', 'x', 0)")
        except asyncpg.PostgresError:
            return

    with pytest.raises(StoreError, match="a statement in it had failed"):
        await store.write(swallows)
    await put(store, 1, "one")


async def test_commits_of_other_processes_are_told(store: PostgresStore, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = store.changed
    heard.clear()
    await put(store, 1, "one")
    assert heard.is_set(), "its own at once"
    other = Database(store.database.url)
    other._users = 1
    await other._start()
    while not store.database._listening or not await listens(store.database.url):
        await asyncio.to_thread(lambda: None)
    heard.clear()
    other.tell("elsewhere")
    other.tell(store.schema)
    async with asyncio.timeout(20):
        await heard.wait()
    await other.release()


async def listens(url: str) -> bool:
    connection = await asyncpg.connect(url)
    last = "SELECT pg_advisory_lock_shared%"  # what is said behind LISTEN
    sql = "SELECT 1 FROM pg_stat_activity WHERE query LIKE $1 AND pid <> pg_backend_pid()"
    found = await connection.fetchval(sql, last)
    await connection.close()
    return found is not None


async def test_connections_that_are_cut_are_told_and_replaced(store: PostgresStore) -> None:
    await put(store, 1, "one")

    async def cut(tx: Tx) -> None:
        await tx.run("UPDATE t SET n = 5 WHERE id = 1")
        connection = await asyncpg.connect(store.database.url)
        pid = await tx.row("SELECT pg_backend_pid()")
        assert pid is not None
        await connection.execute("SELECT pg_terminate_backend($1)", pid[0])
        await connection.close()
        await tx.run("UPDATE t SET n = 6 WHERE id = 1")

    with pytest.raises(StoreUnreachableError):
        await store.write(cut)
    assert await number(store) == 0


async def test_a_database_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreUnreachableError, match="cannot be reached"):
        await open_schema(f"postgresql://nobody@/none?host={tmp_path}", "net")


async def test_schemas_are_made_found_and_listed(store: PostgresStore, homes: Homes) -> None:
    url = store.database.url
    assert store.schema in await schemas(url)
    assert await has_schema(url, store.schema)
    with pytest.raises(StoreError, match="already"):
        await open_schema(url, store.schema, create=True)
    with pytest.raises(LookupError):
        await open_schema(url, f"{homes.prefix}none")


@pytest.mark.parametrize("name", ["public", "pg_net", "a" * 64, "", "A", "a.b"])
async def test_names_that_a_schema_cannot_have_are_no_networks(name: str) -> None:
    with pytest.raises(LookupError):
        home_of(Schemas("postgresql://"), name)


@pytest.mark.parametrize(
    ("sql", "wanted"),
    [
        ("SELECT ?, ?", "SELECT $1, $2"),
        ("SELECT '?', \"a?\", ? LIKE ? ESCAPE '\\'", "SELECT '?', \"a?\", $1 LIKE $2 ESCAPE '\\'"),
        ("SELECT 'it''s ?' || ?", "SELECT 'it''s ?' || $1"),
    ],
)
async def test_places_are_numbered_outside_of_texts_and_names(sql: str, wanted: str) -> None:
    assert numbered(sql) == wanted


async def test_what_the_server_answers_is_read() -> None:
    assert [touched(status) for status in ("INSERT 0 3", "UPDATE 2", "DELETE 1", "SELECT 9", "BEGIN")] == [
        3,
        2,
        1,
        0,
        0,
    ]
    assert moment("2026-03-02 11:00:00+00") == "2026-03-02 11:00:00.000000+00:00"
    assert moment("2026-03-02 11:00:00.25+00") == "2026-03-02 11:00:00.250000+00:00"


async def test_a_version_that_another_process_published_is_taken_up(homes: Homes) -> None:
    here = await create_tenant(homes("small"), "small", files=SMALL)
    there = await open_tenant(homes("small"), "small")
    await here.publish(edited(SMALL, (CITY, CITY + "  job: {type: text}\n")))
    assert (here.published.version, there.published.version) == (2, 1)
    await insert_lead(there, job="baker")
    assert there.published.version == 2
    (lead,) = await records(here, "lead")
    assert lead["job"] == "baker"
    later = edited(SMALL, (CITY, ""))
    await asyncio.gather(here.publish(later, allow_loss=True), there.publish(SMALL, allow_loss=True))
    versions = await select(here, "SELECT version FROM _definition ORDER BY 1")
    assert versions == [(1,), (2,), (3,), (4,)]
    assert await select(there, "SELECT version FROM _definition ORDER BY 1") == versions
    assert here.published.version == there.published.version == 4
    await here.close()
    await there.close()


async def insert_lead(tenant: Any, **values: Any) -> None:
    """Insert a lead in the version that holds in the transaction."""

    async def work(tx: Tx) -> None:
        assert values.keys() <= set(tenant.published.tables["lead"].columns)

    await tenant.store.write(work)
    await insert(tenant, "lead", first_name="A", last_name="B", country="FR", calls=0, **values)


async def test_what_was_prepared_for_an_older_version_is_refused(homes: Homes) -> None:
    here = await create_tenant(homes("small"), "small", files=SMALL)
    there = await open_tenant(homes("small"), "small")
    await here.publish(edited(SMALL, (CITY, CITY + "  job: {type: text}\n")))
    ran: list[Tx] = []

    async def work(tx: Tx) -> None:
        ran.append(tx)

    with pytest.raises(StaleError):
        await there.store.write(work, schema=True)
    assert ran == []
    await here.close()
    await there.close()


async def test_a_network_that_another_process_took_away_is_none_any_more(homes: Homes) -> None:
    tenants = Tenants(homes.all)
    tenant = await tenants.create("small", SMALL)
    home = homes("small")
    assert isinstance(home, Schema)
    await drop_schema(home.url, home.name)
    with pytest.raises(StoreClosedError, match="gone"):
        await records(tenant, "lead")
    with pytest.raises(LookupError):
        await tenants.open("small")
    again = await tenants.create("small", SMALL)
    assert await tenants.open("small") is again
    await tenants.close()


async def test_names_that_postgres_would_cut_are_refused_before_anything_changes(homes: Homes) -> None:
    long = "a" * 60
    pack = edited(SMALL, (CITY, CITY + f"  {long}: {{type: text}}\n"))
    tenant = await create_tenant(homes("small"), "small", files=SMALL)
    with pytest.raises(Exception, match=f"'{long}' is too long a name"):
        await tenant.publish(pack)
    assert tenant.published.version == 1
    await tenant.close()
