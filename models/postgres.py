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
import re
import zlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import asyncpg  # type: ignore[import-untyped] # it has no types
from piccolo.query.base import Query

from models.database import LOST, Database, in_transaction
from models.ddl import quoted
from models.message import say
from models.piccolo_postgres import PostgresStoreEngine, within
from models.store import (
    ConstraintError,
    StaleError,
    StoreClosedError,
    StoreError,
    StoreUnreachableError,
    WorkError,
)
from models.tx import Dialect, Row, SqlValue, Work

if TYPE_CHECKING:
    from models.database import Connection

T = TypeVar("T")

TRIES = 40
"""So often a piece of work is begun at most before its collisions with others are an error."""
ALONE = 4
"""From this try on, work that collided waits for other such work first."""
LONGEST_PAUSE = 0.05
"""Seconds that a piece of work waits at most before it begins anew."""
BUCKETS = 4096
STALE = "MA001"
"""The SQLSTATE of `_expect`: another version of the definitions is current."""

_MARK = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\?")
_INSIDE: contextvars.ContextVar[bool] = contextvars.ContextVar("maille_inside_transaction", default=False)


class _AgainError(Exception):
    """The transaction collided with another one: it is undone, and its work begins anew."""


class _OtherVersionError(_AgainError):
    """The definitions are others now; the work begins anew once this process knows them."""


@lru_cache(maxsize=8192)
def numbered(sql: str) -> str:
    """Return SQL with `$1`, `$2`, … for each `?` outside of texts and names."""
    number = 0

    def mark(found: re.Match[str]) -> str:
        nonlocal number
        if found[0] != "?":
            return found[0]
        number += 1
        return f"${number}"

    return _MARK.sub(mark, sql)


def touched(status: str) -> int:
    """Return the number of rows of a command's status (`UPDATE 3`)."""
    verb, _, rest = status.partition(" ")
    return int(rest.rpartition(" ")[2]) if verb in {"INSERT", "UPDATE", "DELETE", "MERGE"} else 0


def lane(schema: str) -> int:
    """Return the number of the lock that changes of a schema's tables, and work that collided in it, queue at."""
    return zlib.crc32(schema.encode())


def _told(values: Sequence[SqlValue]) -> list[SqlValue]:
    """Return values without the letter that PostgreSQL knows in no text; what has it equals nothing that is stored."""
    return [value.replace("\0", "\ufffd") if type(value) is str and "\0" in value else value for value in values]


@dataclass(slots=True)
class PostgresTx:
    """A transaction on a connection; see `models.tx.Tx`.

    `stamp` tells apart prepared statements of the same text: those of other schemas, and of other versions.
    """

    connection: Connection
    stamp: str
    changes_tables: bool = False
    touched: bool = False
    collided: bool = False
    dialect: Dialect = field(default="postgres", init=False)
    _altered: int = field(default=0, init=False)

    async def rows(self, sql: str, values: Sequence[SqlValue] = ()) -> list[Row]:
        """Return all rows of a query."""
        found = await self.ask(self.connection.fetch(self._text(sql), *_told(values)))
        if found and "RETURNING" in sql:
            self.touched = True
        return list(map(tuple, found))

    async def row(self, sql: str, values: Sequence[SqlValue] = ()) -> Row | None:
        """Return the first row of a query, None without one."""
        found = await self.ask(self.connection.fetchrow(self._text(sql), *_told(values)))
        return None if found is None else tuple(found)

    async def run(self, sql: str, values: Sequence[SqlValue] = ()) -> int:
        """Run a statement and return the number of rows that it touched."""
        status = await self.ask(self.connection.execute(self._text(sql) if values else sql, *_told(values)))
        self._altered += not values  # what changes tables has no values
        count = touched(status)
        self.touched = self.touched or count > 0
        return count

    async def run_many(self, sql: str, values: Iterable[Sequence[SqlValue]]) -> None:
        """Run a statement once for each row of values."""
        rows = [_told(row) for row in values]
        if rows:
            await self.ask(self.connection.executemany(self._text(sql), rows))
            self.touched = True

    async def lock(self, key: str) -> None:
        """Be alone with `key` until the end of the transaction: two that hold it collide, one of them begins anew."""
        await self.ask(
            self.connection.execute(
                self._text(
                    'INSERT INTO "_lock" ("bucket", "taken") VALUES (?, 0) '
                    'ON CONFLICT ("bucket") DO UPDATE SET "taken" = "_lock"."taken" + 1'
                ),
                zlib.crc32(key.encode()) % BUCKETS,
            )
        )

    async def aside(self, call: Callable[[], T]) -> T:
        """Do it on a thread, and let the event loop go on."""
        return await asyncio.to_thread(call)

    async def query(self, query: Query[Any, Any]) -> list[dict[str, Any]]:
        """Run a Piccolo query inside this transaction and return its rows, decoded by Piccolo."""
        with within(self.connection):
            found: list[dict[str, Any]] = await self.ask(query.run())
        self.touched = True
        return found

    def _text(self, sql: str) -> str:
        """Return the text that asyncpg keeps a prepared statement under; in a change of tables none lives long."""
        altered = self._altered if self.changes_tables else ""
        return f"/*{self.stamp}{altered}*/ {numbered(sql)}"

    async def ask(self, answer: Awaitable[Any]) -> Any:
        """Await what the database answers; collisions and broken rules are errors of our own."""
        try:
            return await answer
        except (asyncpg.SerializationError, asyncpg.DeadlockDetectedError) as error:
            self.collided = True
            raise _AgainError(str(error)) from error
        except asyncpg.IntegrityConstraintViolationError as error:
            raise ConstraintError(str(error)) from error


