"""What can go wrong under a store: the disk, the folder, the file, the caller who leaves."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from threading import Event
from types import ModuleType

import pytest

from models import sqlite, sqlite_here, stores
from models.connections import FORMAT, connect
from models.sqlite import SqliteStore
from models.sqlite_tx import SqliteTx
from models.store import StoreError
from models.tenant import create_empty, open_tenant
from models.tenants import Tenants
from models.tx import Tx
from tests.networks import SMALL

pytestmark = pytest.mark.anyio
PAGE = "x" * 4000


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(tmp_path / "net.sqlite")
    await store.write(lambda tx: tx.run("CREATE TABLE t (name TEXT)"), schema=True)
    yield store
    await store.close()


async def count(store: SqliteStore) -> int:
    rows = await store.read(lambda tx: tx.rows("SELECT count(*) FROM t"))
    return int(rows[0][0])


async def test_a_full_disk_refuses_what_does_not_fit_and_nothing_else(store: SqliteStore) -> None:
    (pages,) = store._writer.execute("PRAGMA page_count").fetchone()
    store._writer.execute(f"PRAGMA max_page_count = {pages + 2}")

    async def much(tx: Tx) -> None:
        await tx.run_many("INSERT INTO t VALUES (?)", [(PAGE,)] * 10)

    async def little(tx: Tx) -> None:
        await tx.run("INSERT INTO t VALUES ('small')")

    outcomes = await asyncio.gather(store.write(much), store.write(little), return_exceptions=True)
    assert isinstance(outcomes[0], StoreError)
    assert await count(store) == sum(outcome is None for outcome in outcomes)
    store._writer.execute("PRAGMA max_page_count = 100000")
    before = await count(store)
    await store.write(much)
    assert await count(store) == before + 10


async def test_a_full_disk_undoes_a_change_of_tables(store: SqliteStore) -> None:
    (pages,) = store._writer.execute("PRAGMA page_count").fetchone()
    store._writer.execute(f"PRAGMA max_page_count = {pages + 2}")

    async def work(tx: Tx) -> None:
        await tx.run("CREATE TABLE more (name TEXT)")
        await tx.run_many("INSERT INTO more VALUES (?)", [(PAGE,)] * 10)

    with pytest.raises(StoreError, match="full"):
        await store.write(work, schema=True)
    found = await store.read(lambda tx: tx.rows("SELECT name FROM sqlite_master ORDER BY name"))
    assert found == [("t",)]
    assert store._writer.execute("PRAGMA foreign_keys").fetchone() == (1,)


@pytest.mark.parametrize("module", [sqlite_here, sqlite])
async def test_a_reader_that_broke_answers_and_the_next_one_is_fresh(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch, module: ModuleType
) -> None:
    beside = module is sqlite

    async def counts(tx: Tx) -> int:
        if beside:
            await tx.aside(lambda: None)
        return int((await tx.rows("SELECT count(*) FROM t"))[0][0])

    with monkeypatch.context() as patch:
        patch.setattr(module, "connect", _no_memory)
        with pytest.raises(MemoryError):
            await asyncio.wait_for(store.read(counts), timeout=5)
    assert await asyncio.wait_for(store.read(counts), timeout=5) == 0

    async def lose(tx: Tx) -> None:
        if beside:
            await tx.aside(lambda: None)
        assert isinstance(tx, SqliteTx)
        tx.connection.close()

    with pytest.raises(sqlite3.Error):
        await store.read(lose)
    assert await asyncio.wait_for(store.read(counts), timeout=5) == 0


def _no_memory(path: Path, use: str) -> sqlite3.Connection:
    raise MemoryError(f"{path} {use}")


async def test_a_file_of_a_newer_maille_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "net.sqlite"
    newer = sqlite3.connect(path)
    newer.execute("CREATE TABLE unheard_of (a)")
    newer.execute(f"PRAGMA user_version = {FORMAT + 1}")
    newer.close()
    with pytest.raises(StoreError, match="newer Maille"):
        await open_tenant(path, "net")
    left = sqlite3.connect(path)
    assert left.execute("SELECT name FROM sqlite_master").fetchall() == [("unheard_of",)]
    left.close()


async def test_a_file_says_which_format_it_has(store: SqliteStore) -> None:
    assert store._writer.execute("PRAGMA user_version").fetchone() == (FORMAT,)


async def test_a_file_that_is_none_of_ours_says_so_and_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "net.sqlite"
    path.write_bytes(b"no database at all" * 1000)
    for _ in range(2):
        with pytest.raises(StoreError, match="not a database"):
            SqliteStore(path)


async def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "net.sqlite.lock").mkdir()
    with pytest.raises(StoreError, match=r"net\.sqlite\.lock cannot be written"):
        SqliteStore(tmp_path / "net.sqlite")


async def test_a_file_that_others_keep_locked_refuses_in_time(store: SqliteStore) -> None:
    store._writer.execute("PRAGMA busy_timeout = 50")
    other = connect(store.path, "write")
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked"):
        await store.write(lambda tx: tx.run("INSERT INTO t VALUES ('a')"))
    assert await count(store) == 0
    other.execute("ROLLBACK")
    other.close()
    await store.write(lambda tx: tx.run("INSERT INTO t VALUES ('a')"))
    assert await count(store) == 1


async def test_who_leaves_while_a_network_opens_leaves_it_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tenants = Tenants(tmp_path)
    await tenants.create("small", SMALL)
    await tenants.close()
    begun, go_on = Event(), Event()

    def slowly(path: Path) -> SqliteStore:
        begun.set()
        go_on.wait(5)
        return SqliteStore(path)

    with monkeypatch.context() as patch:
        patch.setattr(stores, "SqliteStore", slowly)
        opening = asyncio.ensure_future(tenants.open("small"))
        await asyncio.to_thread(begun.wait, 5)
        opening.cancel()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await opening
    assert (await tenants.open("small")).published.version == 1
    await tenants.close()


async def test_a_network_whose_making_was_broken_off_is_none_and_can_be_made(tmp_path: Path) -> None:
    await (await create_empty(tmp_path / "small.sqlite", "small")).close()
    tenants = Tenants(tmp_path)
    with pytest.raises(LookupError):
        await tenants.open("small")
    assert (await tenants.create("small", SMALL)).published.version == 1
    await tenants.close()
    with pytest.raises(StoreError, match="already"):
        await tenants.create("small", SMALL)
    assert (await tenants.open("small")).published.version == 1
    await tenants.close()
