"""Piccolo's door to a PostgreSQL store: its queries run on the store's own connections, in the schema's tables."""

from __future__ import annotations

import contextvars
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Protocol

from models.piccolo_statements import SingleStatements
from models.tx import Tx, Work

if TYPE_CHECKING:
    from models.database import Connection

_CURRENT: contextvars.ContextVar[Any] = contextvars.ContextVar("maille_current_connection", default=None)
"""The connection of the transaction that the present task is in."""

LEAST = 14.0
"""The oldest PostgreSQL that is worth a try; the tests run on 18."""

CONVERTERS: Mapping[str, Any] = {
    "timestamptz": lambda stored: datetime.fromisoformat(stored).astimezone(UTC),
    "date": date.fromisoformat,
}


@contextmanager
def within(connection: Connection) -> Iterator[None]:
    """Let Piccolo's queries run in the transaction of a connection."""
    token = _CURRENT.set(connection)
    try:
        yield
    finally:
        _CURRENT.reset(token)


class Transactions(Protocol):
    """What the engine needs of a store."""

    async def write(self, work: Work[Any]) -> Any:
        """Run work in a transaction."""
        ...


class PostgresStoreEngine(SingleStatements):
    """Runs Piccolo queries over a store on PostgreSQL, each in a transaction of its own."""

    def __init__(self, store: Transactions) -> None:
        """Speak over the connections of a store."""
        self._store = store
        super().__init__(engine_type="postgres", min_version_number=LEAST)

    async def get_version(self) -> float:
        """Return the least version that will do: the store has asked for the real one."""
        return self.get_version_sync()

    def get_version_sync(self) -> float:
        """Return the same."""
        return LEAST

    async def _run(self, sql: str, values: Sequence[Any]) -> list[dict[str, Any]]:
        connection = _CURRENT.get()
        if connection is not None:
            return await _fetch(connection, sql, values)

        async def work(tx: Tx) -> list[dict[str, Any]]:
            return await _fetch(tx.connection, sql, values)  # type: ignore[attr-defined] # a transaction of PostgreSQL

        found: list[dict[str, Any]] = await self._store.write(work)
        return found


async def _fetch(connection: Connection, sql: str, values: Sequence[Any]) -> list[dict[str, Any]]:
    """Return rows with the values that Piccolo knows: of moments and dates the store's connections give texts."""
    statement = await connection.prepare(sql, name="")  # one with a name would stay on a server that others use too
    rows = [dict(row) for row in await statement.fetch(*values)]
    converts = {
        each.name: CONVERTERS[each.type.name] for each in statement.get_attributes() if each.type.name in CONVERTERS
    }
    for name, convert in converts.items():
        for row in rows:
            row[name] = None if row[name] is None else convert(row[name])
    return rows