@dataclass(slots=True)
class _Job(Generic[T]):
    """A piece of work: how its transaction begins, and whether it has begun."""

    work: Work[T]
    mode: str
    any_version: bool = False
    schema: bool = False
    then: Callable[[], None] | None = None
    begun: bool = False


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

    def follow(self, version: int, renew: Callable[[], Awaitable[None]]) -> None:
        """Let work expect this version of the definitions; see `models.store.Store`."""
        self._version = version
        self._renew = renew

    async def read(self, work: Work[T], *, any_version: bool = False) -> T:
        """Run `work` on one snapshot of the data, without the right to write."""
        return await self._start(_Job(work, "REPEATABLE READ READ ONLY", any_version))

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
            except _AgainError as error:
                failed = error
            except ConstraintError:
                if violated or job.schema:
                    raise
                violated = True  # by what the snapshot did not show, perhaps: with the next one the work sees it
                continue
            await asyncio.sleep(min(LONGEST_PAUSE, 0.002 * number) * self._rng.random())
        raise StoreError(say("The change collided with others {tries} times.", tries=TRIES)) from failed

    async def _try(self, job: _Job[T], *, alone: bool) -> T:
        """Run the work in one transaction. `_AgainError` when it has to begin anew."""
        connection = await self._connection()
        try:
            if alone:
                await connection.execute("SELECT pg_advisory_lock($1)", lane(self.schema))
            try:
                done = await self._transact(connection, job)
            finally:
                if alone:
                    await connection.execute("SELECT pg_advisory_unlock($1)", lane(self.schema))
        except LOST as error:
            raise StoreUnreachableError(f"The database went away: {error}") from error
        finally:
            await self.database.give_back(connection)
        return done

    async def _connection(self) -> Connection:
        try:
            return await self.database.take()
        except LOST as error:
            raise StoreUnreachableError(f"The database cannot be reached: {error}") from error

    async def _transact(self, connection: Connection, job: _Job[T]) -> T:
        if not await self._begin(connection, job):
            await connection.execute("ROLLBACK")
            if job.schema:
                raise StaleError("Another version was published meanwhile.")
            raise _OtherVersionError("The definitions changed.")
        job.begun = True
        self._schema_changes += job.schema
        stamp = f"{self.schema} {id(self)}.{self._schema_changes}." if job.schema else f"{self.schema} {self._version}"
        tx = PostgresTx(connection, stamp, changes_tables=job.schema)
        try:
            done = await job.work(tx)
            await self._commit(tx)
        except BaseException as error:
            if in_transaction(connection):
                await connection.execute("ROLLBACK")
            if tx.collided:
                raise _AgainError(str(error)) from error
            raise
        if tx.touched:
            self.tell()
        if job.then is not None:
            job.then()
        return done

    async def _begin(self, connection: Connection, job: _Job[T]) -> bool:
        """Begin a transaction; return whether the definitions are the expected ones, which then stay so."""
        expected = None if job.any_version else self._version
        statements = [f"BEGIN ISOLATION LEVEL {job.mode}", f"SET LOCAL search_path TO {quoted(self.schema)}"]
        if job.schema:
            statements += ["SET CONSTRAINTS ALL DEFERRED", f"SELECT pg_advisory_xact_lock({lane(self.schema)})"]
            await connection.execute("; ".join(statements))
            statements = []
            if await connection.fetchval("SELECT to_regclass('_definition')") is not None:
                statements.append('LOCK TABLE "_definition" IN ACCESS EXCLUSIVE MODE')
        elif not job.any_version:
            statements.append('LOCK TABLE "_definition" IN ACCESS SHARE MODE')
        if expected is not None:
            statements.append(f'SELECT "_expect"({expected})')
        try:
            await connection.execute("; ".join(statements) or "SELECT 1")
        except asyncpg.UndefinedTableError as error:
            await connection.execute("ROLLBACK")
            self.gone = True
            raise StoreClosedError(f"The network {self.schema} is gone.") from error
        except asyncpg.PostgresError as error:
            if error.sqlstate != STALE:
                raise
            return False
        return True

    async def _commit(self, tx: PostgresTx) -> None:
        if not in_transaction(tx.connection):
            raise StoreError("The work ended the transaction that it was in.")
        if tx.collided or await tx.ask(tx.connection.execute("COMMIT")) != "COMMIT":
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
