"""Where the store of a network is, and what can be done with it as a whole."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from models.sqlite import SqliteStore
from models.store import Store, StoreError

SUFFIXES = ("", "-wal", "-shm", ".lock")
"""Of the files that a network on SQLite has."""


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema of the PostgreSQL database at `url`, which several processes may open at once."""

    url: str
    name: str

    def __str__(self) -> str:
        """Return what it is called where people read it; the address may hold a password."""
        return f"the schema {self.name}"


Home = Path | Schema
"""Where a network lives: a file on SQLite, which one process opens, or a schema."""


async def open_store(home: Home) -> Store:
    """Open the store of a network: `LookupError` (or `FileNotFoundError`) without one."""
    if isinstance(home, Schema):
        from models.postgres import open_schema  # noqa: PLC0415 - a server on SQLite needs no PostgreSQL driver

        return await open_schema(home.url, home.name)
    if not await asyncio.to_thread(home.is_file):
        raise FileNotFoundError(f"There is no network at {home}.")
    return await asyncio.to_thread(SqliteStore, home)


async def create_store(home: Home) -> Store:
    """Make an empty store: `StoreError` when there is one already."""
    if isinstance(home, Schema):
        from models.postgres import open_schema  # noqa: PLC0415 - the same

        return await open_schema(home.url, home.name, create=True)
    if await asyncio.to_thread(home.exists):
        raise StoreError(f"There is a network at {home} already.")
    return await asyncio.to_thread(SqliteStore, home)


async def remove_store(home: Home) -> None:
    """Remove a store that nobody has open, with everything in it."""
    if isinstance(home, Schema):
        from models.postgres import drop_schema  # noqa: PLC0415 - the same

        await drop_schema(home.url, home.name)
    else:
        await asyncio.to_thread(_remove_files, home)


async def rename_store(home: Home, to: Home) -> None:
    """Let a store that nobody has open be found elsewhere, where there is none; both are of the same kind."""
    match home, to:
        case Path(), Path():
            await asyncio.to_thread(home.rename, to)
        case Schema(url=url), Schema(url=other) if url == other:
            from models.postgres import rename_schema  # noqa: PLC0415 - the same

            await rename_schema(url, home.name, to.name)
        case _:
            raise StoreError("A store is renamed where it is; elsewhere it is copied.")


async def exists(home: Home) -> bool:
    """Whether there is a network."""
    if isinstance(home, Schema):
        from models.postgres import schemas  # noqa: PLC0415 - the same

        return home.name in await schemas(home.url)
    return await asyncio.to_thread(home.exists)


def _remove_files(path: Path) -> None:
    for suffix in SUFFIXES:
        path.with_name(path.name + suffix).unlink(missing_ok=True)
