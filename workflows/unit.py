"""One transaction of work: what every use case and every action of an automation is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from models.published import Published

from definitions.expr.expression import Context
from definitions.spec.network import Network
from models.actor import Actor
from models.records import Records
from models.tx import Tx


@dataclass(frozen=True, slots=True)
class Cause:
    """Which run of an automation this work is part of, and how many runs caused one another before it.

    `hold_until` is how long what leaves the house is held back for: the undo time of the move that began it all.
    """

    run: str
    depth: int
    hold_until: str | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """A transaction with its actor, the published version that holds in it, its time and its source of ids."""

    published: Published
    tx: Tx
    actor: Actor
    context: Context
    new_id: Callable[[], str]
    records: Records
    settings: Mapping[str, Any]
    cause: Cause | None = None

    @property
    def network(self) -> Network:
        """The definition that holds in this transaction."""
        return self.published.network
