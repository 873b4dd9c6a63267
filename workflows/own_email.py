"""A member's own e-mail, with which it signs in: another one counts once a mail to it was answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from models import accounts, pending
from models.actor import Actor
from models.errors import InvalidError, NotFoundError, RefusedError
from models.message import say
from models.tenant import Tenant
from models.validation import clean
from workflows import changes, letters
from workflows.letters import Wording
from workflows.offices import itself
from workflows.unit import Unit, read, write

MEMBER = "member"
MOST = 5
"""So many mails are sent to new addresses of one member in the time that their links are good for."""
_ASKED = """SELECT count(*) FROM "_pending" WHERE "member" = ? AND "kind" = 'email'"""


async def ask(tenant: Tenant, actor: Actor, email: str, password: str, worded: Callable[[str], Wording]) -> None:
    """Send a link to a new address; `worded` makes the mail of the link's token.

    Nothing tells whether somebody else has the address: who reads its mails is told when the link is used.
    `InvalidError` for no address, the present one or a wrong password.
    """
    member = itself(actor)
    entity = tenant.published.network.entities[MEMBER]
    cleaned = clean(tenant.published.network, entity, {"email": email}, actor.member or {})
    if cleaned.problems:
        raise InvalidError(cleaned.problems)
    address = str(cleaned.values["email"] or "")
    if not address or address.casefold() == str((actor.member or {}).get("email") or "").casefold():
        raise InvalidError({"email": say("Write the new address.")})
    await accounts.confirm(tenant, member, password)

    async def work(unit: Unit) -> None:
        await unit.tx.lock(f"email:{member}")
        row = await unit.tx.row(_ASKED, [member])
        if row is not None and row[0] >= MOST:
            raise RefusedError(say("Too many mails were asked for. Try again in two days."))
        token = await pending.begin(unit.tx, "email", member, {"email": address}, unit.now)
        await letters.send(unit, member, address, worded(token))

    await write(tenant, actor, work)


async def asked(tenant: Tenant, actor: Actor, token: str) -> str:
    """Return the address that a link is for; `NotFoundError` for who is another, and when the link is over."""

    async def work(unit: Unit) -> str:
        return await _address(unit, token)

    return await read(tenant, actor, work)


async def _address(unit: Unit, token: str) -> str:
    found = await pending.find(unit.tx, token, "email", unit.now)
    if found is None or found.member != itself(unit.actor):
        raise NotFoundError
    return str(found.payload["email"])


async def confirm(tenant: Tenant, actor: Actor, token: str, worded: Wording) -> None:
    """Sign in with the new address from now on; the old one is told. `InvalidError` when somebody else has it."""
    member = itself(actor)

    async def work(unit: Unit) -> None:
        address = await _address(unit, token)
        old = await unit.records.system.get(MEMBER, member)
        itself_ = replace(unit, actor=replace(actor, kind="system"), records=unit.records.system)
        await changes.update(itself_, MEMBER, member, None, {"email": address})
        await unit.tx.run("""DELETE FROM "_pending" WHERE "member" = ? AND "kind" = 'email'""", [member])
        await letters.send(unit, member, str(old.full["email"]), worded, secret=False)

    await write(tenant, actor, work)
