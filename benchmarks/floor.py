"""Bare connections with the durability and the grouping of the product, and nothing else: what `raw` runs over.

SQLite: one writing thread that commits what waits as a group (`synchronous=FULL`), one reading thread, a snapshot for
each group. PostgreSQL: a pool of as many connections as the product has, `synchronous_commit=on`, a snapshot each.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

import asyncpg  # type: ignore[import-untyped] # it has no types

from benchmarks.raw import Raw, Row, Sql
from models.connections import connect
from models.database import CONNECTIONS
from models.stores import Home, Schema

T = TypeVar("T")
Work = Callable[[Raw], Coroutine[Any, Any, T]]
GROUP = 128
MOMENT = datetime(2030, 1, 1, 9, 0, tzinfo=UTC)


class Floor(Protocol):
    """A database without a product."""

    async def read(self, work: Work[T]) -> T:
        """Run work on one snapshot."""
        ...

    async def write(self, work: Work[T]) -> T:
        """Run work in a transaction and return once it is durable."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


class _Plain:
    """Statements on an `sqlite3` connection."""

    now = "2030-01-01 09:00:00.000000+00:00"

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    async def rows(self, sql: Sql, *values: Any) -> Sequence[Row]:
        return self.connection.execute(sql.sqlite, values).fetchall()

    async def many(self, sql: Sql, rows: Iterable[Row]) -> None:
        self.connection.executemany(sql.sqlite, rows)


_Waiting = tuple[Work[Any], "asyncio.Future[Any]"]


class _Lane:
    """A thread with a connection: what waits at the same time shares a transaction."""

    def __init__(self, connection: sqlite3.Connection, begin: str) -> None:
        self._connection = connection
        self._begin = begin
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    async def do(self, work: Work[T]) -> T:
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue.put((work, future))
        return await future

    def _serve(self) -> None:
        raw = _Plain(self._connection)
        while (first := self._queue.get()) is not None:
            group = [first]
            while len(group) < GROUP and not self._queue.empty():
                if (more := self._queue.get()) is not None:
                    group.append(more)
            self._connection.execute(self._begin)
            done = [_finished(work(raw)) for work, _ in group]
            self._connection.execute("COMMIT")
            first[1].get_loop().call_soon_threadsafe(_tell, group, done)

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join()
        self._connection.close()


def _finished(steps: Coroutine[Any, Any, T]) -> T | Exception:
    try:
        steps.send(None)
    except StopIteration as end:
        found: T = end.value
        return found
    except Exception as error:  # noqa: BLE001 - it is raised where somebody waits for it
        return error
    raise RuntimeError("Raw work waits for nothing.")


def _tell(group: Sequence[_Waiting], done: Sequence[Any]) -> None:
    for (_, future), result in zip(group, done, strict=True):
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)


class SqliteFloor:
    """A file."""

    def __init__(self, path: Path) -> None:
        """Open it for writing and for reading."""
        self._writer = _Lane(connect(path, "write"), "BEGIN IMMEDIATE")
        self._reader = connect(path, "read")

    async def read(self, work: Work[T]) -> T:
        """Run work on one snapshot, on this thread: as the product does, that is the fastest way."""
        self._reader.execute("BEGIN")
        found = _finished(work(_Plain(self._reader)))
        self._reader.execute("COMMIT")
        if isinstance(found, Exception):
            raise found
        return found

    async def write(self, work: Work[T]) -> T:
        """Run work in a transaction and return once it is durable."""
        return await self._writer.do(work)

    async def close(self) -> None:
        """Close the connections."""
        await asyncio.to_thread(self._writer.close)
        self._reader.close()


class _Driven:
    """Statements on an asyncpg connection."""

    now = MOMENT

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    async def rows(self, sql: Sql, *values: Any) -> Sequence[Row]:
        found: Sequence[Row] = await self.connection.fetch(sql.postgres, *values)
        return found

    async def many(self, sql: Sql, rows: Iterable[Row]) -> None:
        await self.connection.executemany(sql.postgres, rows)


class PostgresFloor:
    """A schema."""

    def __init__(self, home: Schema) -> None:
        """Connect with the first work."""
        self._home = home
        self._pool: Any = None
        self._opening = asyncio.Lock()

    async def read(self, work: Work[T]) -> T:
        """Run work on one snapshot."""
        return await self._transact("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", work)

    async def write(self, work: Work[T]) -> T:
        """Run work in a transaction and return once it is durable."""
        return await self._transact("BEGIN ISOLATION LEVEL REPEATABLE READ", work)

    async def _transact(self, begin: str, work: Work[T]) -> T:
        async with self._opening:
            if self._pool is None:
                self._pool = await _pool(self._home)
        async with self._pool.acquire() as connection:
            await connection.execute(begin)
            try:
                done = await work(_Driven(connection))
            except BaseException:
                await connection.execute("ROLLBACK")
                raise
            await connection.execute("COMMIT")
            return done

    async def close(self) -> None:
        """Close the connections."""
        if self._pool is not None:
            await self._pool.close()


def _pool(home: Schema) -> Awaitable[Any]:
    async def keep(_: Any) -> None:
        """Give a connection back as it is."""

    settings = {"search_path": home.name, "timezone": "UTC", "jit": "off", "synchronous_commit": "on"}
    made: Awaitable[Any] = asyncpg.create_pool(
        home.url,
        min_size=1,
        max_size=CONNECTIONS,
        reset=keep,
        server_settings=settings,
        max_cached_statement_lifetime=0,
    )
    return made


def floor_of(home: Home) -> Floor:
    """Return the floor under the product over the same data."""
    return PostgresFloor(home) if isinstance(home, Schema) else SqliteFloor(home)
