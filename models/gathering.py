"""A transaction that writes late: what is inserted one by one leaves as few statements."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeVar

from piccolo.query.base import Query

from models.tx import Dialect, Row, SqlValue, Tx

T = TypeVar("T")
MOST = 1000
"""So many rows wait at most."""
BEGIN, BACK, RELEASE = "SAVEPOINT ", "ROLLBACK TO SAVEPOINT ", "RELEASE SAVEPOINT "


@lru_cache(maxsize=4096)
def named(sql: str) -> frozenset[str]:
    """Return all names in a statement, those of the tables that it reads among them."""
    return frozenset(re.findall(r"\w+", sql))


@lru_cache(maxsize=256)
def table_of(sql: str) -> str:
    """Return the table that an insertion or an update writes."""
    return str(re.findall(r'"(\w+)"', sql)[0])


@dataclass(slots=True)
class _Layer:
    """What waits inside of a savepoint; `told`: the database knows of the savepoint."""

    savepoint: str = ""
    told: bool = True
    waiting: dict[str, list[Sequence[SqlValue]]] = field(default_factory=dict)


class Gathering:
    """A `models.tx.Tx` over another one: the writes that it is told of wait, rows of one statement together.

    Whoever reads a table finds written what waits for it, and any other write goes behind what waits. Who opens it
    calls `flush` at its end. Of what waits nobody is told how many rows it touched, and what a table refuses is told
    late: it is for rows that the runtime makes up by itself, with keys of their own.

    A savepoint that nothing was written in is none for the database; the same question, with nothing written in
    between that could answer it otherwise, is asked once.

    Once something that waited was refused, nobody knows any more whose it was: whatever is asked from then on fails in
    the same way, so that nothing of the transaction is kept.
    """

    def __init__(self, tx: Tx, insertions: Iterable[str], changes: Iterable[str] = ()) -> None:
        """Gather these statements; `changes` are those that change one row, by its key."""
        self.dialect: Dialect = tx.dialect
        self.asked = 0
        """How many statements went to the database."""
        self.written = 0
        """How many of them wrote something else than what was gathered."""
        self._tx = tx
        self._changes = frozenset(changes)
        self._gathered = frozenset(insertions) | self._changes
        self._layers = [_Layer()]
        self._tables: set[str] = set()
        self._touched: set[str] = set()
        self._known: dict[tuple[object, ...], list[Row]] = {}
        self._count = 0
        self._refused: Exception | None = None

    async def flush(self) -> None:
        """Write what waits."""
        self._look()
        try:
            await self._flush()
        except Exception as error:
            self._refused = error
            raise

    async def _flush(self) -> None:
        self._tables.clear()
        self._count = 0
        for layer in self._layers:
            if not layer.told:
                layer.told = True
                await self._tx.run(layer.savepoint)
                self.asked += 1
            waiting, layer.waiting = layer.waiting, {}
            for sql, rows in waiting.items():
                self.asked += 1
                await self._tx.run_many(sql, rows)

    async def rows(self, sql: str, values: Sequence[SqlValue] = ()) -> list[Row]:
        """Return all rows of a query."""
        self._look()
        if not sql.lstrip().startswith("SELECT"):
            await self._write()
            return await self._tx.rows(sql, values)
        if self._tables and not self._tables.isdisjoint(named(sql)):
            await self.flush()
        key = (sql, *values)
        found = self._known.get(key)
        if found is None:
            self.asked += 1
            found = await self._tx.rows(sql, values)
            if self._touched.isdisjoint(named(sql)):
                self._known[key] = found
        return list(found)

    async def row(self, sql: str, values: Sequence[SqlValue] = ()) -> Row | None:
        """Return the first row of a query, None without one."""
        found = await self.rows(sql, values)
        return found[0] if found else None

    async def run(self, sql: str, values: Sequence[SqlValue] = ()) -> int:
        """Keep a write that is gathered; run any other statement and return the number of rows that it touched."""
        self._look()
        if sql in self._gathered:
            await self._keep(sql, (values,))
            return 1
        if sql.startswith((BEGIN, BACK, RELEASE)):
            await self._step(sql)
            return 0
        await self._write()
        return await self._tx.run(sql, values)

    async def put(self, sql: str, values: Sequence[SqlValue], missing: Exception | None = None) -> None:
        """Insert a row, or change one by its key; see `models.tx.Tx`."""
        await self._write()
        await self._tx.put(sql, values, missing)

    async def run_many(self, sql: str, values: Iterable[Sequence[SqlValue]]) -> None:
        """Run a statement once for each row of values."""
        await self._write()
        await self._tx.run_many(sql, values)

    async def lock(self, key: str) -> None:
        """Be alone with `key` until the end of the transaction."""
        await self._tx.lock(key)

    async def aside(self, call: Callable[[], T]) -> T:
        """Return what a function does that takes long and asks the database nothing."""
        return await self._tx.aside(call)

    async def query(self, query: Query[Any, Any]) -> list[dict[str, Any]]:
        """Run a Piccolo query inside this transaction and return its rows, decoded by Piccolo."""
        await self._write()
        return await self._tx.query(query)

    def _look(self) -> None:
        """Fail where something was refused before."""
        if self._refused is not None:
            raise self._refused

    async def _write(self) -> None:
        """Prepare for a statement that writes, no matter what."""
        self._look()
        if self._count or not self._layers[-1].told:
            await self.flush()
        self._known.clear()
        self.asked += 1
        self.written += 1

    async def _keep(self, sql: str, rows: Sequence[Sequence[SqlValue]]) -> None:
        """Let rows wait behind those of the same statement.

        An insertion may overtake changes of other rows. A change that would overtake another statement over its table
        has it written first: that may be of the same row.
        """
        table = table_of(sql)
        if table not in self._touched:
            self._touched.add(table)
            self._known = {key: found for key, found in self._known.items() if table not in named(str(key[0]))}
        waiting = self._layers[-1].waiting
        if (
            sql in self._changes
            and sql in waiting
            and next(each for each in reversed(waiting) if table_of(each) == table) != sql
        ):
            await self.flush()
            waiting = self._layers[-1].waiting
        waiting.setdefault(sql, []).extend(rows)
        self._tables.add(table)
        self._count += len(rows)
        if self._count >= MOST:
            await self.flush()

    async def _step(self, sql: str) -> None:
        """Begin a savepoint, or end the innermost one: those are inside of one another."""
        if sql.startswith(BEGIN):
            self._layers.append(_Layer(sql, told=False))
            return
        layer = self._layers[-1]
        if sql.startswith(BACK):
            self._count -= sum(map(len, layer.waiting.values()))
            layer.waiting.clear()
            self._known.clear()
        if layer.told:
            self.asked += 1
            await self._tx.run(sql)  # whatever it fails with, it is there to be gone back to
        if sql.startswith(RELEASE):
            self._layers.pop()
            for each, rows in layer.waiting.items():
                self._count -= len(rows)
                await self._keep(each, rows)
