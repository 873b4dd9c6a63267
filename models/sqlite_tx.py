"""A transaction on a connection of SQLite, and how asynchronous work runs in it on one thread."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from piccolo.query.base import Query

from models.piccolo_engine import CURRENT
from models.store import ConstraintError, WorkError
from models.tx import Dialect, Row, SqlValue, Work

T = TypeVar("T")

_THREAD = threading.local()


class SqliteTx:
    """A transaction on a connection, used on one thread; see `models.tx.Tx`."""

    dialect: Dialect = "sqlite"

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Speak over `connection`, whose transaction its owner begins and ends."""
        self.connection = connection

    async def rows(self, sql: str, values: Sequence[SqlValue] = ()) -> list[Row]:
        """Return all rows of a query."""
        return self.connection.execute(sql, values).fetchall()

    async def row(self, sql: str, values: Sequence[SqlValue] = ()) -> Row | None:
        """Return the first row of a query, None without one."""
        cursor = self.connection.execute(sql, values)
        found: Row | None = cursor.fetchone()
        cursor.close()
        return found

    async def run(self, sql: str, values: Sequence[SqlValue] = ()) -> int:
        """Run a statement and return the number of rows that it touched."""
        try:
            return max(self.connection.execute(sql, values).rowcount, 0)
        except sqlite3.IntegrityError as error:
            raise ConstraintError(str(error)) from error

    async def put(self, sql: str, values: Sequence[SqlValue], missing: Exception | None = None) -> None:
        """Insert a row, or change one, at once; `missing` is raised when there was nothing to change."""
        if not await self.run(sql, values) and missing is not None:
            raise missing

    async def run_many(self, sql: str, values: Iterable[Sequence[SqlValue]]) -> None:
        """Run a statement once for each row of values."""
        try:
            self.connection.executemany(sql, values)
        except sqlite3.IntegrityError as error:
            raise ConstraintError(str(error)) from error

    async def lock(self, key: str) -> None:
        """Do nothing: the only writer is alone."""

    async def aside(self, call: Callable[[], T]) -> T:
        """Do it here, on the database's thread."""
        return call()

    async def query(self, query: Query[Any, Any]) -> list[dict[str, Any]]:
        """Run a Piccolo query inside this transaction and return its rows, decoded by Piccolo."""
        token = CURRENT.set((self.connection, query))
        try:
            found: list[dict[str, Any]] = await query.run()
        finally:
            CURRENT.reset(token)
        return found


def drive(work: Work[T], tx: SqliteTx) -> T:
    """Run asynchronous work to its end on this thread; it may await the transaction only."""
    steps = work(tx).__await__()
    _THREAD.working = True
    try:
        next(steps)
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        _THREAD.working = False
    steps.close()
    message = (
        "Work in a transaction awaits only its transaction: files, the network and other stores come before or after."
    )
    raise WorkError(message)


def working() -> bool:
    """Return whether this thread is in the middle of a piece of work."""
    return getattr(_THREAD, "working", False)
