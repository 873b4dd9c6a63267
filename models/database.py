"""A PostgreSQL database as the networks of one process share it: its connections, and what other processes tell.

Each network has a schema of its own. A connection belongs to none of them: every transaction says which it is in.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import asyncpg  # type: ignore[import-untyped] # it has no types

from models.address import Address, Pooled, direct_of, main_of, servers_of
from models.connections import stored_datetime
from models.presence import Presence, sign
from models.store import StoreClosedError, StoreError, StoreUnreachableError

if TYPE_CHECKING:
    Connection = Any
    Pool = Any

CONNECTIONS = 10
"""Connections a process has to one database, beside the one that listens."""
STATEMENTS = 500
"""Prepared statements a connection keeps."""
WAIT = 10.0
"""Seconds that a transaction waits for a free connection at most: then the caller is told that there is none."""
CONNECT = 4.0
"""Seconds that a server has to answer who connects, before the next one is asked."""
SILENCE = 15
"""Seconds without a sign from the server's machine after which a connection is lost."""
LOCK_WAIT = 30
"""Seconds that a transaction waits for what others hold."""
UNDO = 3.0
"""Seconds that undoing a transaction may take; then its connection is given up."""
CHANNEL = "maille"
_NOTIFY = "SELECT pg_notify($1, told) FROM unnest($2::text[]) told"
PAUSE = 1.0
"""Seconds between tries to listen again."""

CONNECTED = {"timezone": "UTC", "application_name": "maille"}
"""What each connection says; every pooler passes it on."""
BEGUN = {"jit": "off", "synchronous_commit": "on", "lock_timeout": f"{LOCK_WAIT}s"}
"""What holds in every transaction: said when a connection is made, or where a pooler lends them, in each."""
SETTINGS = CONNECTED | BEGUN
LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.TargetServerAttributeNotMatched,  # there are standbys alone
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that is cut while it is spoken to
    OSError,  # `TimeoutError` is one
)
"""What is raised when the server is not there, or no longer."""

_OPEN: dict[tuple[asyncio.AbstractEventLoop, Address], Database] = {}


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


async def undo(connection: Connection) -> None:
    """Undo what a connection is in the middle of; one that cannot say that it did is given up."""
    if in_transaction(connection):
        try:
            await connection.execute("ROLLBACK", timeout=UNDO)
        except LOST:
            with suppress(asyncpg.InterfaceError):
                connection.terminate()


class Watched(asyncpg.Connection):  # type: ignore[misc] # it has no types
    """A connection that notices within seconds that the machine at its other end is gone."""

    __slots__ = ()

    def __init__(self, protocol: Any, transport: asyncio.Transport, *further: Any) -> None:
        """Have the system ask the other end for a sign of life."""
        super().__init__(protocol, transport, *further)
        line = transport.get_extra_info("socket")
        if line is None or line.family not in {socket.AF_INET, socket.AF_INET6}:
            return
        line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # on Linux
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, SILENCE // 3)
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, SILENCE // 3)
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SILENCE * 1000)


async def connect(url: str, **how: Any) -> Connection:
    """Connect to a database; of several servers, to the first that answers in time and takes changes."""
    servers = servers_of(url)
    if len(servers) == 1:
        return await asyncpg.connect(url, **{"connection_class": Watched, **how})
    failed: Exception = StoreUnreachableError("No server was asked.")
    for server in servers:
        try:
            async with asyncio.timeout(CONNECT):
                return await asyncpg.connect(
                    server, **{"connection_class": Watched, **how, "target_session_attrs": "read-write"}
                )
        except LOST as error:
            failed = error
    raise failed


async def _keep(_: Connection) -> None:
    """Give a connection back as it is: nothing outlives a transaction, so nothing has to be reset."""


def connections() -> tuple[int, int]:
    """Return how many connections this process has to databases, and how many of them are free."""
    pools = [each.pool for each in _OPEN.values() if each.pool is not None]
    return sum(pool.get_size() for pool in pools), sum(pool.get_idle_size() for pool in pools)


