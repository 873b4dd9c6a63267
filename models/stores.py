"""Where the store of a network is, and what can be done with it as a whole."""

from __future__ import annotations

import asyncio
import re
import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from models.address import Address
from models.connections import FileLock, connect
from models.contents import bring
from models.message import say
from models.shape import LONGEST
from models.sqlite import SqliteStore
from models.store import Store, StoreError
from models.tx import Tx

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
SUFFIX = ".sqlite"
LEDGER = "_post"
"""What the store is called that is common to all networks: no network can have such a name."""
DATABASES = ("postgres://", "postgresql://")
"""How addresses of databases begin."""
RESERVED = ("pg_", "public", "information_schema")
"""What PostgreSQL's own schemas are called."""
_BESIDE = "...import"
"""The most that stands around the name of a schema that is not in its place."""
_LEFT = LONGEST - len("...trial.") - 16
"""The most of a schema's name that stands in the name of a trial."""
SUFFIXES = ("", "-wal", "-shm", ".lock")
"""Of the files that a network on SQLite has."""


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema of the PostgreSQL database at `url`, which several processes may open at once."""

    url: Address
    name: str
    files: Path | None = field(default=None, compare=False)
    """Where the folders of uploaded files are; None: nowhere."""

    def __str__(self) -> str:
        """Return what it is called where people read it; the address may hold a password."""
        return f"the schema {self.name}"


@dataclass(frozen=True, slots=True)
class Schemas:
    """The networks of the database at `url`: each is a schema, called like it with `prefix` before its name."""

    url: Address
    prefix: str = ""
    files: Path | None = field(default=None, compare=False)


Home = Path | Schema
"""Where a network lives: a file on SQLite, which one process opens, or a schema."""

Homes = Path | Schemas
"""Where the networks of an installation live: a folder of files, or a database."""


def home_of(homes: Homes, name: str) -> Home:
    """Return where the network of that name lives, or would; `LookupError` for what cannot be a name.

    A name is what definitions allow, so it never leaves the folder.
    """
    if not NAME.fullmatch(name):
        raise LookupError(name)
    if isinstance(homes, Path):
        return homes / f"{name}{SUFFIX}"
    schema = f"{homes.prefix}{name}"
    if len(schema) > LONGEST - len(_BESIDE) or schema.startswith(RESERVED):
        raise LookupError(name)
    return Schema(homes.url, schema, homes.files)


async def names_in(homes: Homes) -> list[str]:
    """Return the names of all networks, sorted; `StoreError` when there can be none."""
    if isinstance(homes, Path):
        if await asyncio.to_thread(lambda: homes.exists() and not homes.is_dir()):
            raise StoreError(say("{folder} is not a folder.", folder=homes))
        found = await asyncio.to_thread(lambda: [path.stem for path in homes.glob(f"*{SUFFIX}")])
    else:
        from models.schemas import schemas  # noqa: PLC0415 - a server on SQLite needs no PostgreSQL driver

        known = await schemas(homes.url)
        found = [name.removeprefix(homes.prefix) for name in known if name.startswith(homes.prefix)]
    return sorted(name for name in found if NAME.fullmatch(name))


async def open_store(home: Home) -> Store:
    """Open the store of a network: `LookupError` (or `FileNotFoundError`) without one."""
    if isinstance(home, Schema):
        from models.schemas import open_schema  # noqa: PLC0415 - a server on SQLite needs no PostgreSQL driver

        return await open_schema(home.url, home.name)
    if not await asyncio.to_thread(home.is_file):
        raise FileNotFoundError(f"There is no network at {home}.")
    return await _file(home)


async def _file(path: Path) -> SqliteStore:
    """Open a file; when nobody waits for it any more, it does not stay open and locked."""
    opening = asyncio.ensure_future(asyncio.to_thread(SqliteStore, path))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        with suppress(StoreError):
            await (await opening).close()
        raise


async def create_store(home: Home) -> Store:
    """Make an empty store: `StoreError` when the schema is there; a file that is there is opened."""
    if isinstance(home, Schema):
        from models.schemas import open_schema  # noqa: PLC0415 - the same

        return await open_schema(home.url, home.name, create=True)
    return await _file(home)


async def open_ledger(homes: Homes) -> Store:
    """Open the store that the processes of an installation have in common, made where it is missing: no network."""
    if isinstance(homes, Path):
        return await _file(homes / f"{LEDGER}{SUFFIX}")
    home = Schema(homes.url, f"{homes.prefix}{LEDGER}", homes.files)
    with suppress(LookupError):
        return await open_store(home)
    try:
        return await create_store(home)
    except StoreError:  # another process has just made it
        return await open_store(home)


async def remove_store(home: Home) -> None:
    """Remove a store that nobody has open, with everything in it."""
    if isinstance(home, Schema):
        from models.schemas import drop_schema  # noqa: PLC0415 - the same

        await drop_schema(home.url, home.name)
    else:
        await asyncio.to_thread(_remove_files, home)
    await _remove_contents(home)


async def _remove_contents(home: Home) -> None:
    folder = files_of(home)
    if folder is not None:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def bring_contents(home: Home, to: Home) -> None:
    """Let the uploaded files of a network be found at another home too; what is there already stays."""
    source, target = files_of(home), files_of(to)
    if source is None or not await asyncio.to_thread(source.is_dir):
        return
    if target is None:
        raise StoreError(say("This installation has no folder for files."))
    await asyncio.to_thread(bring, source, target)


def files_of(home: Home) -> Path | None:
    """Return the folder of a network's uploaded files, which need not be there; None where there is no place for it."""
    if isinstance(home, Schema):
        return None if home.files is None else home.files / f"{home.name}.files"
    return home.with_name(f"{home.name.removesuffix(SUFFIX)}.files")


