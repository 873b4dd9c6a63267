"""The terms that members accept, and the proof that they did."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from definitions.spec.access import Terms
from definitions.spec.network import Network
from definitions.text import Text, plain
from models.actor import Actor
from models.connections import stored_datetime
from models.errors import ConflictError, NotFoundError
from models.system import ACCEPTANCE, WORDING
from models.tenant import Tenant
from models.tx import Tx

_ACCEPTED = """SELECT a."terms", a."version", a."at", a."ip", w."label", w."body" FROM "_acceptance" a
LEFT JOIN "_wording" w ON w."id" = a."wording" WHERE a."member" = ? ORDER BY a."at" DESC, a."id" DESC"""


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
    proof, shown = tenant.new_id(), wording(found)

    async def work(tx: Tx) -> None:
        key = (actor.id, terms, version)
        await tx.lock(f"terms:{actor.id}")
        known = await tx.row('SELECT 1 FROM "_acceptance" WHERE "member" = ? AND "terms" = ? AND "version" = ?', key)
        if known is None:
            await tx.run(ACCEPTANCE.insert(), (proof, *key, now, actor.ip, shown[0]))
            await tx.run(f'{WORDING.insert()} ON CONFLICT ("id") DO NOTHING', shown)

    await tenant.store.write(work)


def wording(terms: Terms) -> tuple[str, str, str, str, str]:
    """Return a row that keeps what terms say, in all their languages; its id is the hash of it all."""
    label, body = (json.dumps(dict(text.values), sort_keys=True) for text in (terms.label, terms.body))
    digest = hashlib.sha256(json.dumps([terms.name, terms.version, label, body]).encode()).hexdigest()
    return digest, terms.name, terms.version, label, body


@dataclass(frozen=True, slots=True)
class Accepted:
    """Terms as a member accepted them; `body` is None for what was accepted before texts were kept."""

    terms: str
    version: str
    at: datetime
    ip: str | None
    label: Text
    body: Text | None


async def accepted(tenant: Tenant, member: str) -> list[Accepted]:
    """Return all that a member ever accepted, the latest first, as it was worded then."""
    rows = await tenant.store.read(lambda tx: tx.rows(_ACCEPTED, (member,)))
    return [
        Accepted(
            name,
            version,
            datetime.fromisoformat(at),
            ip,
            plain(name) if label is None else Text(json.loads(label)),
            None if body is None else Text(json.loads(body)),
        )
        for name, version, at, ip, label, body in rows
    ]
