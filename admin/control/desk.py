"""Where operations are done: the networks, who is told how far it is, and which network is meant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from admin.control.answers import Refusal, RefusedError
from admin.networks import Networks
from admin.visit import address
from definitions.problems import did_you_mean
from models.message import say
from models.tenant import Tenant

Given = Mapping[str, Any]
Progress = Callable[[str, int, int], None]
LOCAL_URL = "http://127.0.0.1:8000"
"""Where links go when nobody said the public address."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Where an operation is done: the networks, who is told how far it is, and whether this is a running server."""

    networks: Networks
    progress: Progress
    serving: bool = False

    async def tenant(self, given: Given) -> Tenant:
        """Return the network that was asked for: the only one when none was named."""
        names = await self.networks.names()
        name = given.get("network") or (names[0] if len(names) == 1 else "")
        if not name:
            raise RefusedError(Refusal(_which(names)))
        tenant = await self.networks.get(name)
        if tenant is None and name in names:
            raise RefusedError(
                Refusal(say("{name} has no definitions yet: 'maille network create {name} …' begins anew.", name=name))
            )
        if tenant is None:
            hint = did_you_mean(name, names) or say("'maille network create' makes one.")
            raise RefusedError(Refusal(say("There is no network '{name}': {hint}", name=name, hint=hint)))
        return tenant

    def link(self, tenant: Tenant, *parts: str) -> str:
        """Return an address of the network's pages as people reach it."""
        return (self.networks.settings.public_url or LOCAL_URL) + address(tenant.name, *parts)


def _which(names: list[str]) -> str:
    if names:
        return say("Say which network is meant with --network: {names}.", names=", ".join(names))
    return say("There is no network here yet: 'maille network create' makes one. Is --data the right folder?")
