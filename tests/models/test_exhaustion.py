"""A database that is slow, full or gone is answered in words within seconds: nobody waits for ever."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg  # type: ignore[import-untyped] # it has no types
import pytest

from models import database as databases
from models import postgres as stores
from models.address import servers_of
from models.database import CONNECTIONS, Database, connect
from models.postgres import PostgresStore
from models.schemas import schemas
from models.store import StoreBusyError, StoreUnreachableError, UnknownError
from models.tx import Tx
from tests.homes import homes_of, schema_of

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]


@pytest.fixture
async def store(postgres: str, tmp_path: Path) -> AsyncIterator[PostgresStore]:
    async with homes_of(tmp_path, postgres) as homes, schema_of(homes) as opened:
        await opened.write(lambda tx: tx.run("CREATE TABLE t (n BIGINT)"), schema=True)
        await opened.write(lambda tx: tx.run("INSERT INTO t VALUES (?)", [0]), schema=True)
        yield opened


async def number(store: PostgresStore) -> int:
    row = await store.read(lambda tx: tx.row("SELECT n FROM t"), any_version=True)
    assert row is not None
    return int(row[0])


async def add(tx: Tx) -> None:
    await tx.run("UPDATE t SET n = n + ?", [1])


async def test_who_finds_no_free_connection_is_told_so_and_those_that_have_one_go_on(store: PostgresStore) -> None:
    go, begun = asyncio.Event(), asyncio.Semaphore(0)

    async def holds(tx: Tx) -> None:
        begun.release()
        await go.wait()

    holders = [asyncio.ensure_future(store.read(holds, any_version=True)) for _ in range(CONNECTIONS)]
    for _ in holders:
        await begun.acquire()
    store.database.wait = 0.05
    with pytest.raises(StoreUnreachableError, match=r"no connection within 0\.05 seconds"):
        await number(store)
    go.set()
    await asyncio.gather(*holders)
    assert await number(store) == 0


async def test_who_waits_for_what_another_one_keeps_is_told_so(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = await asyncpg.connect(store.database.url)
    await other.execute(f'BEGIN; LOCK TABLE "{store.schema}".t')

    async def impatient(tx: Tx) -> None:
        await tx.rows("SELECT set_config('lock_timeout', '20ms', true)")
        await add(tx)

    try:
        with pytest.raises(StoreBusyError, match="Others kept what this needs"):
            await store.write(impatient, claim=True)
    finally:
        await other.close()
    await store.write(impatient)
    assert await number(store) == 1


async def test_work_whose_connection_is_cut_before_its_commit_is_done_once(store: PostgresStore) -> None:
    tries: list[int] = []

    async def work(tx: Tx) -> None:
        tries.append(1)
        await add(tx)
        if len(tries) == 1:
            await cut(store, tx)
            await add(tx)

    await store.write(work)
    assert (await number(store), len(tries)) == (1, 2)


async def cut(store: PostgresStore, tx: Tx) -> None:
    row = await tx.row("SELECT pg_backend_pid()")
    assert row is not None
    other = await asyncpg.connect(store.database.url)
    await other.execute(f"SELECT pg_terminate_backend({row[0]})")
    await other.close()


async def test_a_commit_that_no_standby_confirms_is_told_as_one_that_may_have_happened(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "ACKNOWLEDGE", 0.05)
    tries: list[int] = []

    async def work(tx: Tx) -> None:
        tries.append(1)
        await tx.rows("SELECT set_config('lock_timeout', '0', true)")
        await tx.run("INSERT INTO slow VALUES (?)", [1])

    other = await asyncpg.connect(store.database.url)
    await other.execute(SLOW.format(schema=store.schema))
    await other.execute("SELECT pg_advisory_lock(77)")
    try:
        with pytest.raises(UnknownError, match="Look whether it was"):
            await store.write(work)
    finally:
        await other.close()
    assert tries == [1], "it is not done twice"
    assert await number(store) == 0, "its connection is of use again, or another one is"


SLOW = """
SET search_path TO "{schema}";
CREATE TABLE slow (n BIGINT);
CREATE FUNCTION waits() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN PERFORM pg_advisory_xact_lock(77); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER waits AFTER INSERT ON slow DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION waits()
"""
"""A table whose commits wait."""


async def test_a_server_that_takes_no_changes_is_one_that_is_not_there(store: PostgresStore) -> None:
    async def work(tx: Tx) -> None:
        await tx.rows("SELECT set_config('transaction_read_only', 'on', true)")
        await add(tx)

    with pytest.raises(StoreUnreachableError, match="read-only"):
        await store.write(work)
    assert await number(store) == 0


async def test_a_server_that_says_nothing_is_waited_for_a_few_seconds_before_the_next_one_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(databases, "CONNECT", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent, socket.create_server(("127.0.0.1", 0)) as closed:
        ports = [each.getsockname()[1] for each in (closed, silent)]
        closed.close()
        hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
        with pytest.raises(TimeoutError):
            await connect(f"postgresql://postgres@{hosts}/postgres")
        with pytest.raises(StoreUnreachableError):
            await schemas(f"postgresql://postgres@{hosts}/postgres")


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("postgresql://a/b", ["postgresql://a/b"]),
        ("postgresql:///b?host=x", ["postgresql:///b?host=x"]),
        ("postgresql://u:p@a:1,b:2/c?d=e", ["postgresql://u:p@a:1/c?d=e", "postgresql://u:p@b:2/c?d=e"]),
        ("postgresql://u:p@[::1]:1,b/c", ["postgresql://u:p@[::1]:1/c", "postgresql://u:p@b/c"]),
    ],
)
async def test_an_address_names_one_server_or_several(url: str, found: list[str]) -> None:
    assert list(servers_of(url)) == found


async def test_a_database_that_went_away_is_unreachable_for_lists_of_networks_too(postgres: str) -> None:
    database = await Database.lease(postgres)

    async def loses_it() -> None:
        async with database.connection() as connection:
            pid = await connection.fetchval("SELECT pg_backend_pid()")
            async with database.connection() as other:
                await other.execute(f"SELECT pg_terminate_backend({pid})")
            await connection.execute("SELECT 1")

    with pytest.raises(StoreUnreachableError):
        await loses_it()
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT 1") == 1
    await database.release()
