"""The definitions that a network lives by, read beside whoever has it open."""

from __future__ import annotations

import asyncio
import json
from contextlib import closing
from pathlib import Path

from models.connections import connect
from models.stores import Home, Schema
from models.tx import Row, Tx

NEWEST = 'SELECT "files" FROM "_definition" ORDER BY "version" DESC LIMIT 1'


async def newest_files(home: Home) -> dict[str, str] | None:
    """Return the files of the current version; None where nothing was published yet."""
    row = await _in_schema(home) if isinstance(home, Schema) else await asyncio.to_thread(_in_file, home)
    return None if row is None else dict(json.loads(row[0]))


def _in_file(path: Path) -> Row | None:
    with closing(connect(path, "read")) as connection:
        made = connection.execute("SELECT 1 FROM sqlite_schema WHERE name = '_definition'").fetchone()
        row: Row | None = None if made is None else connection.execute(NEWEST).fetchone()
        return row


async def _in_schema(home: Schema) -> Row | None:
    from models.schemas import open_schema  # noqa: PLC0415 - an installation on SQLite needs no PostgreSQL driver

    async def work(tx: Tx) -> Row | None:
        made = await tx.row("SELECT to_regclass(?)::text", [f'"{home.name}"."_definition"'])
        return None if made is None or made[0] is None else await tx.row(NEWEST)

    store = await open_schema(home.url, home.name)
    try:
        return await store.read(work, any_version=True)
    finally:
        await store.close()
