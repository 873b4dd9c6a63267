"""The PostgreSQL store: one schema per network, transactions that several processes run at once.

A writing transaction sees one snapshot (`REPEATABLE READ`) and is undone and begun anew when somebody else changed a
row that it changes; `Tx.lock` makes such a row of what is not one. So work may rely on what it read, as on SQLite,
where one writer does everything. Each transaction first makes sure that the definitions are those that its process
knows, and keeps them from being changed: it holds `_definition`, which publishing wants for itself.
"""

from __future__ import annotations

import asyncio
import contextvars
import random
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import asyncpg  # type: ignore[import-untyped] # it has no types

from models.database import LOCK_WAIT, LOST, Database, in_transaction, undo
from models.ddl import quoted
from models.message import say
from models.piccolo_postgres import PostgresStoreEngine
from models.postgres_tx import AgainError, PostgresTx
from models.presence import Presence
from models.store import (
    ConstraintError,
    StaleError,
    StoreBusyError,
    StoreClosedError,
    StoreError,
    StoreUnreachableError,
    UnknownError,
    WorkError,
)
from models.tx import Dialect, Work

if TYPE_CHECKING:
    from models.database import Connection

T = TypeVar("T")

TRIES = 40
"""So often a piece of work is begun at most before its collisions with others are an error."""
ALONE = 4
"""From this try on, work that collided waits for other such work first."""
LONGEST_PAUSE = 0.05
"""Seconds that a piece of work waits at most before it begins anew."""
LOSSES = 2
"""So often work whose connection is lost before its commit begins anew on another one."""
ACKNOWLEDGE = 20.0
"""Seconds that a commit may take, a standby's answer included; then nobody knows, and its caller is told so."""
READS = "REPEATABLE READ READ ONLY"
STALE = "MA001"
"""The SQLSTATE of `_expect`: another version of the definitions is current."""

_INSIDE: contextvars.ContextVar[bool] = contextvars.ContextVar("maille_inside_transaction", default=False)


class _OtherVersionError(AgainError):
    """The definitions are others now; the work begins anew once this process knows them."""


def lane(schema: str) -> int:
    """Return the number of the lock that changes of a schema's tables queue at."""
    return zlib.crc32(schema.encode())


@dataclass(slots=True)
class _Job(Generic[T]):
    """A piece of work: how its transaction begins, and whether it has begun."""

    work: Work[T]
    mode: str
    any_version: bool = False
    schema: bool = False
    then: Callable[[], None] | None = None
    begun: bool = False
    losses: int = 0


