"""A transaction on a connection to PostgreSQL."""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg  # type: ignore[import-untyped] # it has no types
from piccolo.query.base import Query

from models.piccolo_postgres import within
from models.store import ConstraintError
from models.tx import Dialect, Row, SqlValue
from models.waiting import INSERTIONS, MOST, Waiting

if TYPE_CHECKING:
    from models.database import Connection

T = TypeVar("T")

BUCKETS = 4096
"""Rows that keys of `lock` share."""
LOCK = """INSERT INTO "_lock" ("bucket", "taken") VALUES (?, 0)
ON CONFLICT ("bucket") DO UPDATE SET "taken" = "_lock"."taken" + 1"""

_MARK = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\?")


class AgainError(Exception):
    """The transaction collided with another one: it is undone, and its work begins anew."""


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


def _told(values: Sequence[SqlValue]) -> list[SqlValue]:
    """Return values without the letter that PostgreSQL knows in no text; what has it equals nothing that is stored."""
    return [value.replace("\0", "\ufffd") if type(value) is str and "\0" in value else value for value in values]


@dataclass(slots=True)
class PostgresTx:
    """A transaction on a connection; see `models.tx.Tx`. Who opens it calls `flush` before the commit.

    `stamp` tells apart prepared statements of the same text: those of other schemas, and of other versions.
    """

    connection: Connection
    stamp: str
    changes_tables: bool = False
    touched: bool = False
    collided: bool = False
    dialect: Dialect = field(default="postgres", init=False)
    _altered: int = field(default=0, init=False)
    _waiting: Waiting = field(default_factory=Waiting, init=False)
    _missing: Exception | None = field(default=None, init=False)

    async def flush(self) -> None:
        """Write what waits, in one round trip.

        Where there was nothing to change everybody who comes is told so: the first was perhaps about something else.
        """
        if self._missing is not None:
            raise self._missing
        if not self._waiting.count:
            return
        waiting, self._waiting = self._waiting, Waiting()
        sql, values = waiting.statement()
        count = touched(await self.ask(self.connection.execute(self._text(sql), *_told(values))))
        self.touched = self.touched or waiting.surely or count > 0
        if waiting.missing is not None and not count:
            self._missing = waiting.missing
            raise waiting.missing

    async def rows(self, sql: str, values: Sequence[SqlValue] = ()) -> list[Row]:
        """Return all rows of a query."""
        if self._waiting.count and self._waiting.shows_in(sql):
            await self.flush()
        found = await self.ask(self.connection.fetch(self._text(sql), *_told(values)))
        if found and "RETURNING" in sql:
            self.touched = True
        return list(map(tuple, found))

    async def row(self, sql: str, values: Sequence[SqlValue] = ()) -> Row | None:
        """Return the first row of a query, None without one."""
        if self._waiting.count and self._waiting.shows_in(sql):
            await self.flush()
        found = await self.ask(self.connection.fetchrow(self._text(sql), *_told(values)))
        return None if found is None else tuple(found)

    async def run(self, sql: str, values: Sequence[SqlValue] = ()) -> int:
        """Run a statement and return the number of rows that it touched."""
        if sql in INSERTIONS and not self.changes_tables:
            await self.put(sql, values)
            return 1
        await self._make_way(sql)
        status = await self.ask(self.connection.execute(self._text(sql) if values else sql, *_told(values)))
        self._altered += not values  # what changes tables has no values
        count = touched(status)
        self.touched = self.touched or count > 0
        return count

    async def put(self, sql: str, values: Sequence[SqlValue], missing: Exception | None = None) -> None:
        """Insert a row, or change one, before anybody could see that it is not there yet."""
        if self.changes_tables:
            if not await self.run(sql, values) and missing is not None:
                raise missing
            return
        if not self._waiting.has_room(sql):
            await self.flush()
        self._waiting.put(sql, values, missing)

    async def run_many(self, sql: str, values: Iterable[Sequence[SqlValue]]) -> None:
        """Run a statement once for each row of values."""
        rows = [_told(row) for row in values]
        if rows and len(rows) <= MOST and sql in INSERTIONS and not self.changes_tables:
            if not self._waiting.has_room(sql, len(rows)):
                await self.flush()
            self._waiting.insert(sql, rows)
        elif rows:
            await self.flush()
            await self.ask(self.connection.executemany(self._text(sql), rows))
            self.touched = True

    async def lock(self, key: str) -> None:
        """Be alone with `key` until the end of the transaction: two that hold it collide, one of them begins anew."""
        bucket = zlib.crc32(key.encode()) % BUCKETS
        if self._waiting.count and self._waiting.has_room(LOCK):  # at once all the same, in one round trip
            self._waiting.insert(LOCK, ((bucket,),))
            await self.flush()
        else:
            await self.flush()
            await self.ask(self.connection.execute(self._text(LOCK), bucket))

    async def aside(self, call: Callable[[], T]) -> T:
        """Do it on a thread, and let the event loop go on."""
        return await asyncio.to_thread(call)

    async def query(self, query: Query[Any, Any]) -> list[dict[str, Any]]:
        """Run a Piccolo query inside this transaction and return its rows, decoded by Piccolo."""
        await self.flush()
        with within(self.connection):
            found: list[dict[str, Any]] = await self.ask(query.run())
        self.touched = True
        return found

    async def _make_way(self, sql: str) -> None:
        """Write what waits before another write; what a savepoint is about to undo is not written at all."""
        if sql.startswith("ROLLBACK TO "):
            self._waiting, self._missing = Waiting(), None
        else:
            await self.flush()

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
            raise AgainError(str(error)) from error
        except asyncpg.IntegrityConstraintViolationError as error:
            raise ConstraintError(str(error)) from error
