"""A PostgreSQL database as the networks of one process share it: its connections, and what other processes tell.

Each network has a schema of its own. A connection belongs to none of them: every transaction says which it is in.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import asyncpg  # type: ignore[import-untyped] # it has no types

from models.connections import stored_datetime
from models.store import StoreClosedError, StoreUnreachableError

if TYPE_CHECKING:
    Connection = Any
    Pool = Any

CONNECTIONS = 10
"""Connections a process has to one database, beside the one that listens."""
STATEMENTS = 500
"""Prepared statements a connection keeps."""
CHANNEL = "maille"
_NOTIFY = "SELECT pg_notify($1, told) FROM unnest($2::text[]) told"
PAUSE = 1.0
"""Seconds between tries to listen again."""

SETTINGS = {"timezone": "UTC", "jit": "off", "synchronous_commit": "on", "application_name": "maille"}
LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that is cut while it is spoken to
    OSError,
)
"""What is raised when the server is not there, or no longer."""

_OPEN: dict[tuple[asyncio.AbstractEventLoop, str], Database] = {}


def moment(text: str) -> str:
    """Return a `timestamptz` in UTC, as PostgreSQL writes it, in its stored form: always with six decimals."""
    whole, _, fraction = text.removesuffix("+00").partition(".")
    return f"{whole}.{fraction:0<6}+00:00"


async def prepare(connection: Connection) -> None:
    """Let moments and dates be the texts that `models.columns` has for them; Piccolo's own values are taken too."""
    await connection.set_type_codec(
        "timestamptz",
        schema="pg_catalog",
        encoder=lambda value: value if isinstance(value, str) else stored_datetime(value),
        decoder=moment,
    )
    await connection.set_type_codec("date", schema="pg_catalog", encoder=str, decoder=str)


def in_transaction(connection: Connection) -> bool:
    """Whether a connection is there, and in a transaction."""
    try:
        return bool(not connection.is_closed() and connection.is_in_transaction())
    except asyncpg.InterfaceError:  # it was cut, and has left its pool
        return False


async def _keep(_: Connection) -> None:
    """Give a connection back as it is: nothing outlives a transaction, so nothing has to be reset."""


class Database:
    """The connections of this process to a database, kept while a store uses them: `lease` and `release`."""

    def __init__(self, url: str) -> None:
        """Use `lease`."""
        self.url = url
        self.token = secrets.token_hex(8)
        self._users = 0
        self._pool: Pool | None = None
        self._starting = asyncio.Lock()
        self._listeners: dict[str, set[Callable[[], None]]] = {}
        self._listening: asyncio.Task[None] | None = None
        self._untold: set[str] = set()
        self._telling: asyncio.Task[None] | None = None

    @classmethod
    async def lease(cls, url: str) -> Database:
        """Return the database at `url`, connected. `StoreUnreachableError` when it is not there."""
        key = (asyncio.get_running_loop(), url)
        found = _OPEN.get(key)
        if found is None:
            found = _OPEN[key] = cls(url)
        found._users += 1
        try:
            await found._start()
        except BaseException:
            await found.release()
            raise
        return found

    async def release(self) -> None:
        """Give up the use of it; the last one closes the connections."""
        self._users -= 1
        if self._users:
            return
        _OPEN.pop((asyncio.get_running_loop(), self.url), None)
        if self._listening is not None:
            self._listening.cancel()
            with suppress(asyncio.CancelledError):
                await self._listening
        while self._telling is not None:
            await self._telling
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

    async def _start(self) -> None:
        async with self._starting:
            if self._pool is not None:
                return
            try:
                self._pool = await asyncpg.create_pool(
                    self.url,
                    min_size=1,
                    max_size=CONNECTIONS,
                    init=prepare,
                    reset=_keep,
                    statement_cache_size=STATEMENTS,
                    max_cached_statement_lifetime=0,
                    server_settings=SETTINGS,
                )
            except (*LOST, asyncpg.PostgresError, OverflowError, ValueError) as error:  # or the address is none
                raise StoreUnreachableError(f"The database cannot be reached: {error}") from error

    async def take(self) -> Connection:
        """Take a connection out of the pool, waiting for one that is free."""
        if self._pool is None:
            raise StoreClosedError("The database is closed.")
        return await self._pool.acquire()

    async def give_back(self, connection: Connection) -> None:
        """Put a connection back; one that is still in a transaction is of no more use."""
        if self._pool is None:
            return
        if in_transaction(connection):
            connection.terminate()
        with suppress(asyncpg.InterfaceError):  # one that was cut has left the pool by itself
            await self._pool.release(connection)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Borrow a connection for statements that are each a transaction of their own."""
        connection = await self.take()
        try:
            yield connection
        finally:
            await self.give_back(connection)

    # Between processes ----------------------------------------------------------------------------------------------

    def listen(self, schema: str, heard: Callable[[], None]) -> None:
        """Call `heard` after commits in a schema by other processes (and when some may have been missed)."""
        self._listeners.setdefault(schema, set()).add(heard)
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen())

    def unlisten(self, schema: str, heard: Callable[[], None]) -> None:
        """Call it no more."""
        self._listeners.get(schema, set()).discard(heard)

    async def _listen(self) -> None:
        """Hold a connection of its own that listens, and get another one when it is lost."""
        while True:
            connection = None
            lost = asyncio.Event()
            with suppress(*LOST, asyncpg.PostgresError):
                connection = await asyncpg.connect(self.url, server_settings=SETTINGS)
            try:
                if connection is not None:
                    connection.add_termination_listener(lambda _, lost=lost: lost.set())
                    await connection.add_listener(CHANNEL, self._heard)
                    self._hear_everything()
                    await lost.wait()
            except LOST:
                lost.set()
            finally:
                if connection is not None:
                    connection.terminate()
            await asyncio.sleep(PAUSE)

    def _heard(self, _connection: object, _pid: int, _channel: str, payload: str) -> None:
        schema, _, token = payload.partition(" ")
        if token != self.token:
            for heard in tuple(self._listeners.get(schema, ())):
                heard()

    def _hear_everything(self) -> None:
        for listeners in tuple(self._listeners.values()):
            for heard in tuple(listeners):
                heard()

    def tell(self, schema: str) -> None:
        """Let the other processes know that something was committed in a schema.

        After the commit and not in it: commits that notify wait for one another in PostgreSQL. Whoever misses it looks
        for work every few seconds anyway.
        """
        self._untold.add(schema)
        if self._telling is None:
            self._telling = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        try:
            while self._untold:
                schemas = [f"{schema} {self.token}" for schema in self._untold]
                self._untold.clear()
                async with self.connection() as connection:
                    await connection.execute(_NOTIFY, CHANNEL, schemas)
        except (*LOST, asyncpg.PostgresError, StoreClosedError):
            self._untold.clear()
        finally:
            self._telling = None
