"""What the system's tables of a network hold, read beside whoever has it open, whatever its definitions are."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from models.connections import connect
from models.message import say
from models.store import StoreError
from models.stores import Home, Schema
from models.tx import Row, Tx

NEWEST = 'SELECT "files" FROM "_definition" ORDER BY "version" DESC LIMIT 1'


async def newest_files(home: Home) -> dict[str, str] | None:
    """Return the files of the current version; None where nothing was published yet. `StoreError` as `look` has it."""
    rows = await look(home, NEWEST)
    return dict(json.loads(rows[0][0])) if rows else None


async def look(home: Home, sql: str, values: Sequence[Any] = (), tx: Tx | None = None) -> Sequence[Row]:
    """Return the rows of a query over the system's tables; none where nothing was ever published.

    It is asked in `tx` where one is given: whoever holds a schema alone lets nobody else look.
    `StoreError`: it cannot be reached, or is none of ours.
    """
    if isinstance(home, Schema):
        return await _in_schema(home, sql, values, tx)
    try:
        return await asyncio.to_thread(_in_file, home, sql, values)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(say("{path} cannot be opened: {reason}.", path=home, reason=error)) from error


def _in_file(path: Path, sql: str, values: Sequence[Any]) -> Sequence[Row]:
    with closing(connect(path, "read")) as connection:
        made = connection.execute("SELECT 1 FROM sqlite_schema WHERE name = '_definition'").fetchone()
        return [] if made is None else connection.execute(sql, values).fetchall()


async def _in_schema(home: Schema, sql: str, values: Sequence[Any], held: Tx | None) -> Sequence[Row]:
    import asyncpg  # type: ignore[import-untyped] # noqa: PLC0415 - an installation on SQLite needs no PostgreSQL driver

    from models.schemas import open_schema  # noqa: PLC0415 - the same

    async def work(tx: Tx) -> Sequence[Row]:
        made = await tx.row("SELECT to_regclass(?)::text", [f'"{home.name}"."_definition"'])
        return [] if made is None or made[0] is None else await tx.rows(sql, values)

    try:
        if held is not None:
            return await work(held)
        store = await open_schema(home.url, home.name)
        try:
            return await store.read(work, any_version=True)
        finally:
            await store.close()
    except (asyncpg.PostgresError, LookupError, OSError) as error:
        raise StoreError(say("{path} cannot be opened: {reason}.", path=home, reason=error)) from error