async def rename_store(home: Home, to: Home) -> None:
    """Let a store that nobody has open be found elsewhere, where there is none; both are of the same kind.

    Its files come there first and go here last: at every moment a store has its files.
    """
    await bring_contents(home, to)
    match home, to:
        case Path(), Path():
            await asyncio.to_thread(home.rename, to)
            await asyncio.to_thread(_remove_files, home)
        case Schema(url=url), Schema(url=other) if url == other:
            from models.schemas import rename_schema  # noqa: PLC0415 - the same

            await rename_schema(url, home.name, to.name)
        case _:
            raise StoreError("A store is renamed where it is; elsewhere it is copied.")
    await _remove_contents(home)


async def exists(home: Home) -> bool:
    """Whether there is a network."""
    if isinstance(home, Schema):
        from models.schemas import has_schema  # noqa: PLC0415 - the same

        return await has_schema(home.url, home.name)
    return await asyncio.to_thread(home.exists)


def partial(home: Home) -> Home:
    """Return where a network is put together that will be at `home` once it is whole; no list of networks shows it."""
    if isinstance(home, Schema):
        return replace(home, name=f".{home.name}")
    return home.with_name(f".{home.name}.partial")


def staged(home: Home) -> Home:
    """Return where a network is kept that is to come to `home` once that is free for it; no list shows it."""
    if isinstance(home, Schema):
        return replace(home, name=f".{home.name}.import")
    return home.with_name(f".{home.name}.import")


def set_aside(home: Home) -> Home:
    """Return where a network is kept that was moved elsewhere; no list of networks shows it."""
    if isinstance(home, Schema):
        return replace(home, name=f".{home.name}.moved")
    return home.with_name(f".{home.name}.moved")


def trial(home: Home, began: datetime, mark: str) -> Home:
    """Return where a backup of a network is restored for a look; no list shows it, and it does not stay.

    It has its beginning and a `mark` of its own (8 hexadecimal digits) in its name: several look at once.
    """
    name = f"{_tried(home)}{int(began.timestamp()):08x}{mark[-8:]}"
    return replace(home, name=name) if isinstance(home, Schema) else home.with_name(name)


def _tried(home: Home) -> str:
    """Return how the names of trials of a network begin; a schema's is cut off where it would get too long."""
    return f".{home.name[:_LEFT] if isinstance(home, Schema) else home.name}.trial."


async def sweep_trials(home: Home, before: datetime) -> None:
    """Remove the trials of a network that began before a moment: who made them was killed."""
    if isinstance(home, Schema):
        from models.schemas import schemas_like  # noqa: PLC0415 - a server on SQLite needs no PostgreSQL driver

        names = await schemas_like(home.url, _tried(home))
    else:
        names = await asyncio.to_thread(lambda: [path.name for path in home.parent.glob(f"*{_tried(home)}*")])
    named = re.compile(rf"(\.?{re.escape(_tried(home))}([0-9a-f]{{8}})[0-9a-f]{{8}}(?:\.partial)?).*")
    for left, at in {(found[1], found[2]) for found in map(named.fullmatch, names) if found is not None}:
        if int(at, 16) < before.timestamp():
            await remove_store(replace(home, name=left) if isinstance(home, Schema) else home.with_name(left))


