"""A transaction that writes new rows together: what is inserted one by one leaves as few statements."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from piccolo.query.base import Query

from models.tx import Dialect, Row, SqlValue, Tx

T = TypeVar("T")
MOST = 1000
"""So many rows wait at most."""


class Gathering:
    """A `models.tx.Tx` over another one: the insertions that it is told of wait, rows of one statement together.

    Whatever else is asked of it finds them written: they go before. Who opens it calls `flush` at its end. Of such an
    insertion nobody is told how many rows it touched, and what a table refuses is told late: it is for rows that the
    runtime makes up by itself, with keys of their own.
    """

    def __init__(self, tx: Tx, insertions: Iterable[str]) -> None:
        """Gather these statements."""
        self.dialect: Dialect = tx.dialect
        self._tx = tx
        self._insertions = frozenset(insertions)
        self._waiting: dict[str, list[Sequence[SqlValue]]] = {}
        self._count = 0

    async def flush(self) -> None:
        """Write what waits."""
        waiting, self._waiting, self._count = self._waiting, {}, 0
        for sql, rows in waiting.items():
            await self._tx.run_many(sql, rows)

    async def rows(self, sql: str, values: Sequence[SqlValue] = ()) -> list[Row]:
        """Return all rows of a query."""
        if self._count:
            await self.flush()
        return await self._tx.rows(sql, values)

    async def row(self, sql: str, values: Sequence[SqlValue] = ()) -> Row | None:
        """Return the first row of a query, None without one."""
        if self._count:
            await self.flush()
        return await self._tx.row(sql, values)

    async def run(self, sql: str, values: Sequence[SqlValue] = ()) -> int:
        """Keep an insertion; run any other statement and return the number of rows that it touched."""
        if sql in self._insertions:
            self._waiting.setdefault(sql, []).append(values)
            self._count += 1
            if self._count >= MOST:
                await self.flush()
            return 1
        if self._count:
            await self.flush()
        return await self._tx.run(sql, values)

    async def put(self, sql: str, values: Sequence[SqlValue], missing: Exception | None = None) -> None:
        """Insert a row, or change one by its key; see `models.tx.Tx`."""
        if self._count:
            await self.flush()
        await self._tx.put(sql, values, missing)

    async def run_many(self, sql: str, values: Iterable[Sequence[SqlValue]]) -> None:
        """Run a statement once for each row of values."""
        if self._count:
            await self.flush()
        await self._tx.run_many(sql, values)

    async def lock(self, key: str) -> None:
        """Be alone with `key` until the end of the transaction."""
        await self._tx.lock(key)

    async def aside(self, call: Callable[[], T]) -> T:
        """Return what a function does that takes long and asks the database nothing."""
        return await self._tx.aside(call)

    async def query(self, query: Query[Any, Any]) -> list[dict[str, Any]]:
        """Run a Piccolo query inside this transaction and return its rows, decoded by Piccolo."""
        if self._count:
            await self.flush()
        return await self._tx.query(query)
