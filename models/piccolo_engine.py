"""Piccolo's door to a store: its queries run on the store's own connections."""

from __future__ import annotations

import contextvars
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from piccolo.engine.sqlite import CONVERTERS as PICCOLO_CONVERTERS
from piccolo.query.base import Query

from models.piccolo_statements import SingleStatements

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


class StoreEngine(SingleStatements):
    """Runs Piccolo queries over a store on SQLite: reads on its readers, a write in a transaction of its own."""

    def __init__(self, connections: Connections) -> None:
        """Speak over the connections of a store."""
        self._connections = connections
        super().__init__(engine_type="sqlite", min_version_number=3.35)

    async def get_version(self) -> float:
        """Return SQLite's version."""
        return self.get_version_sync()

    def get_version_sync(self) -> float:
        """Return SQLite's version."""
        major, minor, _ = sqlite3.sqlite_version_info
        return float(f"{major}.{minor}")

    async def _run(self, sql: str, values: Sequence[Any]) -> list[dict[str, Any]]:
        current = CURRENT.get()
        if current is not None:
            connection, query = current
            return [_decoded(row, query) for row in _fetch(connection, sql, values)]
        if sql.lstrip().upper().startswith(READS):
            return await self._connections.piccolo_with(lambda connection: _fetch(connection, sql, values))
        return await self._connections.write_with(lambda connection: _fetch(connection, sql, values))


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
