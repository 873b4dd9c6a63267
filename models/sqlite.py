"""The SQLite store: one writer that commits waiting work as a group, short reads at once, and readers for long ones."""

from __future__ import annotations

import asyncio
import contextvars
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Generic, TypeVar

from models.connections import connect, take
from models.message import say
from models.piccolo_engine import StoreEngine
from models.presence import Presence
from models.sqlite_here import BesideError, Here
from models.sqlite_tx import SqliteTx, drive, working
from models.store import StoreClosedError, StoreError, WorkError
from models.threads import READERS, WRITERS
from models.tx import Dialect, Work

T = TypeVar("T")

GROUP = 128
"""At most so many pieces of work share a commit: the first of them waits for the last."""

CONNECTIONS = 4
"""Connections a store for long reads."""

TURN = 0.001
"""Seconds of short reads after which the caller's event loop has a turn."""

TROUBLE = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_CANTOPEN,
    }
)
"""Codes of errors that are nobody's mistake but the disk's or the file's."""


class _Job(Generic[T]):
    """A piece of work, and the future of who waits for it."""

    __slots__ = ("context", "error", "future", "loop", "result", "schema", "then", "work")

    def __init__(
        self,
        run: Callable[[sqlite3.Connection], T],
        loop: asyncio.AbstractEventLoop,
        *,
        schema: bool = False,
        then: Callable[[], None] | None = None,
    ) -> None:
        self.work = run
        self.loop = loop
        self.schema = schema
        self.then = then
        self.future: asyncio.Future[T] = loop.create_future()
        self.context = contextvars.copy_context()
        self.result: T | None = None
        self.error: BaseException | None = None

    def run(self, connection: sqlite3.Connection) -> None:
        try:
            self.result = self.context.run(self.work, connection)
        except BaseException as error:  # noqa: BLE001 - it is raised again where somebody waits for it
            self.error = error

    def resolve(self) -> None:
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(_raisable(self.error))
        else:
            self.future.set_result(self.result)  # type: ignore[arg-type] # the result of `work` when there is no error


def _raisable(error: BaseException) -> BaseException:
    """Return what is raised to who waits: trouble of the disk is the store's own error, whatever was asked of it."""
    if isinstance(error, StopIteration):  # a future cannot carry it
        return StoreError(f"work raised {error!r}")
    if isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF in TROUBLE:
        told = StoreError(say("The store cannot do this now: {reason}.", reason=error))
        told.__cause__ = error
        return told
    return error