class Database:
    """The connections of this process to a database, kept while a store uses them: `lease` and `release`."""

    def __init__(self, address: Address) -> None:
        """Use `lease`."""
        self.address = address
        self.url = main_of(address)
        self.pooled = isinstance(address, Pooled)
        self.begins = tuple(f"SET LOCAL {name} TO '{value}'" for name, value in BEGUN.items() if self.pooled)
        self.wait = WAIT
        self.token = secrets.token_hex(8)
        self.presence: Presence | None = None
        self._key = secrets.randbelow(2**31)
        self._sessions = 0
        self._users = 0
        self._pool: Pool | None = None
        self._starting = asyncio.Lock()
        self._listeners: dict[str, set[Callable[[], None]]] = {}
        self._listening: asyncio.Task[None] | None = None
        self._untold: set[str] = set()
        self._telling: asyncio.Task[None] | None = None

    @property
    def pool(self) -> Pool | None:
        """Its connections, None before there are any."""
        return self._pool

    @classmethod
    async def lease(cls, address: Address) -> Database:
        """Return the database at an address, connected. `StoreUnreachableError` when it is not there."""
        key = (asyncio.get_running_loop(), address)
        found = _OPEN.get(key)
        if found is None:
            found = _OPEN[key] = cls(address)
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
        _OPEN.pop((asyncio.get_running_loop(), self.address), None)
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
                    connect=connect,
                    connection_class=Watched,
                    init=self._prepare,
                    reset=_keep,
                    statement_cache_size=0 if self.pooled else STATEMENTS,
                    max_cached_statement_lifetime=0,
                    server_settings=CONNECTED if self.pooled else SETTINGS,
                )
            except (*LOST, asyncpg.PostgresError, OverflowError, ValueError) as error:  # or the address is none
                raise StoreUnreachableError(f"The database cannot be reached: {error}") from error

    async def _prepare(self, connection: Connection) -> None:
        async with connection.transaction():  # a question and its answer: two messages, for one server
            await prepare(connection)

    async def take(self) -> Connection:
        """Take a connection out of the pool. `TimeoutError` when none is free, or none can be made, in time."""
        if self._pool is None:
            raise StoreClosedError("The database is closed.")
        try:
            return await self._pool.acquire(timeout=self.wait)
        except TimeoutError as error:
            raise TimeoutError(f"there was no connection within {self.wait:g} seconds") from error

    async def doubt(self, connection: Connection) -> None:
        """Give a connection up, and make all others anew that are free, or become so."""
        with suppress(asyncpg.InterfaceError):  # one that was cut has left the pool by itself
            connection.terminate()
        if self._pool is not None:
            await self._pool.expire_connections()

    async def give_back(self, connection: Connection) -> None:
        """Put a connection back; one that is still in a transaction is of no more use."""
        if self._pool is None:
            return
        if in_transaction(connection):
            connection.terminate()
        with suppress(asyncpg.InterfaceError):  # one that was cut has left the pool by itself
            await self._pool.release(connection)

    @asynccontextmanager
    async def connection(self, isolation: str = "read_committed") -> AsyncIterator[Connection]:
        """Borrow a connection for one transaction, which waits for what others hold as long as it takes.

        `StoreUnreachableError` when the database is not there, or goes away.
        """
        try:
            async with self._borrowed() as connection, connection.transaction(isolation=isolation):
                await connection.execute("; ".join((*self.begins, "SET LOCAL lock_timeout TO 0")))
                yield connection
        except LOST as error:
            raise StoreUnreachableError(f"The database cannot be reached: {error}") from error

    @asynccontextmanager
    async def _borrowed(self) -> AsyncIterator[Connection]:
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
                connection = await connect(direct_of(self.address), server_settings=CONNECTED)
            try:
                if connection is not None:
                    connection.add_termination_listener(lambda _, lost=lost: lost.set())
                    await connection.add_listener(CHANNEL, self._heard)
                    await self._appear(connection)
                    self._hear_everything()
                    await lost.wait()
            except LOST:
                lost.set()
            finally:
                self.presence = None
                if connection is not None:
                    connection.terminate()
            await asyncio.sleep(PAUSE)

    async def _appear(self, connection: Connection) -> None:
        """Show others that this process lives, for as long as this connection is there; behind a pooler nobody can."""
        with suppress(asyncpg.PostgresError):
            if await connection.execute(sign(self._key, connection.get_server_pid())) == "SELECT 1":
                self._sessions += 1
                self.presence = Presence(self._key, self._sessions)

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
                async with self.connection() if self.pooled else self._borrowed() as connection:
                    await connection.execute(_NOTIFY, CHANNEL, schemas)
        except (*LOST, asyncpg.PostgresError, StoreError):
            self._untold.clear()
        finally:
            self._telling = None
