"""What operators can ask for about people: members, and the tokens of their programs."""

from __future__ import annotations

from typing import Any

from admin.control.answers import Refusal, RefusedError
from admin.control.desk import Desk, Given
from admin.wordings import token_ends
from models import tokens
from models.actor import SYSTEM
from models.errors import NotFoundError
from models.members import load_actor, with_email
from models.message import say
from models.tenant import Tenant
from models.tokens import Token
from workflows import membership, token_notices
from workflows.membership import Joined
from workflows.unit import read


def joined_as(desk: Desk, tenant: Tenant, joined: Joined) -> dict[str, Any]:
    """Return a new member with the link to choose a password, None where one was set."""
    link = None if joined.token is None else desk.link(tenant, "join", joined.token)
    return {"member": joined.id, "link": link}


async def members(desk: Desk, given: Given) -> Any:
    """Return the members of a network."""
    return await membership.members(await desk.tenant(given))


async def add_member(desk: Desk, given: Given) -> Any:
    """Take a member in: with a password, or with a link to choose one."""
    tenant = await desk.tenant(given)
    sponsor, password = given.get("sponsor"), given.get("password")
    try:
        joined = await membership.join(tenant, given["values"], sponsor=sponsor, password=password)
    except NotFoundError:
        raise _nobody(tenant, sponsor) from None
    return joined_as(desk, tenant, joined)


async def invite_member(desk: Desk, given: Given) -> Any:
    """Give a member a link to choose a password anew."""
    tenant = await desk.tenant(given)
    try:
        return joined_as(desk, tenant, await membership.invite(tenant, given["email"]))
    except NotFoundError:
        raise _nobody(tenant, given["email"]) from None


async def change_levels(desk: Desk, given: Given) -> Any:
    """Set, give or take levels of a member."""
    tenant = await desk.tenant(given)
    wanted, more, less = given["levels"], given["more"], given["less"]

    def change(levels: tuple[str, ...]) -> list[str]:
        return [name for name in (*(wanted or levels), *more) if name not in less]

    try:
        return await membership.change_levels(tenant, given["email"], change)
    except NotFoundError:
        raise _nobody(tenant, given["email"]) from None


async def set_active(desk: Desk, given: Given) -> Any:
    """Let a member in again, or out."""
    tenant = await desk.tenant(given)
    try:
        return await membership.set_active(tenant, given["email"], active=given["active"])
    except NotFoundError:
        raise _nobody(tenant, given["email"]) from None


async def forget_factors(desk: Desk, given: Given) -> Any:
    """Take the second factors of a member away, who has lost them."""
    tenant = await desk.tenant(given)
    try:
        return await membership.forget_factors(tenant, given["email"])
    except NotFoundError:
        raise _nobody(tenant, given["email"]) from None


def _nobody(tenant: Tenant, email: str | None) -> RefusedError:
    return RefusedError(
        Refusal(say("No member of {name} has the e-mail address {email}.", name=tenant.name, email=email))
    )


async def create_token(desk: Desk, given: Given) -> Any:
    """Make a token of a member; this is the only time that its secret is told."""
    tenant = await desk.tenant(given)
    member = await _member(tenant, given["email"])
    actor = await tenant.store.read(lambda tx: load_actor(tenant.published, tx, member))
    language = "" if actor is None else actor.language
    notice = token_ends(tenant.published.network, language, given["name"])
    try:
        made = await tokens.create(
            tenant,
            member,
            name=given["name"],
            days=given["days"],
            levels=frozenset(given["levels"]),
            entities=frozenset(given.get("entities", ())),
            reads_only=given.get("reads_only", False),
            also=token_notices.told(tenant, notice),
        )
    except NotFoundError:
        raise RefusedError(Refusal(say("{email} cannot sign in any more.", email=given["email"]))) from None
    return {**_token(made.token), "token": made.secret}


async def list_tokens(desk: Desk, given: Given) -> Any:
    """Return the tokens of a member."""
    tenant = await desk.tenant(given)
    return [_token(each) for each in await tokens.of_member(tenant, await _member(tenant, given["email"]))]


async def revoke_token(desk: Desk, given: Given) -> Any:
    """End a token of a member."""
    tenant = await desk.tenant(given)
    if not await tokens.revoke(tenant, await _member(tenant, given["email"]), given["token"]):
        raise RefusedError(Refusal(say("{email} has no token {token}.", email=given["email"], token=given["token"])))
    return {"revoked": given["token"]}


def _token(token: Token) -> dict[str, Any]:
    return {
        "id": token.id,
        "name": token.name,
        "levels": token.levels,
        "entities": token.entities,
        "reads_only": token.reads_only,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "last_used_at": token.last_used_at,
        "last_ip": token.last_ip,
    }


async def whose(tenant: Tenant, given: Given) -> str | None:
    """Return the member whom an operation is about, None where it is about nobody who is there."""
    email = given.get("email")
    return None if not email else await tenant.store.read(lambda tx: with_email(tx, email))


async def _member(tenant: Tenant, email: str) -> str:
    try:
        return (await read(tenant, SYSTEM, lambda unit: membership.find(unit, email))).id
    except NotFoundError:
        raise _nobody(tenant, email) from None