class SqliteStore:
    """One SQLite file; see `models.store.Store` for the promises."""

    dialect: Dialect = "sqlite"
    gone = False
    presence: Presence | None = None
    changed: asyncio.Event

    def __init__(self, path: Path) -> None:
        """Take the file's lock and open it, creating it when it is not there (blocks for a moment)."""
        self.path = path
        self.changed = asyncio.Event()
        self.engine = StoreEngine(self)
        self._lock, self._writer = take(path)
        self._guard = threading.Condition()
        self._writes: deque[_Job[Any]] = deque()
        self._writing = False
        self._reads: deque[_Job[Any]] = deque()
        self._reading = 0
        self._here = Here(path)
        self._read_for = 0.0
        self._idle: list[sqlite3.Connection] = []
        self._piccolo: list[sqlite3.Connection] = []
        self._closed = False
        self._generation = 0
        self._switch = threading.Lock()

    @property
    def waiting(self) -> int:
        """How many pieces of work wait to be read or written."""
        return len(self._writes) + len(self._reads)

    def follow(self, version: int, renew: Callable[[], Awaitable[None]]) -> None:
        """Do nothing: whoever publishes is in this process."""

    async def read(self, work: Work[T], *, any_version: bool = False, long: bool = False) -> T:  # noqa: ARG002 - there is one
        """Run `work` on one snapshot of the data, without the right to write: here, and a long one on a thread."""
        _loop()
        self._refuse_when_closed()
        if not long:
            began = time.perf_counter()
            with suppress(BesideError):
                found = self._read_here(work)
                await self._turn(time.perf_counter() - began)
                return found
        return await self.read_with(lambda connection: drive(work, SqliteTx(connection)))

    async def _turn(self, seconds: float) -> None:
        """Let the loop have a turn when it was kept for so long."""
        self._read_for += seconds
        if self._read_for > TURN:
            self._read_for = 0.0
            await asyncio.sleep(0)

    def _read_here(self, work: Work[T]) -> T:
        """Run a read on this thread; `BesideError` when it takes long, or when tables changed meanwhile."""
        generation = self._generation
        try:
            return self._here.read(work)
        except sqlite3.Error as error:
            raise _raisable(error) from error.__cause__
        finally:
            if self._switch.locked() or generation != self._generation:
                raise BesideError

    async def write(
        self,
        work: Work[T],
        *,
        schema: bool = False,
        claim: bool = False,  # noqa: ARG002 - the only writer sees all
        then: Callable[[], None] | None = None,
    ) -> T:
        """Run `work` in a transaction and return once its commit is on disk; see `models.store.Store`."""
        return await self.write_with(lambda connection: drive(work, SqliteTx(connection)), schema=schema, then=then)

    async def read_with(self, run: Callable[[sqlite3.Connection], T]) -> T:
        """Run a function over a reading connection, on one snapshot."""
        job = _Job(run, _loop())
        with self._guard:
            self._refuse_when_closed()
            self._reads.append(job)
            if self._reading < CONNECTIONS:
                self._reading += 1
                READERS.submit(self._drain_reads)
        return await job.future

    async def write_with(
        self,
        run: Callable[[sqlite3.Connection], T],
        *,
        schema: bool = False,
        then: Callable[[], None] | None = None,
    ) -> T:
        """Run a function over the writing connection, in a transaction."""
        job = _Job(run, _loop(), schema=schema, then=then)
        with self._guard:
            self._refuse_when_closed()
            self._writes.append(job)
            if not self._writing:
                self._writing = True
                WRITERS.submit(self._drain_writes)
        return await job.future

    async def piccolo_with(self, run: Callable[[sqlite3.Connection], T]) -> T:
        """Run a function over a reading connection that converts values by their declared types."""

        def converted(_: sqlite3.Connection) -> T:
            with self._guard:
                connection = self._piccolo.pop() if self._piccolo else None
            connection = connection or connect(self.path, "piccolo")
            try:
                return run(connection)
            finally:
                with self._guard:
                    self._piccolo.append(connection)

        return await self.read_with(converted)

    async def close(self) -> None:
        """Finish what was accepted, then close; closing twice is fine."""
        with self._guard:
            if self._closed:
                return
            self._closed = True
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        with self._guard:
            self._guard.wait_for(lambda: not self._writing and not self._reading)
        self._here.close()
        for connection in (*self._idle, *self._piccolo, self._writer):  # the writer, last, leaves one file behind
            connection.close()
        self._lock.release()

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise StoreClosedError(f"{self.path} is closed.")

    # On the threads ---------------------------------------------------------------------------------------------

    def _drain_reads(self) -> None:
        with self._guard:
            connection = self._idle.pop() if self._idle else None
        while (job := self._next_read(connection)) is not None:
            try:
                connection = connection or connect(self.path, "read")
                self._read(job, connection)
            except BaseException as error:  # noqa: BLE001 - whatever it is, somebody waits for an answer
                job.error = job.error or error
                if connection is not None:  # the next one begins afresh
                    with suppress(sqlite3.Error):
                        connection.close()
                    connection = None
            _resolve([job], None)

    def _read(self, job: _Job[Any], connection: sqlite3.Connection) -> None:
        """Run a read on one snapshot; once more when tables changed meanwhile.

        It may have taken the version that fits the old tables and met the new ones. That is no error everywhere: for
        SQLite a quoted name that is no column any more is a text.
        """
        generation = self._generation
        connection.execute("BEGIN")
        job.run(connection)
        connection.execute("ROLLBACK")
        with self._switch:  # a change of tables that is being committed is over then
            changed = generation != self._generation
        if changed:
            job.error = None
            self._read(job, connection)

    def _next_read(self, connection: sqlite3.Connection | None) -> _Job[Any] | None:
        """Return what to read next; when there is nothing, the connection rests."""
        with self._guard:
            while self._reads:
                job = self._reads.popleft()
                if not job.future.cancelled():
                    return job
            self._reading -= 1
            if connection is not None:
                self._idle.append(connection)
            self._guard.notify_all()
        return None

    def _drain_writes(self) -> None:
        while group := self._next_group():
            before = self._writer.total_changes
            self._run_group(group)
            _resolve(group, self.changed if self._writer.total_changes != before else None)

    def _next_group(self) -> list[_Job[Any]]:
        group: list[_Job[Any]] = []
        with self._guard:
            while self._writes and len(group) < GROUP:
                if self._writes[0].schema and group:
                    break
                job = self._writes.popleft()
                if job.future.cancelled():
                    continue
                group.append(job)
                if job.schema:
                    break
            if not group:
                self._writing = False
                self._guard.notify_all()
        return group

    def _run_group(self, group: list[_Job[Any]]) -> None:
        try:
            if group[0].schema:
                self._run_schema_change(group[0])
            else:
                self._run_transaction(group)
        except BaseException as error:  # noqa: BLE001 - whatever ended the transaction ends the work of all in it
            self._abandon()
            for job in group:
                job.error = job.error or StoreError(f"The change could not be saved: {error}")
                job.error.__cause__ = job.error.__cause__ or error

    def _run_transaction(self, group: list[_Job[Any]]) -> None:
        execute = self._writer.execute
        execute("BEGIN IMMEDIATE")
        for job in group:
            execute("SAVEPOINT work")
            job.run(self._writer)
            if job.error is not None:
                execute("ROLLBACK TO work")
            execute("RELEASE work")
        execute("COMMIT")
        _follow(group)

    def _run_schema_change(self, job: _Job[Any]) -> None:
        execute = self._writer.execute
        execute("PRAGMA foreign_keys = OFF")
        try:
            execute("BEGIN IMMEDIATE")
            job.run(self._writer)
            if job.error is not None:
                execute("ROLLBACK")
                return
            dangling = execute("PRAGMA foreign_key_check").fetchone()
            if dangling is not None:
                raise StoreError(f"a record of {dangling[0]} would point to a record of {dangling[2]} that is gone")
            with self._switch:
                execute("COMMIT")
                _follow([job])
                self._generation += 1
        finally:
            self._abandon()
            execute("PRAGMA foreign_keys = ON")

    def _abandon(self) -> None:
        if self._writer.in_transaction:
            with suppress(sqlite3.Error):
                self._writer.execute("ROLLBACK")


def _loop() -> asyncio.AbstractEventLoop:
    if working():
        message = "Work in a transaction cannot ask the store for another one: use the transaction that it has."
        raise WorkError(message)
    return asyncio.get_running_loop()


def _follow(jobs: list[_Job[Any]]) -> None:
    """Call what is to happen right after the commit; an error there is told to who asked for it."""
    for job in jobs:
        if job.then is not None and job.error is None:
            try:
                job.then()
            except Exception as error:  # noqa: BLE001 - the commit stands; it is raised where somebody waits for it
                job.error = error


def _resolve(jobs: list[_Job[Any]], changed: asyncio.Event | None) -> None:
    """Tell each event loop once what came of its jobs."""
    for loop in {id(job.loop): job.loop for job in jobs}.values():
        mine = [job for job in jobs if job.loop is loop]
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_tell, mine, changed)


def _tell(jobs: list[_Job[Any]], changed: asyncio.Event | None) -> None:
    for job in jobs:
        job.resolve()
    if changed is not None:
        changed.set()
