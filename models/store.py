"""One network's store: where work in transactions goes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from piccolo.engine.base import Engine

from models.tx import Dialect, Work

T = TypeVar("T")


class StoreError(Exception):
    """The store could not do what it was asked; nothing of the work was kept."""


class StoreClosedError(StoreError):
    """The store is closed."""


class StoreBusyError(StoreError):
    """Another process holds the store; one process opens a network on SQLite."""


class WorkError(StoreError):
    """Work in a transaction awaited something else than its transaction, or asked the store for another one."""


class Store(Protocol):
    """The database of one network.

    `changed` is set after each commit that touched rows (on the event loop of the writer's caller); who waits for it
    clears it first. `engine` serves Piccolo queries outside of transactions: reads go to the readers, a write is a
    transaction of its own.
    """

    changed: asyncio.Event

    @property
    def dialect(self) -> Dialect:
        """Which SQL it speaks."""
        ...

    @property
    def engine(self) -> Engine[Any]:
        """The Piccolo engine over the same data."""
        ...

    async def read(self, work: Work[T]) -> T:
        """Run `work` on one snapshot of the data, without the right to write."""
        ...

    async def write(self, work: Work[T], *, schema: bool = False, then: Callable[[], None] | None = None) -> T:
        """Run `work` in a transaction and return once its commit is on disk; an exception undoes this work alone.

        Cancelled while it waits for its turn, it never runs; once begun, it runs to its end. `schema` is for changes
        of tables: the work has its transaction alone, and foreign keys are checked at its end instead of meanwhile.
        `then` is called right after the commit, before any other work begins, on whatever thread that is.
        """
        ...

    async def close(self) -> None:
        """Finish what was accepted, then close; closing twice is fine."""
        ...
