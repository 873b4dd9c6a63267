"""One transaction of work: what every use case and every action of an automation is given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from definitions.expr.expression import Context
from definitions.problems import DefinitionError
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


Past = Mapping[int, Network | None]
"""Earlier versions at hand, by their numbers; None for one that cannot be read any more."""
VERSIONS = 4
"""So many earlier versions are read at most for what one transaction tells."""


class VersionAwayError(Exception):
    """What is told is about an earlier version that is not at hand: who reads does so once more with it."""

    def __init__(self, number: int) -> None:
        """Keep which one."""
        self.number = number
        super().__init__(str(number))


@dataclass(frozen=True, slots=True)
class Unit:
    """A transaction with its actor, the published version that holds in it, its time and its source of ids.

    `ended` is where runs of automations wait that ended, by their ids, until the transaction clears up behind all of
    them (`runs.leave`); without one each clears up by itself. `past` are the earlier versions that may be told of; with
    None there are none, and none can be asked for (see `with_past`).
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
    past: Past | None = None

    @property
    def network(self) -> Network:
        """The definition that holds in this transaction."""
        return self.published.network

    @property
    def now(self) -> datetime:
        """The time of this transaction."""
        return self.context.now

    def before(self, version: int) -> Network | None:
        """Return the network as it was in an earlier version; None where it cannot be told of."""
        if self.past is None or version in self.past:
            return None if self.past is None else self.past[version]
        if len(self.past) >= VERSIONS:
            return None
        raise VersionAwayError(version)

    def hold(self, own: datetime | None = None) -> datetime | None:
        """Return until when what leaves the house is held back: the cause's time or `own`, whichever is later."""
        holds = [time for time in (own, self.cause.hold_until if self.cause else None) if time is not None]
        return max(holds, default=None)


def open_unit(
    tenant: Tenant,
    tx: Tx,
    actor: Actor,
    *,
    cause: Cause | None = None,
    house: House = House(),
    past: Past | None = None,
) -> Unit:
    """Return the unit of a transaction that has just begun."""
    published = tenant.published
    context = tenant.context()
    records = Records(published, tx, actor, context, new_id=tenant.new_id)
    vault = tenant.vault
    return Unit(published, tx, actor, context, tenant.new_id, records, cause, house, vault, past=past)


async def write(tenant: Tenant, actor: Actor, work: Callable[[Unit], Awaitable[T]]) -> T:
    """Do `work` in one transaction and return once it is durable."""
    return await tenant.store.write(lambda tx: work(open_unit(tenant, tx, actor)))


async def read(tenant: Tenant, actor: Actor, work: Callable[[Unit], Awaitable[T]]) -> T:
    """Do `work` on one snapshot of the data, with the earlier versions that it tells of."""
    return await with_past(
        tenant, lambda past: tenant.store.read(lambda tx: work(open_unit(tenant, tx, actor, past=past)))
    )


async def with_past(tenant: Tenant, attempt: Callable[[Past], Awaitable[T]]) -> T:
    """Do a transaction, and once more from its beginning for every earlier version that it lacks."""
    past: dict[int, Network | None] = {}
    while True:
        try:
            return await attempt(past)
        except VersionAwayError as away:
            past[away.number] = None
            with suppress(LookupError, DefinitionError):
                past[away.number] = (await tenant.version(away.number)).network
