"""How an installation serves: counts and minutes of each hour, in a small store that all its processes share.

It is none of the networks': a file beside them, or a schema beside theirs, with nothing in it that concerns anybody.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar, get_args

from models.connections import connect, stored_datetime
from models.ddl import quoted
from models.message import say
from models.store import StoreError, StoreUnreachableError
from models.stores import Homes, Schemas

T = TypeVar("T")
Kind = Literal["api", "pages"]
KINDS: tuple[Kind, ...] = get_args(Kind)
FILE = ".served"
"""The file in the folder of networks; the schema has it behind its prefix, and no network can be called so."""
WINDOW = timedelta(days=30)
KEPT = timedelta(days=400)
"""How long hours are kept."""
TARGETS = {"half": 0.98, "second": 0.99, "available": 0.99}
"""The published targets: shares of the API's calls answered within 0.5 s and 1 s, and of minutes that it served."""

_MADE = """CREATE TABLE IF NOT EXISTS "_hour" ("at" TEXT NOT NULL, "kind" TEXT NOT NULL, "answered" BIGINT NOT NULL,
"half" BIGINT NOT NULL, "second" BIGINT NOT NULL, "failed" BIGINT NOT NULL, "minutes" BIGINT NOT NULL,
PRIMARY KEY ("at", "kind"))"""
_ADD = """INSERT INTO {table} AS h ("at", "kind", "answered", "half", "second", "failed", "minutes")
VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT ("at", "kind") DO UPDATE SET "answered" = h."answered" + excluded."answered",
"half" = h."half" + excluded."half", "second" = h."second" + excluded."second",
"failed" = h."failed" + excluded."failed", "minutes" = h."minutes" | excluded."minutes" """
_ROWS = """SELECT "at", "kind", "answered", "half", "second", "failed", "minutes" FROM {table}
WHERE "at" >= ? ORDER BY "at", "kind" """
_PURGE = 'DELETE FROM {table} WHERE "at" < ?'


@dataclass(frozen=True, slots=True)
class Counts:
    """Requests: all, those answered within half a second and a second, and those that failed (5xx)."""

    answered: int = 0
    half: int = 0
    second: int = 0
    failed: int = 0

    def __add__(self, other: Counts) -> Counts:
        """Return both together."""
        return Counts(
            self.answered + other.answered,
            self.half + other.half,
            self.second + other.second,
            self.failed + other.failed,
        )

    def share(self, of: Literal["half", "second"]) -> float | None:
        """Return the share of requests answered in time; None where there was none."""
        return None if not self.answered else getattr(self, of) / self.answered


@dataclass(frozen=True, slots=True)
class Service:
    """How the installation served from `since` (the first minute known, at most 30 days ago) to `until`.

    `minutes` is how many there were, `up` in how many of them a process could write down that it serves.
    """

    until: datetime
    since: datetime | None = None
    minutes: int = 0
    up: int = 0
    kinds: Mapping[str, Counts] = field(default_factory=dict)

    @property
    def available(self) -> float | None:
        """The share of minutes in which it served; None before the first."""
        return None if not self.minutes else self.up / self.minutes

    @property
    def shares(self) -> Mapping[str, float | None]:
        """What the targets speak of, by their names."""
        api = self.kinds.get("api", Counts())
        return {"half": api.share("half"), "second": api.share("second"), "available": self.available}


class Hours(Protocol):
    """Where the hours are kept. `StoreError`: it cannot be reached or written."""

    async def add(self, now: datetime, counted: Mapping[Kind, Counts]) -> None:
        """Add counts to the present hour, and that this minute was served."""
        ...

    async def rows(self, since: str) -> Sequence[Sequence[Any]]:
        """Return the hours from `since` on: hour, kind, counts, minutes."""
        ...


def hours_of(homes: Homes) -> Hours:
    """Return the hours of an installation."""
    return InFile(homes / FILE) if isinstance(homes, Path) else InSchema(homes)


def _hour(moment: datetime) -> str:
    return stored_datetime(moment)[:13]


def _given(now: datetime, counted: Mapping[Kind, Counts]) -> list[tuple[Any, ...]]:
    """Return the rows to add; the minute stands with the API's."""
    rows = []
    for kind in KINDS:
        counts = counted.get(kind, Counts())
        if kind == "api" or counts.answered:
            minute = 1 << now.minute if kind == "api" else 0
            rows.append((_hour(now), kind, counts.answered, counts.half, counts.second, counts.failed, minute))
    return rows


