"""A store whose next change of tables breaks off at one of its writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from models.tx import SqlValue, Tx


class BrokenOffError(Exception):
    """The end came in the middle of it."""


class BreakingTx:
    """A transaction that calls `end` instead of its write number `at` (from 0); `writes` counts."""

    def __init__(self, tx: Tx, at: int, end: Callable[[], None]) -> None:
        """Break `tx` off."""
        self._tx = tx
        self._at = at
        self._end = end
        self.writes = 0

    def __getattr__(self, name: str) -> Any:
        """Return everything else as it is."""
        return getattr(self._tx, name)

    async def run(self, sql: str, values: Sequence[SqlValue] = ()) -> int:
        """Write, or end."""
        self._count()
        return await self._tx.run(sql, values)

    async def put(self, sql: str, values: Sequence[SqlValue], missing: Exception | None = None) -> None:
        """Write, or end."""
        self._count()
        await self._tx.put(sql, values, missing)

    async def run_many(self, sql: str, values: Iterable[Sequence[SqlValue]]) -> None:
        """Write, or end."""
        self._count()
        await self._tx.run_many(sql, values)

    def _count(self) -> None:
        if self.writes == self._at:
            self._end()
        self.writes += 1


class BreakingStore:
    """A store whose changes of tables break off at write number `at`."""

    def __init__(self, store: Any, at: int, end: Callable[[], None]) -> None:
        """Break the changes of `store` off."""
        self._store = store
        self._at = at
        self._end = end
        self.writes = 0

    def __getattr__(self, name: str) -> Any:
        """Return everything else as it is."""
        return getattr(self._store, name)

    async def write(self, work: Any, *, schema: bool = False, **more: Any) -> Any:
        """Do the work, the changes of tables on what breaks."""

        async def breaking(tx: Tx) -> Any:
            broken = BreakingTx(tx, self._at, self._end)
            try:
                return await work(broken)
            finally:
                self.writes = broken.writes

        return await self._store.write(breaking if schema else work, schema=schema, **more)
