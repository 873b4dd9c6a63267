"""The terms that members accept, and the proof that they did."""

from __future__ import annotations

from definitions.spec.access import Terms
from definitions.spec.network import Network
from models.actor import Actor
from models.connections import stored_datetime
from models.errors import ConflictError, NotFoundError
from models.tenant import Tenant
from models.tx import Tx


def terms_for(network: Network, actor: Actor) -> tuple[Terms, ...]:
    """Return the terms that concern the actor, in the order of the definitions."""
    if actor.kind != "member":
        return ()
    return tuple(terms for terms in network.terms.values() if not terms.levels or set(terms.levels) & set(actor.levels))


async def open_terms(tenant: Tenant, actor: Actor) -> tuple[Terms, ...]:
    """Return the terms that the actor has still to accept in their present version."""
    if not terms_for(tenant.published.network, actor):
        return ()
    return await tenant.store.read(lambda tx: still_open(tx, tenant.published.network, actor))


async def still_open(tx: Tx, network: Network, actor: Actor) -> tuple[Terms, ...]:
    """Return the same, inside a transaction."""
    wanted = terms_for(network, actor)
    if not wanted:
        return ()
    rows = await tx.rows('SELECT "terms", "version" FROM "_acceptance" WHERE "member" = ?', (actor.id,))
    accepted = {(name, version) for name, version in rows}
    return tuple(terms for terms in wanted if (terms.name, terms.version) not in accepted)


async def accept(tenant: Tenant, actor: Actor, terms: str, version: str) -> None:
    """Keep the proof: who, which terms in which version, when, from which address. Accepting twice is one proof.

    `NotFoundError` when these terms do not concern the actor, `ConflictError` when `version` is not their present one.
    """
    found = next((each for each in terms_for(tenant.published.network, actor) if each.name == terms), None)
    if found is None:
        raise NotFoundError
    if found.version != version:
        raise ConflictError(0)
    now = stored_datetime(tenant.clock.now())
    proof = tenant.new_id()

    async def work(tx: Tx) -> None:
        key = (actor.id, terms, version)
        await tx.lock(f"terms:{actor.id}")
        known = await tx.row('SELECT 1 FROM "_acceptance" WHERE "member" = ? AND "terms" = ? AND "version" = ?', key)
        if known is None:
            await tx.run(
                'INSERT INTO "_acceptance" ("id", "member", "terms", "version", "at", "ip") VALUES (?, ?, ?, ?, ?, ?)',
                (proof, *key, now, actor.ip),
            )

    await tenant.store.write(work)
