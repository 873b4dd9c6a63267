"""Signing in with an identity that a provider has proven: whose account it is, and what is asked for besides."""

from __future__ import annotations

from dataclasses import replace

from models import accounts, devices, providers, tries
from models.accounts import Entry, Halfway, Refusal, SignedIn
from models.members import load_actor, with_email
from models.providers import Claimed
from models.tenant import Tenant
from models.tx import Tx


async def sign_in(tenant: Tenant, claimed: Claimed, entry: Entry) -> SignedIn | Halfway | Refusal:
    """Let in the active member whose identity it is.

    An identity that is nobody's yet becomes that of the member with its e-mail, if the provider has verified the
    e-mail and the member has no other identity there. `Refusal("stranger")`: it is nobody's. A second factor is asked
    for as after a password, unless the provider asked for one.
    """

    async def work(tx: Tx) -> SignedIn | Halfway | Refusal:
        attempt = replace(entry.attempt, email=(claimed.email or claimed.subject).casefold()[:320])
        until = await tries.begin(tx, attempt)
        if until is not None:
            return Refusal("too_many", until)
        member = await _whose(tenant, tx, claimed, entry)
        actor = None if member is None else await load_actor(tenant.published, tx, member, ip=attempt.ip)
        if member is None or actor is None:
            await tries.keep_failed(tx, tenant.new_id(), replace(attempt, member=member))
            return Refusal("stranger")
        email = str((actor.member or {}).get("email") or "").casefold()
        known = await devices.known(tx, entry.device, member)
        mine = replace(attempt, email=email, member=member, device=known)
        await tries.forget(tx, attempt.id)
        await tries.log(tx, mine, "failed")
        await providers.use(tx, claimed, attempt.at)
        return await accounts.go_on(tx, replace(entry, attempt=mine), actor, factor_shown=claimed.strong)

    return await tenant.store.write(work)


async def _whose(tenant: Tenant, tx: Tx, claimed: Claimed, entry: Entry) -> str | None:
    member = await providers.member_of(tx, claimed)
    if member is not None or not (claimed.email and claimed.email_verified):
        return member
    member = await with_email(tx, claimed.email)
    if member is None or await load_actor(tenant.published, tx, member) is None:
        return None
    linked = await providers.link(tx, tenant.new_id(), member, claimed, entry.attempt.at)
    return member if linked else None
