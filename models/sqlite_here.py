"""Short reads of SQLite on the caller's own thread: no way to another one and back, and none to share Python with."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from models.connections import connect
from models.sqlite_tx import SqliteTx, drive
from models.tx import Work

T = TypeVar("T")

LOOK = 1_000
"""Instructions of SQLite (the steps of its virtual machine) after which it is counted how many there were."""

LOOKS = 100
"""Looks that a read has: some milliseconds. A list of 50 out of 100,000 by an index takes one or two."""


class BesideError(BaseException):
    """The read takes longer than the caller's event loop can wait: it begins anew on a thread beside it.

    No `Exception`: work that handles errors does not take it for one.
    """


class HereTx(SqliteTx):
    """A transaction on the caller's thread."""

    async def aside(self, call: Callable[[], T]) -> T:  # noqa: ARG002 - it is called there
        """Have the whole read begin anew on a thread beside the event loop."""
        raise BesideError


class Here:
    """A reading connection for whoever asks, one at a time."""

    def __init__(self, path: Path) -> None:
        """Prepare to read the file at `path`; it is opened with the first read."""
        self._path = path
        self._guard = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._looks = 0

    def read(self, work: Work[T]) -> T:
        """Return what `work` finds on one snapshot.

        `BesideError` when it is more than a short read, or when another thread reads here.
        """
        if not self._guard.acquire(blocking=False):
            raise BesideError
        try:
            return self._on_snapshot(work)
        finally:
            self._guard.release()

    def _on_snapshot(self, work: Work[T]) -> T:
        connection = self._connection = self._connection or self._opened()
        self._looks = 0
        try:
            connection.execute("BEGIN")
            return drive(work, HereTx(connection))
        finally:
            long, self._looks = self._looks > LOOKS, 0  # the end itself is not broken off
            self._end(connection)
            if long:
                raise BesideError

    def _opened(self) -> sqlite3.Connection:
        connection = connect(self._path, "read")
        connection.set_progress_handler(self._look, LOOK)
        return connection

    def _look(self) -> bool:
        """Say whether SQLite is to break off what it does."""
        self._looks += 1
        return self._looks > LOOKS

    def _end(self, connection: sqlite3.Connection) -> None:
        """Let go of the snapshot; where that cannot be, the next read begins with a fresh connection."""
        try:
            connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._connection = None
            with suppress(sqlite3.Error):
                connection.close()
            raise

    def close(self) -> None:
        """Close the connection, once nobody reads."""
        with self._guard:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
