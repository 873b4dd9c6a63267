"""What a member changes of what opens the own account: the app, passkeys and recovery codes, from an open session.

Each asks for the password first (once in a few minutes), ends the member's other sessions and gives this one a new
token.
"""

from __future__ import annotations

from dataclasses import dataclass

from models import accounts, passkeys, pending, second_factor, tries
from models.errors import InvalidError, NotFoundError
from models.message import say
from models.passkeys import Question, Site
from models.sessions import Session, rotate
from models.sessions import end_all as end_sessions
from models.tenant import Tenant
from models.tries import Try
from models.tx import Tx


@dataclass(frozen=True, slots=True)
class Changed:
    """A change that was made: the session's new token, and recovery codes where there are new ones."""

    token: str
    session: Session
    recovery: tuple[str, ...] = ()


async def propose_app(tenant: Tenant, session: Session, password: str) -> None:
    """Have a key ready for an app; it is on when a code confirms it. `InvalidError`, `RefusedError`."""
    await accounts.confirm_session(tenant, session, password)
    await _propose(tenant, session.member)


async def proposed(tenant: Tenant, member: str) -> str:
    """Return the key that waits to be confirmed; `NotFoundError` when none does."""

    async def look(tx: Tx) -> bool:
        row = await tx.row('SELECT "confirmed_at" FROM "_second_factor" WHERE "member" = ?', [member])
        return row is not None and row[0] is None

    if not await tenant.store.read(look):
        raise NotFoundError
    return await _propose(tenant, member)


async def _propose(tenant: Tenant, member: str) -> str:
    now, vault = tenant.clock.now(), tenant.vault
    return await tenant.store.write(lambda tx: second_factor.propose(tx, vault, member, now))


async def confirm_app(tenant: Tenant, session: Session, code: str) -> Changed:
    """Turn the app on; `InvalidError` when the code is none of it."""
    now, vault, member = tenant.clock.now(), tenant.vault, session.member

    async def work(tx: Tx) -> Changed | None:
        if await second_factor.confirm(tx, vault, member, code, now):
            return await _changed(tx, session, await second_factor.first_recovery(tx, member, now))
        row = await tx.row('SELECT lower("email") FROM "member" WHERE "id" = ?', [member])
        email = "" if row is None else str(row[0])
        wrong = Try("", email, now, session.ip, session.agent, member)
        await tries.keep_wrong_code(tx, tenant.new_id, wrong)
        return None

    changed = await tenant.store.write(work)
    if changed is None:
        raise InvalidError({"code": say("This code is wrong, or was used already.")})
    return changed


async def remove_app(tenant: Tenant, session: Session, password: str, code: str) -> Changed:
    """Take the app away, with the password and a code (or a recovery code): who has only one of them does not."""
    await accounts.confirm_session(tenant, session, password)
    now, vault, member = tenant.clock.now(), tenant.vault, session.member

    async def work(tx: Tx) -> Changed:
        told = await second_factor.check_code(tx, vault, member, code, now)
        if not told and not await second_factor.check_recovery(tx, member, code, now):
            raise InvalidError({"code": say("This code is wrong, or was used already.")})
        await second_factor.remove_app(tx, member)
        await second_factor.may_lose(tenant, tx, member)
        return await _changed(tx, session)

    return await tenant.store.write(work)


async def renew_recovery(tenant: Tenant, session: Session, password: str) -> Changed:
    """Make new recovery codes; the old ones hold no more. `NotFoundError` for who has no second factor."""
    await accounts.confirm_session(tenant, session, password)
    now = tenant.clock.now()

    async def work(tx: Tx) -> Changed:
        if not await second_factor.has_any(tx, session.member):
            raise NotFoundError
        return await _changed(tx, session, await second_factor.make_recovery(tx, session.member, now))

    return await tenant.store.write(work)


async def ask_passkey(tenant: Tenant, session: Session, password: str, site: Site, names: tuple[str, str]) -> Question:
    """Return the question for a new passkey; `names` are the member's e-mail and the network's label."""
    await accounts.confirm_session(tenant, session, password)
    return await passkeys.ask_to_register(tenant, session.member, site, *names)


async def add_passkey(tenant: Tenant, session: Session, site: Site, answer: str, *, token: str, name: str) -> Changed:
    """Keep the passkey that answered; `InvalidError` when none did."""
    now, member = tenant.clock.now(), session.member

    async def work(tx: Tx) -> Changed:
        if not await passkeys.register(tx, member, site, answer, token=token, name=name, now=now):
            raise InvalidError({"passkey": say("The passkey was not added: try again.")})
        return await _changed(tx, session, await second_factor.first_recovery(tx, member, now))

    return await tenant.store.write(work)


async def remove_passkey(tenant: Tenant, session: Session, password: str, passkey: str) -> Changed:
    """Take a passkey away; `NotFoundError` when there is no such one, `RefusedError` for the last that is needed."""
    await accounts.confirm_session(tenant, session, password)

    async def work(tx: Tx) -> Changed:
        if not await passkeys.remove(tx, session.member, passkey):
            raise NotFoundError
        await second_factor.may_lose(tenant, tx, session.member)
        return await _changed(tx, session)

    return await tenant.store.write(work)


async def _changed(tx: Tx, session: Session, recovery: tuple[str, ...] = ()) -> Changed:
    await end_sessions(tx, session.member, but=session.id)
    token, fresh = await rotate(tx, session)
    await pending.carry(tx, session, fresh)
    return Changed(token, fresh, recovery)