class PostgresStore:
    """One schema of a database; see `models.store.Store` for the promises."""

    dialect: Dialect = "postgres"

    def __init__(self, database: Database, schema: str, *, rng: random.Random | None = None) -> None:
        """Use `open_schema`; `rng` spreads the pauses after collisions."""
        self.database = database
        self.schema = schema
        self.engine = PostgresStoreEngine(self)
        self._rng = rng or random.Random()  # noqa: S311 - chance that spreads pauses guards no secret
        self._changed: asyncio.Event | None = None
        self._version: int | None = None
        self._renew: Callable[[], Awaitable[None]] | None = None
        self._schema_changes = 0
        self._jobs: set[asyncio.Task[Any]] = set()
        self._closed = False
        self.gone = False

    @property
    def changed(self) -> asyncio.Event:
        """Set after each commit that touched rows, by whichever process; who asks for it begins to listen."""
        if self._changed is None:
            self._changed = asyncio.Event()
            self.database.listen(self.schema, self._changed.set)
        return self._changed

    @property
    def presence(self) -> Presence | None:
        """How others see that this process lives; None before `changed` was looked at, and while nobody can tell."""
        return self.database.presence

    @property
    def waiting(self) -> int:
        """How many pieces of work are under way, those included that wait for a connection."""
        return len(self._jobs)

    def follow(self, version: int, renew: Callable[[], Awaitable[None]]) -> None:
        """Let work expect this version of the definitions; see `models.store.Store`."""
        self._version = version
        self._renew = renew

    async def read(self, work: Work[T], *, any_version: bool = False, long: bool = False) -> T:  # noqa: ARG002 - all are beside
        """Run `work` on one snapshot of the data, without the right to write."""
        return await self._start(_Job(work, READS, any_version))

    async def write(
        self,
        work: Work[T],
        *,
        schema: bool = False,
        claim: bool = False,
        then: Callable[[], None] | None = None,
    ) -> T:
        """Run `work` in a transaction and return once its commit is on disk; see `models.store.Store`."""
        mode = "READ COMMITTED" if schema or claim else "REPEATABLE READ"
        return await self._start(_Job(work, mode, schema=schema, then=then))

    async def close(self) -> None:
        """Finish what was accepted, then close; closing twice is fine."""
        if self._closed:
            return
        self._closed = True
        if self._jobs:
            await asyncio.wait(self._jobs)
        if self._changed is not None:
            self.database.unlisten(self.schema, self._changed.set)
        await self.database.release()

    async def _start(self, job: _Job[T]) -> T:
        """Let the work run to its end though its caller is cancelled, unless it has not begun."""
        if self._closed:
            raise StoreClosedError(f"{self.schema} is closed.")
        if _INSIDE.get():
            message = "Work in a transaction cannot ask the store for another one: use the transaction that it has."
            raise WorkError(message)
        task = asyncio.create_task(self._finish(job))
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if not job.begun:
                task.cancel()
            task.add_done_callback(_look_at)
            raise

    async def _finish(self, job: _Job[T]) -> T:
        _INSIDE.set(True)
        failed: Exception = StoreError("Nothing was tried.")
        violated = False
        for number in range(TRIES):
            try:
                return await self._try(job, alone=number >= ALONE)
            except _OtherVersionError as error:
                failed = error
                if self._renew is not None:
                    await _outside(self._renew)
                continue
            except AgainError as error:
                failed = error
            except ConstraintError:
                if violated or job.schema:
                    raise
                violated = True  # by what the snapshot did not show, perhaps: with the next one the work sees it
                continue
            await asyncio.sleep(min(LONGEST_PAUSE, 0.002 * number) * self._rng.random())
        raise StoreError(say("The change collided with others {tries} times.", tries=TRIES)) from failed

    async def _try(self, job: _Job[T], *, alone: bool) -> T:
        """Run the work in one transaction. `AgainError` when it has to begin anew."""
        connection = await self._connection()
        try:
            return await self._transact(connection, job, alone=alone)
        except asyncpg.LockNotAvailableError as error:
            raise StoreBusyError(
                say("Others kept what this needs for more than {seconds} seconds.", seconds=LOCK_WAIT)
            ) from error
        except (*LOST, asyncpg.ReadOnlySQLTransactionError) as error:
            if job.mode == READS and isinstance(error, asyncpg.ReadOnlySQLTransactionError):
                raise
            await self._lose(connection, job, error)
            raise AgainError(str(error)) from error
        finally:
            await self.database.give_back(connection)

    async def _lose(self, connection: Connection, job: _Job[T], error: Exception) -> None:
        """Count a connection that is lost, or leads to a standby; those made before it are not trusted either."""
        await self.database.doubt(connection)
        job.losses += 1
        if job.losses > LOSSES:
            raise StoreUnreachableError(f"The database went away: {error}") from error

    async def _connection(self) -> Connection:
        try:
            return await self.database.take()
        except LOST as error:
            raise StoreUnreachableError(f"The database cannot be reached: {error}") from error

    async def _transact(self, connection: Connection, job: _Job[T], *, alone: bool) -> T:
        self._schema_changes += job.schema
        stamp = f"{self.schema} {id(self)}.{self._schema_changes}." if job.schema else f"{self.schema} {self._version}"
        tx = PostgresTx(connection, stamp, changes_tables=job.schema)
        try:
            await self._begin(connection, job, alone=alone)
            job.begun = True
            done = await job.work(tx)
            await tx.flush()
            await self._commit(tx)
        except BaseException as error:
            await undo(connection)
            if tx.collided:
                raise AgainError(str(error)) from error
            raise
        if tx.touched:
            self.tell()
        if job.then is not None:
            job.then()
        return done

    async def _begin(self, connection: Connection, job: _Job[T], *, alone: bool) -> None:
        """Begin a transaction in which the definitions are the expected ones, and stay so; all in one round trip."""
        path = f"SET LOCAL search_path TO {quoted(self.schema)}"
        statements = [f"BEGIN ISOLATION LEVEL {job.mode}", *self.database.begins, path]
        if job.schema:
            statements = await self._begin_alone(connection, statements)
        elif not job.any_version:
            # Before the snapshot is taken, so that who waited for others sees what they did.
            mode = "SHARE UPDATE EXCLUSIVE" if alone else "ACCESS SHARE"
            statements.append(f'LOCK TABLE "_definition" IN {mode} MODE')
        if not job.any_version and self._version is not None:
            statements.append(f'SELECT "_expect"({self._version})')
        try:
            await connection.execute("; ".join(statements) or "SELECT 1")
        except asyncpg.UndefinedTableError as error:
            self.gone = True
            raise StoreClosedError(f"The network {self.schema} is gone.") from error
        except asyncpg.PostgresError as error:
            if error.sqlstate != STALE:
                raise
            if job.schema:
                raise StaleError("Another version was published meanwhile.") from error
            raise _OtherVersionError("The definitions changed.") from error

    async def _begin_alone(self, connection: Connection, statements: list[str]) -> list[str]:
        """Begin where tables change, waiting for others as long as it takes; return what is still to be said."""
        statements += ["SET LOCAL lock_timeout TO 0", "SET CONSTRAINTS ALL DEFERRED"]
        statements.append(f"SELECT pg_advisory_xact_lock({lane(self.schema)})")
        await connection.execute("; ".join(statements))
        made = await connection.fetchval("SELECT to_regclass('_definition')") is not None
        return ['LOCK TABLE "_definition" IN ACCESS EXCLUSIVE MODE'] if made else []

    async def _commit(self, tx: PostgresTx) -> None:
        if tx.connection.is_closed():
            raise ConnectionResetError("It was cut before the commit.")
        if not in_transaction(tx.connection):
            raise StoreError("The work ended the transaction that it was in.")
        if tx.collided:
            raise StoreError("The change could not be saved: a statement in it had failed.")
        try:
            status = await tx.ask(tx.connection.execute("COMMIT", timeout=ACKNOWLEDGE))
        except LOST as error:  # too late is among them
            raise UnknownError from error
        if status != "COMMIT":
            raise StoreError("The change could not be saved: a statement in it had failed.")

    def tell(self) -> None:
        """Tell this process and the others that something was committed."""
        if self._changed is not None:
            self._changed.set()
        self.database.tell(self.schema)


async def _outside(renew: Callable[[], Awaitable[None]]) -> None:
    """Await what uses the store from within its own work, between two tries of it."""
    token = _INSIDE.set(False)
    try:
        await renew()
    finally:
        _INSIDE.reset(token)


def _look_at(task: asyncio.Task[Any]) -> None:
    """Take note of what came of work that nobody waits for any more."""
    if not task.cancelled():
        task.exception()