def replaced(home: Home) -> Home:
    """Return where a network is kept that a backup took the place of; no list shows it."""
    if isinstance(home, Schema):
        return replace(home, name=f".{home.name}.before")
    return home.with_name(f".{home.name}.before")


async def replaced_in(homes: Homes) -> list[str]:
    """Return the names of the networks that have one kept which a backup took the place of, sorted."""
    if isinstance(homes, Path):
        end = f"{SUFFIX}.before"
        files = await asyncio.to_thread(lambda: [path.name for path in homes.glob(f".*{end}")])
        found = [name[1:].removesuffix(end) for name in files]
    else:
        from models.schemas import schemas_like  # noqa: PLC0415 - a server on SQLite needs no PostgreSQL driver

        begin, end = f".{homes.prefix}", ".before"
        known = await schemas_like(homes.url, begin)
        found = [name.removeprefix(begin).removesuffix(end) for name in known if name.endswith(end)]
    return sorted(name for name in found if NAME.fullmatch(name))


Last = Callable[[Tx | None], Awaitable[None]]
"""What is done last before a store takes the place of another, in which nothing can change any more by then.

It is given the transaction that holds a schema alone; a file is held by a lock of its own.
"""


async def replace_store(home: Home, by: Home, aside: Home, last: Last) -> None:
    """Let a store take the place of another one, which is found at `aside` from then on; nobody has any of them open.

    There is one at `home` at every moment, the old one or the new one, with its files.
    """
    await clear(aside)
    await bring_contents(home, aside)
    await bring_contents(by, home)
    match home, by, aside:
        case Path(), Path(), Path():
            lock = await asyncio.to_thread(FileLock, home)
            try:
                await last(None)
                await asyncio.to_thread(_replace_file, home, by, aside)
            finally:
                lock.release()
            await asyncio.to_thread(_remove_files, by)
        case Schema(url=url), Schema(url=other), Schema() if url == other:
            from models.schemas import replace_schema  # noqa: PLC0415 - a server on SQLite needs no PostgreSQL driver

            await replace_schema(url, home.name, by.name, aside.name, last)
        case _:
            raise StoreError("A store takes the place of one of its own kind.")
    await _remove_contents(by)


def _replace_file(home: Path, by: Path, aside: Path) -> None:
    """Replace a file whose lock is held."""
    for suffix in ("", "-wal"):
        with suppress(FileNotFoundError):
            aside.with_name(aside.name + suffix).hardlink_to(home.with_name(home.name + suffix))
    with suppress(sqlite3.Error):  # one that is damaged stays as it is
        connect(home, "write").close()  # what stands beside the file goes into it
    for suffix in ("-wal", "-shm"):  # the new file must not meet what belongs to the old one
        home.with_name(home.name + suffix).unlink(missing_ok=True)
    by.rename(home)


async def clear(home: Home) -> None:
    """Remove what an attempt that was broken off left behind; `StoreBusyError` when it is still going on."""
    if isinstance(home, Path) and await asyncio.to_thread(home.exists):
        FileLock(home).release()
    await remove_store(home)


async def discard_unfinished(home: Home) -> bool:
    """Remove a store in which nothing was ever published: whoever was making it stopped in the middle.

    Return whether there was one. `StoreBusyError` when somebody is making it just now.
    """
    if isinstance(home, Schema):
        from models.schemas import drop_unfinished  # noqa: PLC0415 - the same

        return await drop_unfinished(home.url, home.name)
    return await asyncio.to_thread(_discard_file, home)


def _discard_file(path: Path) -> bool:
    if not path.is_file():
        return False
    lock = FileLock(path)
    try:
        with closing(connect(path, "read")) as connection:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
            count = 'SELECT count(*) FROM "_definition"'
            if tables and ("_definition" not in tables or connection.execute(count).fetchone() != (0,)):
                return False
        _remove_files(path)
    except sqlite3.DatabaseError:
        return False
    finally:
        lock.release()
    return True


def _remove_files(path: Path) -> None:
    for suffix in SUFFIXES:
        path.with_name(path.name + suffix).unlink(missing_ok=True)
