"""What code inside a transaction sees of the database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Literal, Protocol, TypeVar

from piccolo.query.base import Query

Dialect = Literal["sqlite", "postgres"]
SqlValue = Any
Row = Sequence[Any]
T = TypeVar("T")


class Tx(Protocol):
    """A transaction. SQL has `?` for each value, on every database; values are in the stored form (`models.columns`).

    Work in a transaction awaits nothing but the transaction itself: on SQLite it runs to its end without going back to
    an event loop: a write on the writer's thread, a short read on the caller's.
    """

    dialect: Dialect

    async def rows(self, sql: str, values: Sequence[SqlValue] = ()) -> list[Row]:
        """Return all rows of a query."""
        ...

    async def row(self, sql: str, values: Sequence[SqlValue] = ()) -> Row | None:
        """Return the first row of a query, None without one."""
        ...

    async def run(self, sql: str, values: Sequence[SqlValue] = ()) -> int:
        """Run a statement and return the number of rows that it touched."""
        ...

    async def put(self, sql: str, values: Sequence[SqlValue], missing: Exception | None = None) -> None:
        """Insert a row, or change one by its key, now or later: before anything that could see it, and the commit.

        What its table refuses is told late, and so is `missing`, which is raised when there was nothing to change. On
        PostgreSQL what waits is one round trip; some insertions of the runtime wait there though they are `run`
        (`models.waiting`).
        """
        ...

    async def run_many(self, sql: str, values: Iterable[Sequence[SqlValue]]) -> None:
        """Run a statement once for each row of values."""
        ...

    async def lock(self, key: str) -> None:
        """Be alone with `key` until the end of the transaction: nothing that another holder did is out of sight.

        It is for what rows in hand do not decide: whether there is none of a kind, how many there are.
        """
        ...

    async def aside(self, call: Callable[[], T]) -> T:
        """Return what a function does that takes long and asks the database nothing, where it keeps nobody waiting.

        On PostgreSQL work runs in the event loop, beside requests; on SQLite a write has a thread
        already, and a short read begins anew on one.
        """
        ...

    async def query(self, query: Query[Any, Any]) -> list[dict[str, Any]]:
        """Run a Piccolo query inside this transaction and return its rows, decoded by Piccolo."""
        ...


Work = Callable[[Tx], Awaitable[T]]
