"""One transaction of work: what every use case and every action of an automation is given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from definitions.expr.expression import Context
from definitions.spec.network import Network
from models.actor import Actor
from models.message import Message
from models.published import Published
from models.records import Records
from models.secrets import CLOSED, Vault
from models.tenant import Tenant
from models.tx import Tx

if TYPE_CHECKING:
    from workflows.runs import Run

T = TypeVar("T")


Words = Callable[[str, Message], str]
"""Says a sentence in a language."""


def in_english(_: str, sentence: Message) -> str:
    """Say a sentence as it is written, whatever the language."""
    return str(sentence)


@dataclass(frozen=True, slots=True)
class Cause:
    """Which run of an automation this work is part of, and how many runs caused one another before it.

    `hold_until` is how long what leaves the house is held back for: the undo time of the move that began it all.
    """

    run: str
    depth: int
    hold_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class House:
    """Where the network is reached from outside: the server's public URL, without a slash at its end.

    `words` says a sentence of the product in a language, for what leaves without a door.
    """

    url: str = ""
    words: Words = in_english


@dataclass(frozen=True, slots=True)
class Unit:
    """A transaction with its actor, the published version that holds in it, its time and its source of ids.

    `ended` is where runs of automations wait that ended, by their ids, until the transaction clears up behind all of
    them (`runs.leave`); without one each clears up by itself.
    """

    published: Published
    tx: Tx
    actor: Actor
    context: Context
    new_id: Callable[[], str]
    records: Records
    cause: Cause | None = None
    house: House = House()
    vault: Vault = CLOSED
    ended: dict[str, Run] | None = None

    @property
    def network(self) -> Network:
        """The definition that holds in this transaction."""
        return self.published.network

    @property
    def now(self) -> datetime:
        """The time of this transaction."""
        return self.context.now

    def hold(self, own: datetime | None = None) -> datetime | None:
        """Return until when what leaves the house is held back: the cause's time or `own`, whichever is later."""
        holds = [time for time in (own, self.cause.hold_until if self.cause else None) if time is not None]
        return max(holds, default=None)


def open_unit(tenant: Tenant, tx: Tx, actor: Actor, *, cause: Cause | None = None, house: House = House()) -> Unit:
    """Return the unit of a transaction that has just begun."""
    published = tenant.published
    context = tenant.context()
    records = Records(published, tx, actor, context, new_id=tenant.new_id)
    return Unit(published, tx, actor, context, tenant.new_id, records, cause, house, tenant.vault)


async def write(tenant: Tenant, actor: Actor, work: Callable[[Unit], Awaitable[T]]) -> T:
    """Do `work` in one transaction and return once it is durable."""
    return await tenant.store.write(lambda tx: work(open_unit(tenant, tx, actor)))


async def read(tenant: Tenant, actor: Actor, work: Callable[[Unit], Awaitable[T]]) -> T:
    """Do `work` on one snapshot of the data."""
    return await tenant.store.read(lambda tx: work(open_unit(tenant, tx, actor)))
