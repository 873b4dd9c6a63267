"""The second step of a sign-in: a code, a recovery code or a passkey after the password; or setting one up first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from models import pending, second_factor, tries
from models.accounts import Entry, Refusal, SignedIn, enter
from models.members import load_actor
from models.pending import Kind, Pending
from models.tenant import Tenant
from models.tries import Try
from models.tx import Tx

MOST_TRIES = 5
"""So many wrong answers, and the sign-in begins again with the password."""
_OVER = Refusal("over")


@dataclass(frozen=True, slots=True)
class SetUp:
    """A sign-in that had to set up an app first and did; the recovery codes are shown this once."""

    entered: SignedIn
    recovery: tuple[str, ...]


async def whose(tenant: Tenant, token: str, kind: Kind) -> Pending | None:
    """Return the sign-in that waits for its second step; None when it is over."""
    now = tenant.clock.now()
    return await tenant.store.read(lambda tx: pending.find(tx, token, kind, now))


async def answer_code(tenant: Tenant, token: str, code: str) -> SignedIn | Refusal:
    """Let in who says a code of the app, or a recovery code, within `MOST_TRIES`.

    Codes of the app are limited for the account too (they can be guessed); recovery codes are not, so that nobody who
    knows the password keeps the member out by guessing.
    """
    now = tenant.clock.now()

    async def work(tx: Tx) -> SignedIn | Refusal:
        found = await pending.find(tx, token, "factor", now)
        if found is None or found.member is None:
            return _OVER
        if await second_factor.check_recovery(tx, found.member, code, now):
            return await _let_in(tenant, tx, found, now)
        guess = replace(_entry(found).attempt, id=tenant.new_id(), at=now)
        until = await tries.begin(tx, guess, "factor_failed")
        if until is not None:
            return Refusal("too_many", until)
        if not await second_factor.check_code(tx, tenant.vault, found.member, code, now):
            await tries.keep_failed(tx, tenant.new_id(), guess)
            return Refusal("code") if await pending.note_try(tx, found, MOST_TRIES) else _OVER
        await tries.forget(tx, guess.id)
        return await _let_in(tenant, tx, found, now)

    return await tenant.store.write(work)


async def answer_with(tenant: Tenant, token: str, holds: Callable[[Tx, str], Awaitable[bool]]) -> SignedIn | Refusal:
    """Let in whose answer `holds`: asked in the transaction, with the member's id."""
    now = tenant.clock.now()

    async def work(tx: Tx) -> SignedIn | Refusal:
        found = await pending.find(tx, token, "factor", now)
        if found is None or found.member is None:
            return _OVER
        if not await holds(tx, found.member):
            await tries.keep_failed(tx, tenant.new_id(), replace(_entry(found).attempt, at=now))
            return Refusal("code") if await pending.note_try(tx, found, MOST_TRIES) else _OVER
        return await _let_in(tenant, tx, found, now)

    return await tenant.store.write(work)


async def proposed(tenant: Tenant, token: str) -> str | None:
    """Return the key for the app of who has to set one up before anything else; None when it is over."""
    now = tenant.clock.now()

    async def work(tx: Tx) -> str | None:
        found = await pending.find(tx, token, "set_up", now)
        if found is None or found.member is None:
            return None
        return await second_factor.propose(tx, tenant.vault, found.member, now)

    return await tenant.store.write(work)


async def set_up(tenant: Tenant, token: str, code: str) -> SetUp | Refusal:
    """Turn the proposed key on and let the member in, within `MOST_TRIES`."""
    now = tenant.clock.now()

    async def work(tx: Tx) -> SetUp | Refusal:
        found = await pending.find(tx, token, "set_up", now)
        if found is None or found.member is None:
            return _OVER
        if not await second_factor.confirm(tx, tenant.vault, found.member, code, now):
            await tries.keep_wrong_code(tx, tenant.new_id, replace(_entry(found).attempt, at=now))
            return Refusal("code") if await pending.note_try(tx, found, MOST_TRIES) else _OVER
        codes = await second_factor.make_recovery(tx, found.member, now)
        entered = await _let_in(tenant, tx, found, now)
        return SetUp(entered, codes) if isinstance(entered, SignedIn) else entered

    return await tenant.store.write(work)


async def _let_in(tenant: Tenant, tx: Tx, found: Pending, now: datetime) -> SignedIn | Refusal:
    entry = _entry(found)
    actor = await load_actor(tenant.published, tx, str(found.member), ip=entry.attempt.ip)
    if actor is None or not await pending.end(tx, found.id):
        return _OVER
    return await enter(tx, replace(entry, attempt=replace(entry.attempt, at=now)), actor)


def _entry(found: Pending) -> Entry:
    """Return from where the password was said."""
    kept: Mapping[str, Any] = found.payload
    at = datetime.fromisoformat(kept["at"])
    attempt = Try(kept["id"], kept["email"], at, kept["ip"], kept["agent"], found.member, kept["device"])
    return Entry(attempt, kept["previous"], kept["known"])
