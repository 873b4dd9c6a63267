"""Who may do what with which records: the one place that decides."""

from __future__ import annotations

from typing import Literal

from definitions.spec.network import Network
from models.actor import Actor
from models.record import Record

Action = Literal["read", "create", "update", "delete"]


class Access:
    """The rights of every set of levels in one network. Compiled when first needed, then kept."""

    def __init__(self, network: Network) -> None:
        """Take the levels of `network`."""
        self.network = network

    def may(self, actor: Actor, action: Action, entity: str) -> bool:
        """Whether the actor may do it with any record at all (for buttons and navigation)."""
        raise NotImplementedError

    def may_field(self, actor: Actor, entity: str, field: str, mode: Literal["read", "write"]) -> bool:
        """Whether the actor may read or write the field of any record at all (for columns and forms)."""
        raise NotImplementedError

    def may_transition(self, actor: Actor, process: str, transition: str, record: Record) -> bool:
        """Whether one of the actor's levels grants the move of a record that was read as this actor."""
        raise NotImplementedError

    def functions(self, actor: Actor) -> frozenset[str]:
        """Return the functions (`consult`, `communicate`, …) that the actor's levels have."""
        raise NotImplementedError

    def administers(self, actor: Actor) -> bool:
        """Whether one of the actor's levels has the administration of the network."""
        raise NotImplementedError
