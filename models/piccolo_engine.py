"""Piccolo's door to a store: its queries run on the store's own connections."""

from __future__ import annotations

import contextvars
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, Protocol, TypeVar

from piccolo.engine.base import BaseAtomic, BaseBatch, BaseTransaction, Engine
from piccolo.engine.exceptions import TransactionError
from piccolo.engine.sqlite import CONVERTERS as PICCOLO_CONVERTERS
from piccolo.query.base import Query
from piccolo.querystring import QueryString

T = TypeVar("T")

CURRENT: contextvars.ContextVar[tuple[sqlite3.Connection, Query[Any, Any]] | None] = contextvars.ContextVar(
    "maille_current_query", default=None
)
"""The connection of the transaction that this thread is in, and the query that it runs."""

CONVERTERS: dict[str, Callable[[Any], Any]] = dict(PICCOLO_CONVERTERS)
"""By declared type: what Piccolo makes of a stored value; `models.columns` adds the types of its own."""

READS = ("SELECT", "WITH", "VALUES", "EXPLAIN", "PRAGMA")


class Connections(Protocol):
    """What the engine needs of a store."""

    async def piccolo_with(self, run: Callable[[sqlite3.Connection], T]) -> T:
        """Run a function over a reading connection that converts values by their declared types."""
        ...

    async def write_with(self, run: Callable[[sqlite3.Connection], T], *, schema: bool = False) -> T:
        """Run a function over the writing connection, in a transaction."""
        ...


class StoreEngine(Engine[BaseTransaction]):
    """Runs Piccolo queries over a store: reads on its readers, a write in a transaction of its own.

    Its transactions stay closed: they would keep the writer waiting for whatever a request awaits in between. What
    belongs together is written with `store.write` and `tx.query`.
    """

    def __init__(self, connections: Connections) -> None:
        """Speak over the connections of a store."""
        self._connections = connections
        self.current_transaction = contextvars.ContextVar("maille_piccolo_transaction", default=None)
        super().__init__(engine_type="sqlite", min_version_number=3.35)

    async def get_version(self) -> float:
        """Return SQLite's version."""
        return self.get_version_sync()

    def get_version_sync(self) -> float:
        """Return SQLite's version."""
        major, minor, _ = sqlite3.sqlite_version_info
        return float(f"{major}.{minor}")

    async def prep_database(self) -> None:
        """Do nothing: the store prepares its connections."""

    async def run_querystring(self, querystring: QueryString, in_pool: bool = True) -> list[dict[str, Any]]:  # noqa: ARG002, FBT001, FBT002 - Piccolo's signature
        """Run a query and return its rows as dictionaries."""
        sql, values = querystring.compile_string(engine_type=self.engine_type)
        return await self._run(sql, values)

    async def run_ddl(self, ddl: str, in_pool: bool = True) -> list[dict[str, Any]]:  # noqa: ARG002, FBT001, FBT002 - Piccolo's signature
        """Run a statement that changes tables."""
        return await self._run(ddl, [])

    async def _run(self, sql: str, values: Sequence[Any]) -> list[dict[str, Any]]:
        current = CURRENT.get()
        if current is not None:
            connection, query = current
            return [_decoded(row, query) for row in _fetch(connection, sql, values)]
        if sql.lstrip().upper().startswith(READS):
            return await self._connections.piccolo_with(lambda connection: _fetch(connection, sql, values))
        return await self._connections.write_with(lambda connection: _fetch(connection, sql, values))

    def transaction(self, *args: object, **kwargs: object) -> NoReturn:  # noqa: ARG002 - Piccolo's signature
        """Refuse: see the class."""
        raise TransactionError("Use store.write and tx.query: a transaction of the engine would hold up the writer.")

    def atomic(self, *args: object, **kwargs: object) -> BaseAtomic:  # noqa: ARG002 - Piccolo's signature
        """Refuse: see the class."""
        raise TransactionError("Use store.write and tx.query: a transaction of the engine would hold up the writer.")

    async def batch(self, query: Query[Any, Any], batch_size: int = 100, node: str | None = None) -> BaseBatch:  # noqa: ARG002 - Piccolo's signature
        """Refuse: read page by page instead."""
        raise TransactionError("A batch would keep a reader open between requests: read page by page.")


def _fetch(connection: sqlite3.Connection, sql: str, values: Sequence[Any]) -> list[dict[str, Any]]:
    cursor = connection.execute(sql, values)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _decoded(row: dict[str, Any], query: Query[Any, Any]) -> dict[str, Any]:
    """Convert the values of the query's own columns as SQLite would by their declared types."""
    for column in query.table._meta.columns:  # noqa: SLF001 - Piccolo keeps what it knows of a table there
        name = column._meta.db_column_name  # noqa: SLF001 - the same
        value = row.get(name)
        if value is None:
            continue
        convert = CONVERTERS.get(column.column_type.split("(")[0].upper())
        if convert is not None:
            row[name] = convert(str(value))
    return row
