"""The same records on PostgreSQL, asked from tests that are not asynchronous."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import asyncpg  # type: ignore[import-untyped] # it has no types

from definitions.expr import BOOL, DATE, DATETIME, DECIMAL, INT, STRING, Context, Expression, SqlTemplate, Type, to_sql
from models.columns import SORTED
from models.database import prepare
from models.postgres_tx import numbered
from tests.definitions.expr.world import COMPANIES, MEMBERS, RECORDS, DealColumns, GuardedColumns, encode

TYPES: Mapping[Type, str] = {
    INT: "bigint",
    BOOL: "boolean",
    DECIMAL: "numeric",
    DATE: "date",
    DATETIME: "timestamptz",
}


class PostgresColumns(DealColumns):
    """The tables as they are on PostgreSQL, hidden as `guarded` says."""

    def __init__(self, *, guarded: bool) -> None:
        """Hide nothing, or what `GuardedColumns` hides."""
        self.guarded = guarded

    def value(self, entity: str, alias: str, field: str) -> SqlTemplate:
        """Return the column."""
        columns = GuardedColumns() if self.guarded else DealColumns()
        found = columns.value(entity, alias, field)
        return SqlTemplate(found.text.replace(" IS ?", " IS NOT DISTINCT FROM ?"), found.bind)

    def encode(self, value: Any, kind: Type) -> Any:
        """Return the stored form."""
        return stored(value, kind)


def stored(value: Any, kind: Type) -> Any:
    """Return the stored form of a value."""
    return value if isinstance(value, bool | Decimal) else encode(value, kind)


class PostgresDeals:
    """A connection with the tables of the small network; each question has rows of its own."""

    def __init__(self, url: str) -> None:
        """Connect and make the tables for this connection alone."""
        self.runner = asyncio.Runner()
        self.connection = self.runner.run(self._connect(url))

    async def _connect(self, url: str) -> Any:
        connection = await asyncpg.connect(url, server_settings={"timezone": "UTC", "jit": "off"})
        await prepare(connection)
        for entity in ("deal", "company", "member"):
            columns = [f'"{name}" {TYPES.get(kind, SORTED)}' for name, kind in _columns(entity).items()]
            await connection.execute(f'CREATE TEMP TABLE "{entity}" ("row" serial, {", ".join(columns)})')
        await self._insert(connection, "company", COMPANIES.values())
        await self._insert(connection, "member", MEMBERS.values())
        return connection

    async def _insert(self, connection: Any, entity: str, records: Iterable[Mapping[str, Any]]) -> None:
        columns = _columns(entity)
        names = ", ".join(f'"{name}"' for name in columns)
        marks = ", ".join(f"${number + 1}" for number in range(len(columns)))
        rows = [[stored(record.get(name), kind) for name, kind in columns.items()] for record in records]
        await connection.executemany(f'INSERT INTO "{entity}" ({names}) VALUES ({marks})', rows)  # noqa: S608 - names of this module

    def selected(
        self,
        expression: Expression,
        deals: Iterable[Mapping[str, Any]],
        names: Mapping[str, Any],
        context: Context,
        columns: DealColumns,
    ) -> list[Any]:
        """Return what the database computes for each deal, in order."""
        return self.runner.run(self._selected(expression, deals, names, context, columns))

    async def _selected(
        self,
        expression: Expression,
        deals: Iterable[Mapping[str, Any]],
        names: Mapping[str, Any],
        context: Context,
        columns: DealColumns,
    ) -> list[Any]:
        here = PostgresColumns(guarded=isinstance(columns, GuardedColumns))
        template = to_sql(expression, "postgres", here, "t")
        sql = numbered(f'SELECT {template.text} FROM "deal" AS "t" ORDER BY "t"."row"')  # noqa: S608 - what is tested
        await self.connection.execute("BEGIN")
        try:
            await self._insert(self.connection, "deal", deals)
            return [row[0] for row in await self.connection.fetch(sql, *template.bind(names, context))]
        finally:
            await self.connection.execute("ROLLBACK")

    def close(self) -> None:
        """Disconnect."""
        self.runner.run(self.connection.close())
        self.runner.close()


def _columns(entity: str) -> dict[str, Type]:
    kinds = {name: member.type for name, member in RECORDS[entity].items() if member.stored}
    return {**kinds, **({"_path": STRING} if entity == "member" else {})}
