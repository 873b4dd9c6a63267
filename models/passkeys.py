"""Passkeys (WebAuthn): registered under a name, for signing in without a password or as the second factor."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from models import devices, pending, providers, tries
from models.accounts import Entry, Refusal, SignedIn, enter
from models.connections import stored_datetime
from models.errors import InvalidError
from models.members import load_actor
from models.message import say
from models.system import PASSKEY
from models.tenant import Tenant
from models.tx import Tx

MOST = 20
"""Passkeys that a member has at most."""
LONGEST = 60
_SELECT = 'SELECT "id", "member", "name", "created_at", "last_used_at" FROM "_passkey"'
_WRONG = (WebAuthnException, ValueError, KeyError, TypeError, AttributeError, IndexError)
"""What reading or checking an answer raises when somebody made it up."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where the pages are served: the host that passkeys are bound to, and the origin that browsers sign."""

    host: str
    origin: str


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey of a member."""

    id: str
    member: str
    name: str
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Question:
    """What a browser asks a passkey: `options` as JSON; `token` goes on with the answer."""

    options: str
    token: str


async def of_member(tx: Tx, member: str) -> list[Passkey]:
    """Return a member's passkeys, the oldest first."""
    rows = await tx.rows(f'{_SELECT} WHERE "member" = ? ORDER BY "created_at", "id"', [member])
    return [
        Passkey(row[0], row[1], row[2], datetime.fromisoformat(row[3]), row[4] and datetime.fromisoformat(row[4]))
        for row in rows
    ]


async def ask_to_register(tenant: Tenant, member: str, site: Site, name: str, label: str) -> Question:
    """Return the question for a new passkey; `name` and `label` are how the member's device lists it."""
    now = tenant.clock.now()

    async def work(tx: Tx) -> Question:
        known = await of_member(tx, member)
        if len(known) >= MOST:
            raise InvalidError({"name": say("These are too many passkeys: remove some first.")})
        options = generate_registration_options(
            rp_id=site.host,
            rp_name=label,
            user_name=name,
            user_id=member.encode(),
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=base64url_to_bytes(each.id)) for each in known],
        )
        token = await pending.begin(tx, "register", member, _kept(options.challenge), now)
        return Question(options_to_json(options), token)

    return await tenant.store.write(work)


async def register(tx: Tx, member: str, site: Site, answer: str, *, token: str, name: str, now: datetime) -> bool:  # noqa: PLR0913 - what a browser says, and about what
    """Keep the passkey that answered; False when the answer is none to the question."""
    asked = await pending.take(tx, token, "register", now)
    if asked is None or asked.member != member:
        return False
    try:
        verified = verify_registration_response(
            credential=answer,
            expected_challenge=_challenge(asked.payload),
            expected_rp_id=site.host,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except _WRONG:
        return False
    identifier = bytes_to_base64url(verified.credential_id)
    if await tx.row('SELECT 1 FROM "_passkey" WHERE "id" = ?', [identifier]):
        return False
    key = base64.b64encode(verified.credential_public_key).decode()
    label = " ".join(name.split())[:LONGEST]
    await tx.run(PASSKEY.insert(), [identifier, member, label, key, verified.sign_count, stored_datetime(now), None])
    return True


async def remove(tx: Tx, member: str, passkey: str) -> bool:
    """Take a passkey of the member away; whether there was one."""
    return await tx.run('DELETE FROM "_passkey" WHERE "id" = ? AND "member" = ?', [passkey, member]) > 0


async def ask(tenant: Tenant, site: Site) -> Question:
    """Return the question for whoever has a passkey: it names nobody, so it says of nobody whether there is one."""
    now = tenant.clock.now()
    options = generate_authentication_options(rp_id=site.host, user_verification=UserVerificationRequirement.REQUIRED)
    token = await tenant.store.write(lambda tx: pending.begin(tx, "passkey", None, _kept(options.challenge), now))
    return Question(options_to_json(options), token)


async def whose(tx: Tx, site: Site, answer: str, token: str, now: datetime) -> str | None:
    """Return the member whose passkey answered the question; None when the answer is none.

    A counter that did not go up means that somebody has a copy of the passkey: it opens nothing.
    """
    asked = await pending.take(tx, token, "passkey", now)
    identifier = _identifier(answer)
    if asked is None or identifier is None:
        return None
    row = await tx.row('SELECT "member", "public_key", "counter" FROM "_passkey" WHERE "id" = ?', [identifier])
    if row is None:
        return None
    try:
        verified = verify_authentication_response(
            credential=answer,
            expected_challenge=_challenge(asked.payload),
            expected_rp_id=site.host,
            expected_origin=site.origin,
            credential_public_key=base64.b64decode(row[1]),
            credential_current_sign_count=row[2],
            require_user_verification=True,
        )
    except _WRONG:
        return None
    await tx.run(
        'UPDATE "_passkey" SET "counter" = ?, "last_used_at" = ? WHERE "id" = ?',
        [verified.new_sign_count, stored_datetime(now), identifier],
    )
    return str(row[0])


async def sign_in(tenant: Tenant, site: Site, answer: str, token: str, entry: Entry) -> SignedIn | Refusal:
    """Let in who has a passkey and has shown it who they are: it stands for password and second factor."""
    now = tenant.clock.now()

    async def work(tx: Tx) -> SignedIn | Refusal:
        until = await tries.begin(tx, entry.attempt)
        if until is not None:
            return Refusal("too_many", until)
        member = await whose(tx, site, answer, token, now)
        actor = None if member is None else await load_actor(tenant.published, tx, member, ip=entry.attempt.ip)
        if member is None or actor is None:
            await tries.keep_failed(tx, tenant.new_id(), replace(entry.attempt, member=member))
            return Refusal("credentials")
        if await providers.keeps_out(tx, tenant.published.access, actor):
            await tries.keep_failed(tx, tenant.new_id(), replace(entry.attempt, member=member))
            return Refusal("elsewhere")
        email = str((actor.member or {}).get("email") or "").casefold()
        device = await devices.known(tx, entry.device, member)
        attempt = replace(entry.attempt, email=email, member=member, device=device)
        await tries.forget(tx, attempt.id)
        await tries.log(tx, attempt, "signed_in")
        return await enter(tx, replace(entry, attempt=attempt), actor)

    return await tenant.store.write(work)


def _kept(challenge: bytes) -> dict[str, str]:
    return {"challenge": bytes_to_base64url(challenge)}


def _challenge(payload: Any) -> bytes:
    return base64url_to_bytes(payload["challenge"])


def _identifier(answer: str) -> str | None:
    """Return which passkey an answer says to be of, as it is stored."""
    try:
        said = json.loads(answer)["id"]
        return bytes_to_base64url(base64url_to_bytes(said))
    except _WRONG:
        return None
