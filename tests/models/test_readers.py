"""Reads of one SQLite file: short ones share a reader, those behind a long one have another, and none waits forever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from threading import Event, Lock

import pytest

from models import sqlite
from models.sqlite import SqliteStore
from models.tx import Tx

pytestmark = pytest.mark.anyio
COUNT = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) SELECT count(*) FROM n"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(tmp_path / "net.sqlite")
    yield store
    await store.close()


async def count(tx: Tx) -> int:
    found = await tx.row(COUNT)
    return int(found[0]) if found else 0


@pytest.mark.parametrize(("patience", "least", "most"), [(60.0, 1, 1), (0.0, 2, 4)])
async def test_reads_wait_for_the_reader_that_gets_on(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch, patience: float, least: int, most: int
) -> None:
    monkeypatch.setattr(sqlite, "PATIENCE", patience)
    guard, at_once, seen = Lock(), 0, []

    async def watched(tx: Tx) -> None:
        nonlocal at_once
        with guard:
            at_once += 1
            seen.append(at_once)
        for _ in range(10):
            await count(tx)
        with guard:
            at_once -= 1

    await asyncio.gather(*(store.read(watched) for _ in range(40)))
    assert len(seen) == 40
    assert least <= max(seen) <= most


async def test_reads_behind_a_long_one_have_a_reader_of_their_own(store: SqliteStore) -> None:
    begun, others = Event(), Event()

    async def long(_: Tx) -> bool:
        begun.set()
        return others.wait(10)

    reading = asyncio.ensure_future(store.read(long))
    await asyncio.to_thread(begun.wait, 10)
    assert await asyncio.gather(*(store.read(count) for _ in range(20))) == [3000] * 20
    assert await store.read(count) == 3000
    others.set()
    assert await reading


async def test_a_loop_that_ended_leaves_nobody_waiting(tmp_path: Path) -> None:
    store, go = await asyncio.to_thread(SqliteStore, tmp_path / "loops.sqlite"), Event()

    async def waits(_: Tx) -> bool:
        return go.wait(10)

    async def left() -> None:
        for _ in range(2):
            asyncio.ensure_future(store.read(waits))  # noqa: RUF006 - nobody waits for them: the loop ends
        await asyncio.sleep(0)

    await asyncio.to_thread(asyncio.run, left())
    assert set(await asyncio.gather(store.read(count), store.read(count))) == {3000}
    go.set()
    await store.close()
