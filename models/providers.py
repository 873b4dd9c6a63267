"""The OpenID Connect provider of a network, and who its members are there: as stored, its secret sealed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from models.access import Access
from models.actor import Actor
from models.connections import stored_datetime
from models.secrets import Vault
from models.system import IDENTITY, PROVIDER
from models.tx import Tx

_ONLY = "only"
"""The key of the row: a network has one provider."""
_PURPOSE = "the secret at the provider"
_POSSESSED = frozenset({"otp", "hwk", "swk", "sms", "tel", "sc"})
"""Methods (RFC 8176) that show what somebody has, beside what it knows or is."""


@dataclass(frozen=True, slots=True)
class Provider:
    """Where members may sign in too: `label` is on the button, `issuer` its address, `client_id` how it knows us.

    Without `local` nobody signs in here any more but who administers.
    """

    label: str
    issuer: str
    client_id: str
    local: bool = True


@dataclass(frozen=True, slots=True)
class Claimed:
    """Who somebody is, as a provider has proven it; `methods` are how it found out (`amr`)."""

    issuer: str
    subject: str
    email: str | None = None
    email_verified: bool = False
    methods: Collection[str] = ()

    @property
    def strong(self) -> bool:
        """Whether the provider asked for a second factor."""
        given = set(self.methods)
        return "mfa" in given or (bool(given & _POSSESSED) and bool(given - _POSSESSED))


async def load(tx: Tx) -> Provider | None:
    """Return the network's provider, if it has one."""
    row = await tx.row('SELECT "label", "issuer", "client_id", "local" FROM "_provider"')
    return None if row is None else Provider(row[0], row[1], row[2], row[3] != "off")


async def secret(tx: Tx, vault: Vault) -> str | None:
    """Return the secret that the provider knows us by; None for one that needs none."""
    row = await tx.row('SELECT "secret" FROM "_provider"')
    return None if row is None or row[0] is None else vault.open(row[0], _PURPOSE)


async def save(tx: Tx, provider: Provider, sealed: str | None, now: datetime, author: str | None) -> None:
    """Keep the provider; `sealed` (see `seal`) is its secret, None leaves the one that is there."""
    if sealed is None:
        row = await tx.row('SELECT "secret" FROM "_provider" WHERE "issuer" = ?', [provider.issuer])
        sealed = None if row is None else row[0]
    await tx.run('DELETE FROM "_provider"')
    values = [provider.label, provider.issuer, provider.client_id, sealed, None if provider.local else "off"]
    await tx.run(PROVIDER.insert(), [_ONLY, *values, stored_datetime(now), author])


def seal(vault: Vault, text: str) -> str:
    """Return a secret as it is kept; `RefusedError` when the installation's own is too short to seal with."""
    return vault.seal(text, _PURPOSE)


async def remove(tx: Tx) -> None:
    """Forget the provider and who the members are there."""
    await tx.run('DELETE FROM "_provider"')
    await tx.run('DELETE FROM "_identity"')


async def keeps_out(tx: Tx, access: Access, actor: Actor) -> bool:
    """Whether somebody has to sign in at the provider: who administers never has, so that nobody is locked out."""
    provider = await load(tx)
    return provider is not None and not provider.local and not access.administers(actor)


async def member_of(tx: Tx, claimed: Claimed) -> str | None:
    """Return whose identity it is; None when nobody has it."""
    sql = 'SELECT "member" FROM "_identity" WHERE "issuer" = ? AND "subject" = ?'
    row = await tx.row(sql, [claimed.issuer, claimed.subject])
    return None if row is None else str(row[0])


async def linked_since(tx: Tx, member: str, issuer: str) -> datetime | None:
    """Return since when a member has an identity at a provider, None when it has none."""
    sql = 'SELECT "created_at" FROM "_identity" WHERE "member" = ? AND "issuer" = ?'
    row = await tx.row(sql, [member, issuer])
    return None if row is None else datetime.fromisoformat(row[0])


async def link(tx: Tx, identifier: str, member: str, claimed: Claimed, now: datetime) -> bool:
    """Keep who a member is at a provider; False when the identity is somebody else's, or the member has another."""
    at = stored_datetime(now)
    row = [identifier, member, claimed.issuer, claimed.subject, at, at]
    if await tx.run(f"{IDENTITY.insert()} ON CONFLICT DO NOTHING", row):
        return True
    return await member_of(tx, claimed) == member


async def use(tx: Tx, claimed: Claimed, now: datetime) -> None:
    """Note that somebody signed in with an identity."""
    sql = 'UPDATE "_identity" SET "last_used_at" = ? WHERE "issuer" = ? AND "subject" = ?'
    await tx.run(sql, [stored_datetime(now), claimed.issuer, claimed.subject])


async def unlink(tx: Tx, member: str) -> bool:
    """Forget who a member is at the provider; whether it was known."""
    return await tx.run('DELETE FROM "_identity" WHERE "member" = ?', [member]) > 0
