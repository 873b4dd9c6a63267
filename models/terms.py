"""The terms that members accept, and the proof that they did."""

from __future__ import annotations

from definitions.spec.access import Terms
from models.actor import Actor
from models.tenant import Tenant


async def open_terms(tenant: Tenant, actor: Actor) -> tuple[Terms, ...]:
    """Return the terms that the actor has still to accept in their present version."""
    raise NotImplementedError


async def accept(tenant: Tenant, actor: Actor, terms: str, version: str) -> None:
    """Keep the proof: who, which terms in which version, when, from which address. Accepting twice is one proof."""
    raise NotImplementedError
