"""Second factors: one-time codes of an app (RFC 6238), and recovery codes for who has lost the app or the passkey."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime

import pyotp

from models import pending, sessions
from models.connections import stored_datetime
from models.errors import RefusedError
from models.house_rules import needs_factor
from models.members import load_actor
from models.message import say
from models.secrets import SealedError, Vault
from models.system import RECOVERY, SECOND_FACTOR
from models.tenant import Tenant
from models.tx import Tx

STEP = 30
"""Seconds that a code holds."""
DRIFT = 1
"""Steps before and after the present one whose codes hold too: clocks differ."""
CODES = 10
"""Recovery codes that a member has."""
_CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_CODE_LENGTH = 24
"""120 bits: nobody finds one of them by trying, with the hashes in hand or without."""


@dataclass(frozen=True, slots=True)
class Factors:
    """What a member has beside the password: an app since when, passkeys, recovery codes left."""

    app_since: datetime | None
    passkeys: int
    recovery_left: int

    @property
    def any(self) -> bool:
        """Whether a second factor is asked for at sign-in."""
        return self.app_since is not None or self.passkeys > 0


async def of_member(tx: Tx, member: str) -> Factors:
    """Return the factors of a member."""
    row = await tx.row(
        'SELECT (SELECT "confirmed_at" FROM "_second_factor" WHERE "member" = ?), '
        '(SELECT count(*) FROM "_passkey" WHERE "member" = ?), '
        '(SELECT count(*) FROM "_recovery" WHERE "member" = ? AND "used_at" IS NULL)',
        [member, member, member],
    )
    since, passkeys, left = row or (None, 0, 0)
    return Factors(None if since is None else datetime.fromisoformat(since), passkeys, left)


async def has_any(tx: Tx, member: str) -> bool:
    """Whether a member has a second factor."""
    return (await of_member(tx, member)).any


async def propose(tx: Tx, vault: Vault, member: str, now: datetime) -> str:
    """Return the key that the member's app is to be given (base32); the same until it is confirmed.

    `RefusedError` when there is a confirmed one already, or nothing can be kept safe here.
    """
    row = await tx.row('SELECT "secret", "confirmed_at" FROM "_second_factor" WHERE "member" = ?', [member])
    if row is not None and row[1] is not None:
        raise RefusedError(say("There is an app already: remove it first."))
    if row is not None:
        try:
            return vault.open(row[0], _purpose(member))
        except SealedError:
            await tx.run('DELETE FROM "_second_factor" WHERE "member" = ?', [member])
    secret = pyotp.random_base32()
    sealed = vault.seal(secret, _purpose(member))
    await tx.run(SECOND_FACTOR.insert(), [member, sealed, 0, stored_datetime(now), None])
    return secret


async def confirm(tx: Tx, vault: Vault, member: str, code: str, now: datetime) -> bool:
    """Turn the proposed key on when the code is one of it."""
    if not await _code_holds(tx, vault, member, code, now):
        return False
    await tx.run('UPDATE "_second_factor" SET "confirmed_at" = ? WHERE "member" = ?', [stored_datetime(now), member])
    return True


async def check_code(tx: Tx, vault: Vault, member: str, code: str, now: datetime) -> bool:
    """Whether this is a code of the member's app; a code holds once."""
    row = await tx.row('SELECT "confirmed_at" FROM "_second_factor" WHERE "member" = ?', [member])
    return row is not None and row[0] is not None and await _code_holds(tx, vault, member, code, now)


async def _code_holds(tx: Tx, vault: Vault, member: str, code: str, now: datetime) -> bool:
    row = await tx.row('SELECT "secret", "last_step" FROM "_second_factor" WHERE "member" = ?', [member])
    if row is None:
        return False
    try:
        app = pyotp.TOTP(vault.open(row[0], _purpose(member)), interval=STEP)
    except SealedError:
        return False
    present = int(now.timestamp()) // STEP
    said = "".join(code.split()).encode()
    for step in range(present - DRIFT, present + DRIFT + 1):
        if step > row[1] and hmac.compare_digest(app.generate_otp(step).encode(), said):
            return await _use(tx, member, step)
    return False


async def _use(tx: Tx, member: str, step: int) -> bool:
    """Note that the code of a step was used; False when somebody was quicker."""
    sql = 'UPDATE "_second_factor" SET "last_step" = ? WHERE "member" = ? AND "last_step" < ?'
    return await tx.run(sql, [step, member, step]) > 0


async def check_recovery(tx: Tx, member: str, code: str, now: datetime) -> bool:
    """Whether this is a recovery code of the member that was not used yet; then it is used."""
    return (
        await tx.run(
            'UPDATE "_recovery" SET "used_at" = ? WHERE "id" = ? AND "member" = ? AND "used_at" IS NULL',
            [stored_datetime(now), _recovery_id(member, code), member],
        )
        > 0
    )


async def make_recovery(tx: Tx, member: str, now: datetime) -> tuple[str, ...]:
    """Return new recovery codes, which are stored by their hashes; the old ones hold no more."""
    await tx.run('DELETE FROM "_recovery" WHERE "member" = ?', [member])
    codes = tuple("".join(secrets.choice(_CODE_LETTERS) for _ in range(_CODE_LENGTH)) for _ in range(CODES))
    rows = [[_recovery_id(member, code), member, stored_datetime(now), None] for code in codes]
    await tx.run_many(RECOVERY.insert(), rows)
    return tuple("-".join(code[at : at + 4] for at in range(0, _CODE_LENGTH, 4)) for code in codes)


async def first_recovery(tx: Tx, member: str, now: datetime) -> tuple[str, ...]:
    """Return recovery codes for who has none left, () for others."""
    return () if (await of_member(tx, member)).recovery_left else await make_recovery(tx, member, now)


async def remove_app(tx: Tx, member: str) -> None:
    """Take the app away, whether confirmed or not."""
    await tx.run('DELETE FROM "_second_factor" WHERE "member" = ?', [member])


async def may_lose(tenant: Tenant, tx: Tx, member: str) -> None:
    """Raise `RefusedError` when the member would be left without a factor, and needs one; codes go with the last."""
    if await has_any(tx, member):
        return
    actor = await load_actor(tenant.published, tx, member)
    if actor is not None and await needs_factor(tx, actor):
        raise RefusedError(say("Your access level needs a second factor: add another one first."))
    await tx.run('DELETE FROM "_recovery" WHERE "member" = ?', [member])


async def forget(tx: Tx, member: str) -> None:
    """Take all factors of a member away, who lost them: the password alone lets in again, all sessions end."""
    for table in ("_second_factor", "_recovery", "_passkey"):
        await tx.run(f'DELETE FROM "{table}" WHERE "member" = ?', [member])  # noqa: S608 - tables of ours
    await pending.end_all(tx, member)
    await sessions.end_all(tx, member)


def address(secret: str, email: str, network: str) -> str:
    """Return what an app reads from the picture: `otpauth://totp/…`."""
    return pyotp.TOTP(secret, interval=STEP).provisioning_uri(name=email, issuer_name=network)


def _recovery_id(member: str, code: str) -> str:
    letters = "".join(letter for letter in code.upper() if letter.isalnum())
    return hashlib.sha256(f"{member} {letters}".encode()).hexdigest()


def _purpose(member: str) -> str:
    return f"second factor of {member}"