@dataclass(frozen=True, slots=True)
class InFile:
    """The hours in a file, which processes may write in turn."""

    path: Path

    async def add(self, now: datetime, counted: Mapping[Kind, Counts]) -> None:
        """Add counts; see `Hours`."""

        def add() -> None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(connect(self.path, "write")) as connection:
                connection.execute("PRAGMA synchronous = NORMAL")
                connection.execute("BEGIN IMMEDIATE")
                connection.execute(_MADE)
                connection.executemany(_ADD.format(table='"_hour"'), _given(now, counted))
                connection.execute(_PURGE.format(table='"_hour"'), (_hour(now - KEPT),))
                connection.execute("COMMIT")

        await self._do(add)

    async def rows(self, since: str) -> Sequence[Sequence[Any]]:
        """Return the hours; see `Hours`."""
        if not await asyncio.to_thread(self.path.exists):
            return []

        def rows() -> Sequence[Sequence[Any]]:
            with closing(connect(self.path, "read")) as connection:
                return connection.execute(_ROWS.format(table='"_hour"'), (since,)).fetchall()

        return await self._do(rows)

    async def _do(self, what: Callable[[], T]) -> T:
        try:
            return await asyncio.to_thread(what)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(say("{path} cannot be opened: {reason}.", path=self.path, reason=error)) from error


@dataclass(frozen=True, slots=True)
class InSchema:
    """The hours in a schema of their own, beside those of the networks."""

    homes: Schemas

    @property
    def schema(self) -> str:
        """What the schema is called, quoted; a network's name has no dot."""
        return quoted(f".{self.homes.prefix}{FILE[1:]}")

    async def add(self, now: datetime, counted: Mapping[Kind, Counts]) -> None:
        """Add counts; see `Hours`."""
        table = f'{self.schema}."_hour"'
        made = _MADE.replace('"_hour"', table, 1)
        rows = _given(now, counted)

        async def add(connection: Any) -> None:
            if await connection.fetchval("SELECT to_regclass($1)", table) is None:
                async with connection.transaction():
                    await connection.execute("SELECT pg_advisory_xact_lock(hashtext($1))", table)  # others begin too
                    await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {self.schema}; {made}")
            await connection.executemany(_numbered(_ADD.format(table=table)), rows)
            await connection.execute(_numbered(_PURGE.format(table=table)), _hour(now - KEPT))

        await self._do(add)

    async def rows(self, since: str) -> Sequence[Sequence[Any]]:
        """Return the hours; see `Hours`."""
        table = f'{self.schema}."_hour"'

        async def rows(connection: Any) -> list[tuple[Any, ...]]:
            if await connection.fetchval("SELECT to_regclass($1)", table) is None:
                return []
            return [tuple(row) for row in await connection.fetch(_numbered(_ROWS.format(table=table)), since)]

        return await self._do(rows)

    async def _do(self, what: Callable[[Any], Awaitable[T]]) -> T:
        import asyncpg  # type: ignore[import-untyped] # noqa: PLC0415 - a server on SQLite needs no PostgreSQL driver

        from models.database import LOST, Database  # noqa: PLC0415 - the same

        database = await Database.lease(self.homes.url)
        try:
            async with database.connection() as connection:
                return await what(connection)
        except LOST as error:
            raise StoreUnreachableError(f"The database cannot be reached: {error}") from error
        except asyncpg.PostgresError as error:
            raise StoreError(say("{path} cannot be opened: {reason}.", path=self.schema, reason=error)) from error
        finally:
            await database.release()


def _numbered(sql: str) -> str:
    """Return a statement with its values as PostgreSQL has them: `$1` for the first `?`."""
    place = count(1)
    return re.sub(r"\?", lambda _: f"${next(place)}", sql)


async def service(hours: Hours, now: datetime) -> Service:
    """Return how the installation served in the last 30 days, up to and without the present minute."""
    until = now.replace(second=0, microsecond=0)
    begin = until - WINDOW
    known: dict[datetime, int] = {}
    kinds: dict[str, Counts] = {}
    for at, kind, *counts, minutes in await hours.rows(_hour(begin)):
        hour = datetime.fromisoformat(f"{at}:00:00+00:00")
        known[hour] = known.get(hour, 0) | minutes
        kinds[kind] = kinds.get(kind, Counts()) + Counts(*counts)
    served = [
        moment
        for hour, minutes in known.items()
        for minute in range(60)
        if minutes >> minute & 1 and begin <= (moment := hour + timedelta(minutes=minute)) < until
    ]
    if not served:
        return Service(until, kinds=kinds)
    since = min(served)
    return Service(until, since, int((until - since).total_seconds()) // 60, len(served), kinds)
