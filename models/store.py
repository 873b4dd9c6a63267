"""One network's store: where work in transactions goes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from piccolo.engine.base import Engine

from models.message import say
from models.presence import Presence
from models.tx import Dialect, Work

T = TypeVar("T")


MAYBE = say("The database went away while this was being saved. Look whether it was before you do it again.")


class StoreError(Exception):
    """The store could not do what it was asked; nothing of the work was kept."""


class StoreClosedError(StoreError):
    """The store is closed."""


class StoreBusyError(StoreError):
    """Another process holds the store; one process opens a network on SQLite."""


class StoreUnreachableError(StoreError):
    """The database cannot be reached, or went away in the middle; nothing of the work was kept."""


class UnknownError(StoreError):
    """The database went away, or said nothing for long, while the work was being saved: it may have happened."""

    def __init__(self) -> None:
        """Say so."""
        super().__init__(MAYBE)


class StaleError(StoreError):
    """Another process published a version meanwhile: what was prepared for the one before does not fit any more."""


class ConstraintError(StoreError):
    """A row would break a rule of its table: unique, not null, or a reference to what does not exist."""


class WorkError(StoreError):
    """Work in a transaction awaited something else than its transaction, or asked the store for another one."""


class Store(Protocol):
    """The database of one network.

    `changed` is set after each commit that touched rows (on the event loop of the writer's caller); who waits for it
    clears it first. `engine` serves Piccolo queries outside of transactions: reads go to the readers, a write is a
    transaction of its own.
    """

    @property
    def changed(self) -> asyncio.Event:
        """Set after commits; on PostgreSQL after those of other processes too, from the first look at it on."""
        ...

    @property
    def waiting(self) -> int:
        """How many pieces of work wait for the store, or are in it."""
        ...

    @property
    def gone(self) -> bool:
        """Whether somebody else moved or deleted the network: there is nothing to ask for any more."""
        ...

    @property
    def presence(self) -> Presence | None:
        """How others see that this process lives; None where nobody else is, or nobody could tell now."""
        ...

    @property
    def dialect(self) -> Dialect:
        """Which SQL it speaks."""
        ...

    @property
    def engine(self) -> Engine[Any]:
        """The Piccolo engine over the same data."""
        ...

    def follow(self, version: int, renew: Callable[[], Awaitable[None]]) -> None:
        """Let work expect this version of the definitions from now on.

        Where several processes share a store, work that would meet another version waits until `renew` has taken it up
        (and called `follow` again); with `schema` it is refused with a `StaleError`. Where one process has the store
        there is nothing to do.
        """
        ...

    async def read(self, work: Work[T], *, any_version: bool = False, long: bool = False) -> T:
        """Run `work` on one snapshot of the data, without the right to write; `any_version`: whatever it finds.

        It may run again from its beginning, so it leaves no traces outside of its transaction. `long` is for what goes
        through whole tables and writes elsewhere what it finds: that runs once, beside all requests, and only a change
        of tables in the middle has it run again.
        """
        ...

    async def write(
        self,
        work: Work[T],
        *,
        schema: bool = False,
        claim: bool = False,
        then: Callable[[], None] | None = None,
    ) -> T:
        """Run `work` in a transaction and return once its commit is on disk; an exception undoes this work alone.

        Nothing that the work read is changed by others before its commit; where they did (PostgreSQL), it is undone
        and runs again from its beginning, so it leaves no traces outside of its transaction. `claim` is for work that
        takes rows which others want too (`FOR UPDATE SKIP LOCKED`): each of its statements sees what is committed by
        then.

        Cancelled while it waits for its turn, it never runs; once begun, it runs to its end. `schema` is for changes
        of tables: the work has its transaction alone, and foreign keys are checked at its end instead of meanwhile.
        `then` is called right after the commit, before any other work begins, on whatever thread that is.
        """
        ...

    async def close(self) -> None:
        """Finish what was accepted, then close; closing twice is fine."""
        ...
