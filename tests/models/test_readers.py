"""Reads of one SQLite file: short ones at once on the caller's thread, long ones beside it, and none waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from threading import Event, get_ident

import pytest

from models import sqlite, sqlite_here
from models.sqlite import SqliteStore
from models.sqlite_here import LOOK, LOOKS
from models.store import StoreClosedError
from models.tx import Tx

pytestmark = pytest.mark.anyio
COUNT = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT count(*) FROM n"
SHORT, LONG = 30, LOOK * LOOKS
"""Rows that are counted; each takes more than one instruction of SQLite."""


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(tmp_path / "net.sqlite")
    yield store
    await store.close()


async def count(tx: Tx, rows: int = SHORT) -> int:
    found = await tx.row(COUNT, [rows])
    return int(found[0]) if found else 0


async def test_a_short_read_is_done_on_the_thread_of_who_asks(store: SqliteStore) -> None:
    threads = []

    async def work(tx: Tx) -> int:
        threads.append(get_ident())
        return await count(tx)

    assert await store.read(work) == SHORT
    assert threads == [get_ident()]


@pytest.mark.parametrize("parts", [1, 20])
async def test_a_long_read_begins_anew_beside_the_loop(store: SqliteStore, parts: int) -> None:
    threads = []

    async def work(tx: Tx) -> list[int]:
        threads.append(get_ident())
        return [await count(tx, LONG // parts) for _ in range(parts)]

    assert await store.read(work) == [LONG // parts] * parts
    assert threads[0] == get_ident()
    assert len(threads) == 2
    assert threads[1] != get_ident()


async def test_what_is_known_to_be_long_is_done_once_and_beside(store: SqliteStore) -> None:
    threads = []

    async def work(tx: Tx) -> int:
        threads.append(get_ident())
        await tx.aside(lambda: None)
        return await count(tx, LONG)

    assert await store.read(work, long=True) == LONG
    assert len(threads) == 1
    assert threads[0] != get_ident()


async def test_a_long_read_that_handles_errors_is_broken_off_all_the_same(store: SqliteStore) -> None:
    async def work(tx: Tx) -> int:
        try:
            return await count(tx, LONG)
        except Exception:  # noqa: BLE001 - as somebody might
            return -1

    assert await store.read(work) == LONG


async def test_the_end_of_a_read_that_was_broken_off_is_not(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_here, "LOOK", 1)  # its ROLLBACK is looked at too
    monkeypatch.setattr(sqlite_here, "LOOKS", 20)
    assert await store.read(count) == SHORT
    assert await store.read(lambda tx: tx.rows("SELECT 1")) == [(1,)]


async def test_short_reads_go_on_beside_a_long_one(store: SqliteStore) -> None:
    begun, others = Event(), Event()

    def waits() -> bool:
        begun.set()
        return others.wait(10)

    reading = [asyncio.ensure_future(store.read(lambda tx: tx.aside(waits))) for _ in range(sqlite.CONNECTIONS + 1)]
    await asyncio.to_thread(begun.wait, 10)
    assert await asyncio.gather(*(store.read(count) for _ in range(20))) == [SHORT] * 20
    others.set()
    assert all(await asyncio.gather(*reading))


async def test_many_short_reads_leave_the_loop_its_turns(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "TURN", 0.0)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    going = asyncio.ensure_future(others())
    for _ in range(10):
        await store.read(count)
    going.cancel()
    assert turns >= 9


async def test_a_read_of_another_loop_meanwhile_is_done_beside(store: SqliteStore) -> None:
    with store._here._guard:  # somebody reads there
        assert await store.read(count) == SHORT


async def test_tables_that_changed_meanwhile_are_read_again(store: SqliteStore) -> None:
    await store.write(lambda tx: tx.run("CREATE TABLE t (a INTEGER)"), schema=True)
    found = []

    async def work(tx: Tx) -> None:
        found.append(await tx.rows("SELECT name FROM pragma_table_info('t')"))
        if len(found) == 1:
            store._generation += 1  # as a change of tables does that ends between two statements

    await store.read(work)
    assert len(found) == 2


async def test_a_loop_that_ended_leaves_nobody_waiting(tmp_path: Path) -> None:
    store, go = await asyncio.to_thread(SqliteStore, tmp_path / "loops.sqlite"), Event()

    async def left() -> None:
        for _ in range(2):
            asyncio.ensure_future(store.read(lambda tx: tx.aside(lambda: go.wait(10))))  # noqa: RUF006 - nobody waits for them: the loop ends
        await asyncio.sleep(0)

    await asyncio.to_thread(asyncio.run, left())
    assert set(await asyncio.gather(store.read(count), store.read(count))) == {SHORT}
    go.set()
    await store.close()
    with pytest.raises(StoreClosedError):
        await store.read(count)
