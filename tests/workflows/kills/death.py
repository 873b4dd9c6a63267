"""The end of a process at a point between two writes: before what is written there, or after it and before its answer.

A point is a statement that writes, a commit, a mail, call or message that is handed over, a file that is put in its
place, or a document that is set. They are counted as they come by: what is written tomorrow is a point tomorrow.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn, TypeVar

import pytest

import models.sqlite
from models.connections import take
from models.contents import Contents
from models.database import Database
from workflows.calling import HttpCaller
from workflows.mail import SmtpSession
from workflows.printing import TypstPress

T = TypeVar("T")
Side = Literal["before", "after"]

WRITES = re.compile(
    r"(?:\s|/\*.*?\*/)*(?:INSERT|UPDATE|DELETE|MERGE|REPLACE|CREATE|ALTER|DROP|TRUNCATE|COMMIT"
    r"|WITH\b.*\b(?:INSERT|UPDATE|DELETE)\b)",
    re.IGNORECASE | re.DOTALL,
)
_OUT: tuple[tuple[type, str], ...] = (
    (SmtpSession, "send"),
    (HttpCaller, "call"),
    (Contents, "place"),
    (TypstPress, "set"),
)
"""What leaves the database's hands."""


class DeadError(BaseException):
    """The process is no more: nothing catches this."""


def _fall() -> NoReturn:
    raise DeadError


@dataclass
class Death:
    """Ends its process at point `at` (from 0; None: never); `end` is how, where raising is not enough."""

    at: int | None = None
    side: Side = "before"
    end: Callable[[], NoReturn] = _fall
    points: list[str] = field(default_factory=list)
    came: bool = False
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def enter(self, what: str) -> int:
        """Come to a point, and return its number."""
        with self._guard:
            self.refuse()
            number = len(self.points)
            self.points.append(what)
        self._strike(number, "before")
        return number

    def leave(self, number: int) -> None:
        """Have the point behind; whoever died meanwhile gets no answer."""
        self._strike(number, "after")
        self.refuse()

    def refuse(self) -> None:
        """Let the dead do nothing."""
        if self.came:
            raise DeadError

    def _strike(self, number: int, side: Side) -> None:
        if number == self.at and side == self.side:
            self.came = True
            self.end()


class DyingConnection:
    """A connection of SQLite that dies with its process."""

    def __init__(self, connection: sqlite3.Connection, death: Death) -> None:
        """Speak over `connection` while there is life."""
        self._connection = connection
        self._death = death

    def __getattr__(self, name: str) -> Any:
        """Return everything else as it is."""
        return getattr(self._connection, name)

    @property
    def in_transaction(self) -> bool:
        """Whether there is one to be undone: the dead undo nothing."""
        return not self._death.came and self._connection.in_transaction

    def close(self) -> None:
        """Close it; what the dead had begun is undone, as by whoever opens the file next."""
        if self._connection.in_transaction:
            self._connection.rollback()
        self._connection.close()

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        """Run a statement, or die."""
        return self._through(sql, lambda: self._connection.execute(sql, *values))

    def executemany(self, sql: str, values: Any) -> sqlite3.Cursor:
        """Run a statement for each row, or die."""
        return self._through(sql, lambda: self._connection.executemany(sql, values))

    def _through(self, sql: str, run: Callable[[], T]) -> T:
        self._death.refuse()
        if not WRITES.match(sql):
            return run()
        number = self._death.enter(sql)
        done = run()
        self._death.leave(number)
        return done


class DyingServed:
    """A connection to PostgreSQL that dies with its process; what it had begun is undone by the server then."""

    def __init__(self, connection: Any, death: Death) -> None:
        """Speak over `connection` while there is life."""
        self.connection = connection
        self._death = death

    def __getattr__(self, name: str) -> Any:
        """Return what asks the database as what may die, and everything else as it is."""
        found = getattr(self.connection, name)
        if name not in {"execute", "executemany", "fetch", "fetchrow", "fetchval", "prepare"}:
            return found

        async def ask(sql: str, *values: Any, **more: Any) -> Any:
            if "pg_notify" in sql:  # word of a commit: whoever misses it looks by itself
                return await found(sql, *values, **more)
            self._death.refuse()
            number = self._death.enter(sql) if WRITES.match(sql) else None
            answer = await found(sql, *values, **more)
            if number is not None:
                self._death.leave(number)
            return answer

        return ask

    def is_in_transaction(self) -> bool:
        """Whether there is one to be undone: the dead undo nothing."""
        return not self._death.came and self.connection.is_in_transaction()


@asynccontextmanager
async def dying(death: Death) -> AsyncIterator[None]:
    """Let what is opened meanwhile be a process with this death; it is over when nothing of it is under way."""
    lend, give_back = Database.take, Database.give_back
    out: set[DyingServed] = set()
    idle = asyncio.Event()

    def taken(path: Any) -> Any:
        lock, connection = take(path)
        return lock, DyingConnection(connection, death)

    async def lent(self: Database) -> Any:
        connection = DyingServed(await lend(self), death)
        out.add(connection)
        return connection

    async def given_back(self: Database, connection: Any) -> None:
        if connection not in out:
            await give_back(self, connection)
            return
        await give_back(self, connection.connection)
        out.discard(connection)
        idle.set()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models.sqlite, "take", taken)
        patch.setattr(Database, "take", lent)
        patch.setattr(Database, "give_back", given_back)
        for owner, name in _OUT:
            patch.setattr(owner, name, _point(getattr(owner, name), f"{owner.__name__}.{name}", death))
        yield
        while out:
            idle.clear()
            await idle.wait()


def _point(method: Callable[..., Awaitable[Any]], name: str, death: Death) -> Callable[..., Awaitable[Any]]:
    async def through(*given: Any) -> Any:
        number = death.enter(name)
        done = await method(*given)
        death.leave(number)
        return done

    return through
