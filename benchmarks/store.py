"""The store beside raw sqlite3 with the same durability and the same grouping: `python -m benchmarks.store`.

Raw means: one thread, prepared statements, BEGIN IMMEDIATE, as many inserts as there are callers, COMMIT. What the
store adds is the way between the event loop and its threads, and a savepoint for each piece of work.
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from models.connections import connect
from models.sqlite import SqliteStore
from models.tx import Row, Tx

SECONDS = 1.5
CALLERS = (1, 8, 32)
TABLE = "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT NOT NULL, city TEXT, state TEXT NOT NULL, at TEXT NOT NULL)"
INSERT = "INSERT INTO t (name, city, state, at) VALUES (?, ?, ?, ?)"
SELECT = "SELECT id, name, city, state, at FROM t WHERE id = ?"
VALUES = ("Camille Durand", "Lyon", "new", "2026-03-02 11:00:00.000000+00:00")
ROWS = 1000


def raw_writes(connection: sqlite3.Connection, group: int) -> float:
    """Return how many durable inserts a second raw sqlite3 does, `group` of them a commit."""
    done, start = 0, time.perf_counter()
    while time.perf_counter() - start < SECONDS:
        connection.execute("BEGIN IMMEDIATE")
        for _ in range(group):
            connection.execute(INSERT, VALUES)
        connection.execute("COMMIT")
        done += group
    return done / (time.perf_counter() - start)


def raw_reads(connection: sqlite3.Connection) -> float:
    """Return how many reads by id a second raw sqlite3 does, each a snapshot of its own."""
    done, start = 0, time.perf_counter()
    while time.perf_counter() - start < SECONDS:
        connection.execute("BEGIN")
        connection.execute(SELECT, (done % ROWS + 1,)).fetchone()
        connection.execute("ROLLBACK")
        done += 1
    return done / (time.perf_counter() - start)


async def ours(callers: int, once: Callable[[int], Coroutine[Any, Any, Any]]) -> float:
    """Return how often a second `once` is done by that many callers, each waiting for its own."""
    done, start = 0, time.perf_counter()

    async def caller(number: int) -> None:
        nonlocal done
        while time.perf_counter() - start < SECONDS:
            await once(number + done)
            done += 1

    await asyncio.gather(*map(caller, range(callers)))
    return done / (time.perf_counter() - start)


async def _create(tx: Tx) -> None:
    await tx.run(TABLE)
    await tx.run_many(INSERT, [VALUES] * ROWS)


async def main(folder: Path) -> None:
    """Print writes and reads a second, ours and raw, and their ratio."""
    store = SqliteStore(folder / "ours.sqlite")
    await store.write(_create, schema=True)
    raw = connect(folder / "raw.sqlite", "write")
    raw.execute(TABLE)
    raw.executemany(INSERT, [VALUES] * ROWS)

    async def insert(tx: Tx) -> int:
        return await tx.run(INSERT, VALUES)

    async def write(_: int) -> None:
        await store.write(insert)

    async def read(number: int) -> None:
        async def by_id(tx: Tx) -> Row | None:
            return await tx.row(SELECT, (number % ROWS + 1,))

        await store.read(by_id)

    print(f"{'':16}{'ours/s':>10}{'raw/s':>10}{'ratio':>8}")
    for callers in CALLERS:
        _line(f"writes, {callers}", await ours(callers, write), raw_writes(raw, callers))
    for callers in CALLERS:
        _line(f"reads, {callers}", await ours(callers, read), raw_reads(raw))
    raw.close()
    await store.close()


def _line(what: str, mine: float, raw: float) -> None:
    print(f"{what:16}{mine:10,.0f}{raw:10,.0f}{mine / raw:8.2f}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        asyncio.run(main(Path(name)))
